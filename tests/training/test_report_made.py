"""How a scorer came about, as a page tells it."""

from __future__ import annotations

import json

from tests.training.test_report_section import section
from training.report import as_json
from training.report_made import label, leakage, method, split, use


def test_parts_at_one_instant_are_drawn_by_their_rows(trained):
    told = json.loads(as_json(trained.result.bundle))["targets"]["churn"]["learnt"]
    changed = section(trained, learnt={**told, "by": "customer", "gap_days": None})
    html = split(changed)
    assert f"{told['parts']['fit']['rows']:,}</text>" in html
    assert "nothing is said of another time" in html
    assert "days from" not in leakage(changed)


def test_a_label_says_its_horizon_and_value_its_spend(trained):
    churn, value = section(trained), section(trained, "value")
    assert "spend is" in label(value)
    assert "spend is" not in label(churn)
    assert f"<dd>{churn.plan.targets['churn'].horizon_days}</dd>" in label(churn)
    assert use(churn) != use(value)


def test_the_method_names_the_learner_and_what_the_study_chose(trained):
    churn = section(trained)
    html = method(churn)
    assert "LightGBM" in html
    assert all(f"<td>{name}</td>" in html for name in churn.found.params)
