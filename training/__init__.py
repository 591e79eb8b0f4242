"""How a model is made: targets, cohorts, splits, tuning, fitting, judging, the model card."""
