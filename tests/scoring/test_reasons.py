"""Reasons in words: the largest first, the rest as one, and they add up (I1)."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.reasons import reasons
from scoring.scorer import ExplainedRow


def row(*points: int, base: int = 500) -> ExplainedRow:
    return ExplainedRow(base, np.array(points), base + sum(points))


X = np.array([10.0, np.nan, 3.0, 4.0])


def listed(kit, explained: ExplainedRow, top: int) -> list[tuple[str, int]]:
    said = reasons(kit.scorer("value"), explained, X, kit.catalogue(), top)
    return [(r.feature, r.points) for r in said]


def test_the_largest_come_first_and_the_rest_is_one(kit) -> None:
    assert listed(kit, row(5, -20, 7, 1), 2) == [
        ("transaction_recency_days", -20),
        ("complaint_count_90d", 7),
        ("other", 6),
    ]


def test_ties_keep_the_order_of_the_catalogue(kit) -> None:
    backwards = kit.catalogue(names=tuple(reversed(kit.features)))
    scorer = kit.scorer("value")
    assert [n for n, _ in listed(kit, row(5, -5, 5, -5), 3)][:3] == list(kit.features[:3])
    said = reasons(scorer, row(5, -5, 5, -5), X, backwards, 3)
    assert [r.feature for r in said][:3] == list(kit.features[:0:-1])


def test_nothing_is_left_for_other_where_all_are_listed(kit) -> None:
    assert [name for name, _ in listed(kit, row(4, 3, 2, 1), 9)] == list(kit.features)


def test_a_feature_that_moved_nothing_is_not_a_reason(kit) -> None:
    assert listed(kit, row(0, 0, 8, 0), 3) == [("complaint_count_90d", 8), ("other", 0)]
    assert listed(kit, row(0, 0, 0, 0), 3) == [("other", 0)]


@pytest.mark.parametrize("top", [0, 1, 3, 4, 60])
def test_base_and_reasons_are_the_points_of_a_real_row(kit, top: int) -> None:
    scorer = kit.scorer("churn")
    rows = kit.rows(40, 4)
    explained = scorer.explain(rows)
    for i in range(len(rows)):
        said = reasons(scorer, explained[i], rows[i], kit.catalogue(), top)
        assert explained[i].base_points + sum(r.points for r in said) == explained[i].points


def test_texts_come_from_the_catalogue_with_value_and_currency(kit) -> None:
    said = reasons(kit.scorer("value"), row(9, 4, 0, 0), X, kit.catalogue(), 2)
    assert said[0].en == "en:spend_sum_90d=10 GBP +9"
    assert said[1].zh == "zh:transaction_recency_days=missing GBP +4"
    assert (said[1].value, said[0].value) == (None, 10.0)
    churn = reasons(kit.scorer("churn"), row(9, 4, 0, 0), X, kit.catalogue(), 2, "CZK")
    assert churn[0].en == "en:spend_sum_90d=10 CZK +9"


def test_other_says_how_many_features_it_gathers_in_both_languages(kit) -> None:
    said = reasons(kit.scorer("value"), row(9, 4, 1, -3), X, kit.catalogue(), 1)[-1]
    assert (said.en, said.value) == ("3 other features together: +2 points", None)
    assert said.zh == "其余 3 项特征合计 +2 分"
    one = reasons(kit.scorer("value"), row(9, 4, 1, -3), X, kit.catalogue(), 3)[-1]
    assert one.en == "1 other feature together: +1 points"
