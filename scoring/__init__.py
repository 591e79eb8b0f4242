"""What a trained model is: scorer, exact explanation, bundle, registry."""
