"""What MLflow is told of a bundle: a signature, an example that is nobody's, and the same files."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mlflow.models import Model

from scoring.bundle import load_bundle
from scoring.mlmodel import EXAMPLES, example_of, write_model


@pytest.fixture
def written(bundle, tmp_path):
    write_model(bundle, tmp_path)
    return tmp_path


def test_mlflow_reads_the_signature_of_every_feature_and_target(written, bundle):
    said = Model.load(str(written)).signature
    assert said.inputs.input_names() == sorted(bundle.scorers["churn"].features)
    assert not any(column.required for column in said.inputs.inputs)
    assert said.outputs.input_names() == ["churn_points", "value_points"]


def test_mlflow_reads_the_example_and_its_values_are_those_of_golden_rows(written, bundle):
    example = Model.load(str(written)).load_input_example(str(written))
    assert example.shape == (EXAMPLES, 4)
    golden = {}
    for target in sorted(bundle.scorers):
        scorer = bundle.scorers[target]
        for name, column in zip(
            scorer.features, zip(*bundle.golden[target]["rows"], strict=True), strict=True
        ):
            golden.setdefault(name, column[:EXAMPLES])
    for name, column in golden.items():
        shown = [None if math.isnan(v) else v for v in example[name].astype(float)]
        assert shown == list(column)


def test_a_scorer_takes_the_example(bundle):
    example, scorer = example_of(bundle), bundle.scorers["value"]
    place = [example["columns"].index(name) for name in scorer.features]
    X = np.array(example["data"], dtype=float)[:, place]
    assert scorer.explain(X).points.shape == (EXAMPLES,)


def test_the_files_beside_are_the_bundle_and_load_as_it(written, bundle):
    found = load_bundle(written / "bundle", bundle.hash)
    assert found.scorers == bundle.scorers


def test_mlflow_does_not_load_it_as_a_model_of_its_own(written):
    assert list(Model.load(str(written)).flavors) == ["tierline"]
