"""What the page of the field says of results, worked by hand."""

from __future__ import annotations

import pytest

from experiments.field_page import best, page, rank, summary, time_ratio


def result(source, ours, others, reached):
    """A target: figures of Tierline and its peers, intervals of +-0.002, seconds to figures."""

    def told(figure):
        gap = ours - figure
        return {
            "figure": figure, "interval": [figure - 0.01, figure + 0.01], "difference": gap,
            "difference_interval": [gap - 0.002, gap + 0.002], "seconds": 3.0, "size": 1500,
            "explain_ms": None,
        }  # fmt: skip

    return {
        "source": source, "target": "churn", "metric": "AUC",
        "learners": {n: told(f) for n, f in {"tierline": ours, **others}.items()},
        "curve": {"tierline": reached, "flaml": [[40.0, others["flaml"]]]},
    }  # fmt: skip


AHEAD = result("a", 0.80, {"flaml": 0.79, "catboost": 0.78}, [[5.0, 0.785], [10.0, 0.79]])
NEAR = result("b", 0.7975, {"flaml": 0.79, "catboost": 0.80}, [[10.0, 0.795]])
BEHIND = result("berka", 0.792, {"flaml": 0.80, "catboost": 0.78}, [[5.0, 0.78], [160.0, 0.792]])


def test_the_best_peer_is_the_one_of_the_highest_figure_and_never_tierline():
    assert [best(r)[0] for r in (AHEAD, NEAR, BEHIND)] == ["flaml", "catboost", "flaml"]
    assert [rank(r) for r in (AHEAD, NEAR, BEHIND)] == [1, 2, 2]


def test_time_is_that_of_the_first_trial_that_reaches_flaml_or_of_all_trials():
    assert time_ratio(AHEAD) == (10 / 40, True)
    assert time_ratio(NEAR) == (10 / 40, True)
    assert time_ratio(BEHIND) == (160 / 40, False)


def test_the_summary_counts_noise_margins_ranks_and_the_geometric_mean_of_times():
    """NEAR is 0.0025 behind, by more than its interval; BEHIND 0.008, less than berka's 0.01."""
    found = summary([AHEAD, NEAR, BEHIND])
    assert found == pytest.approx({
        "sets_within_noise_or_ahead_share": 1 / 3,
        "sets_within_margin_share": 1.0,
        "mean_rank": 5 / 3,
        "time_ratio_vs_flaml": (0.25 * 0.25 * 4) ** (1 / 3),
        "flaml_unreached": 1.0,
    })  # fmt: skip


def test_the_page_has_a_line_a_learner_from_the_best_down_and_one_a_target():
    lines = list(page([NEAR], "--trials 5", summary([NEAR])))
    table = [line for line in lines if line.startswith("| b | churn |")]
    assert [line.split(" | ")[2] for line in table[:3]] == ["catboost", "tierline", "flaml"]
    assert "-0.0025 [-0.0045, -0.0005]" in table[0]
    assert table[3] == "| b | churn | catboost | -0.0025 [-0.0045, -0.0005] | 2 of 3 | 0.25 |"
    assert "python -m experiments.field --trials 5" in lines
