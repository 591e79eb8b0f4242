"""How good a scorer is, as a page tells it."""

from __future__ import annotations

from tests.training.test_report_section import section
from training.report_skill import calibration, compared, discrimination


def test_every_part_has_its_reliability_with_error_and_floor(trained):
    churn = section(trained)
    html = calibration(churn)
    assert html.count("<svg") == len(churn.found.tested)
    assert html.count('class="range"') == 10 * len(churn.found.tested)
    for part in churn.found.tested:
        floor = churn.found.parts[part].calibration_floor
        assert f"floor of chance {floor:#.3g}" in html
    assert "floor of chance" not in calibration(section(trained, "value"))


def test_a_champion_stands_among_those_compared(trained):
    ours = [0.02, 0.01, 0.03]
    gaps = {name: [0.04, 0.01, 0.05] for name in ("gini", "pr_auc", "ks", "brier")}
    told = {"bundle": "b" * 64, "figures": {"auc": 0.75}}
    told["differences"] = {"auc": ours, **gaps}
    html = compared(section(trained, champion=told))
    assert "the champion bbbbbbbbbbbb" in html
    assert "0.0200 [0.0100,\u00a00.0300]" in html
    assert html.count("0.0400 [0.0100,\u00a00.0500]") == 3


def test_without_costs_there_is_no_profit(trained):
    assert "Profit" in discrimination(section(trained))
    assert "Profit" not in discrimination(section(trained, profit=None))


def test_the_figures_of_money_have_their_unit(trained):
    value = section(trained, "value")
    assert f"mean absolute error ({value.plan.currency})" in discrimination(value)
