"""What levels stand for: read row by row, refused where damaged, exact in reasons."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BundleError, InputError
from scoring.bundle import load_bundle, write_bundle
from scoring.categories import Levels, encoded, levels_from
from scoring.change import Scored, changed
from scoring.scorer import scorer_from

NAN = float("nan")
BRANCH = Levels("tenure_days", (1.0, 2.0, 9.0), (-0.9, 0.1, 1.4), 0.0)


@given(
    st.dictionaries(st.integers(-50, 50), st.floats(-5, 5), max_size=12),
    st.lists(st.one_of(st.integers(-60, 60), st.none()), max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_a_code_is_looked_up_as_in_a_dictionary(known, asked) -> None:
    codes = sorted(known)
    levels = Levels("c", tuple(map(float, codes)), tuple(known[c] for c in codes), 7.5)
    found = levels.read(np.array([NAN if a is None else a for a in asked], dtype=np.float64))
    wanted = [NAN if a is None else known.get(a, 7.5) for a in asked]
    assert np.array_equal(found, np.array(wanted, dtype=np.float64), equal_nan=True)
    assert levels_from(json.loads(json.dumps(levels.fields()))) == levels


@pytest.mark.parametrize(
    ("codes", "statistics", "unseen"),
    [
        ((1.0,), (), 0.0),
        ((2.0, 1.0), (0.0, 0.0), 0.0),
        ((1.0, 1.0), (0.0, 0.0), 0.0),
        ((1.0,), (NAN,), 0.0),
        ((float("inf"),), (0.0,), 0.0),
        ((1.0,), (0.0,), NAN),
    ],
)
def test_levels_that_are_none_are_refused(codes, statistics, unseen) -> None:
    with pytest.raises(InputError, match="branch"):
        Levels("branch", codes, statistics, unseen)


@pytest.fixture(scope="module")
def coded(kit):
    return replace(kit.scorer("churn"), categories=(BRANCH,))


@pytest.fixture(scope="module")
def rows(kit) -> np.ndarray:
    X = kit.rows(200, 8)
    X[:, 3] = np.random.default_rng(1).choice([1.0, 2.0, 9.0, 77.0, NAN], 200)
    return X


def test_a_scorer_reads_statistics_and_reasons_add_up_to_its_points(kit, coded, rows) -> None:
    plain, told = kit.scorer("churn"), rows.copy()
    book = {1.0: -0.9, 2.0: 0.1, 9.0: 1.4, 77.0: 0.0}
    told[:, 3] = [book.get(c, NAN) for c in rows[:, 3]]
    assert np.array_equal(coded.margin(rows), plain.margin(told))
    assert not np.array_equal(coded.margin(rows), plain.margin(rows))
    found, wanted = coded.explain(rows), plain.explain(told)
    assert np.array_equal(found.reasons, wanted.reasons)
    assert np.array_equal(found.base_points + found.reasons.sum(axis=1), found.points)
    assert found.reasons[:, 3].any()
    assert np.array_equal(coded.contributions(rows[:1]), coded.contributions(rows)[:1])


def test_the_rows_that_were_given_are_left_as_they_are(coded, rows) -> None:
    before = rows.copy()
    coded.explain(rows)
    assert np.array_equal(before, rows, equal_nan=True)
    assert encoded(rows, coded.features, ()) is rows


def test_a_move_to_another_level_is_the_categorys(coded, rows) -> None:
    values = dict(zip(coded.features, rows[0].tolist(), strict=True))
    known = {n: None if np.isnan(v) else v for n, v in values.items()}
    before, after = ({**known, "tenure_days": code} for code in (1.0, 9.0))
    found = changed(Scored(coded, before), Scored(coded, after))
    assert {*found.data} <= {"tenure_days"}
    assert found.before + sum(found.data.values()) + found.model == found.after
    assert found.after != found.before


def test_the_fields_of_a_scorer_hold_its_levels(coded) -> None:
    again = scorer_from(json.loads(json.dumps(coded.fields())), coded.booster_text)
    assert again == coded
    older = {k: v for k, v in coded.fields().items() if k != "categories"}
    assert scorer_from(older, coded.booster_text).categories == ()


def test_a_category_has_no_direction_and_is_a_feature(coded) -> None:
    for wrong in (replace(BRANCH, feature="spend_sum_90d"), replace(BRANCH, feature="nobody")):
        with pytest.raises(InputError, match="without direction"):
            replace(coded, categories=(wrong,))
    with pytest.raises(InputError, match="each once"):
        replace(coded, categories=(BRANCH, BRANCH))


class Coded:
    """A catalogue in which a feature is a code."""

    def __init__(self, kit) -> None:
        self.plain = kit.catalogue()
        self.hash = self.plain.hash
        self.for_target, self.monotone = self.plain.for_target, self.plain.monotone

    def categories(self, names):
        return tuple(n for n in names if n == "tenure_days")


def test_a_bundle_keeps_levels_under_its_hash(kit, coded, rows, tmp_path) -> None:
    made = write_bundle(
        tmp_path, {"churn": coded}, Coded(kit), kit.card("churn"), {"churn": rows[:20]}
    )
    again = load_bundle(made.path, made.hash).scorers["churn"]
    assert again == coded
    assert np.array_equal(again.points(rows), coded.points(rows))
    manifest = made.path / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace("1.4", "1.5"), "utf-8")
    with pytest.raises(BundleError, match="damaged or foreign"):
        load_bundle(made.path, made.hash)


def test_a_bundle_refuses_other_categories_than_the_catalogues(kit, coded, rows, tmp_path) -> None:
    golden, card = {"churn": rows[:20]}, kit.card("churn")
    with pytest.raises(BundleError, match="categories"):
        write_bundle(tmp_path, {"churn": coded}, kit.catalogue(), card, golden)
    with pytest.raises(BundleError, match="categories"):
        write_bundle(tmp_path, {"churn": replace(coded, categories=())}, Coded(kit), card, golden)
