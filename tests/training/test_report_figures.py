"""Figures of a report: which of a part are measures, and what a range must be."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.training.test_report_section import section
from training.report_figures import AmountPart, OutcomePart, Tenth


def test_measures_of_a_part_are_its_plain_figures_what_ranks_first(trained):
    for target, kind, first in (("churn", OutcomePart, "auc"), ("value", AmountPart, "spearman")):
        whole = section(trained, target).found.test
        assert isinstance(whole, kind)
        assert next(iter(whole.measures)) == first
        floats = {n for n in type(whole).model_fields if isinstance(getattr(whole, n), float)}
        assert {*whole.measures} == floats


@pytest.mark.parametrize("interval", [(0.1,), (0.1, 0.2, 0.3), (0.1, float("nan")), None])
def test_an_interval_is_two_finite_numbers(interval):
    good = {"predicted": 0.2, "seen": 0.2, "interval": (0.1, 0.3), "rows": 4}
    assert Tenth.model_validate(good).interval == (0.1, 0.3)
    with pytest.raises(ValidationError, match="interval"):
        Tenth.model_validate({**good, "interval": interval})
