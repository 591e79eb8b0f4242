"""What the names of a target are called on a page, in either language."""

from __future__ import annotations

import json
from dataclasses import replace

from domain.decision import canonical_json
from training.report import as_json
from training.report_html import Writer
from training.report_model import read
from training.report_section import Section


def section(trained, target="churn", **found) -> Section:
    """A target of the trained bank on a page, some of its content changed."""
    told = json.loads(as_json(trained.result.bundle))
    told["targets"][target].update(found)
    checked = read(canonical_json(told).encode())
    return Section(target, checked.targets[target], checked.plan, "LightGBM", Writer("en"))


def test_a_feature_is_called_by_the_text_that_the_report_holds(trained):
    churn = section(trained)
    name, (zh, en) = next(iter(churn.found.labels.features.items()))
    assert churn.name(name) == en
    assert replace(churn, write=Writer("zh")).name(name) == zh
    assert churn.name("of_nobody") == "of_nobody"
    idea, (_, text) = next(iter(churn.found.labels.ideas.items()))
    assert (churn.idea(idea), churn.idea("of_nobody")) == (text, "of_nobody")


def test_money_is_told_in_the_currency_of_the_plan(trained):
    churn, value = section(trained), section(trained, "value")
    paid = next(n for n, unit in value.found.labels.units.items() if unit == "currency")
    other = next(n for n, unit in value.found.labels.units.items() if unit == "days")
    assert (value.unit(paid), value.unit(other)) == (value.plan.currency, "days")
    assert value.measure("mae") == f"mean absolute error ({value.plan.currency})"
    assert "(" not in value.measure("spearman")
    assert "(" not in churn.measure("auc")


def test_what_counts_is_a_bad_outcome_or_a_spender(trained):
    assert (section(trained).events, section(trained, "value").events) == ("bad", "spenders")
    assert section(trained).part("test_2026_04_01") == "2026-04-01"
