"""The parts of the test that a target is judged on."""

from __future__ import annotations

import dataclasses

from training.learn import parts_to_judge


def test_a_part_of_the_test_with_one_outcome_only_is_left_out(trained, materials):
    made = materials("churn")
    y = made.problem.y.copy()
    y[made.as_of == made.as_of.max()] = 1.0
    made = dataclasses.replace(made, problem=dataclasses.replace(made.problem, y=y))
    last = f"test_{max(trained.dataset.plan.test_as_of):%Y_%m_%d}"
    assert last in trained.result.targets["churn"].parts
    kept = set(trained.result.targets["churn"].parts) - {last}
    assert set(parts_to_judge(made, trained.dataset)) == kept
