"""Who learns and who tests: later in time, unseen customers, a gap, and always the same."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.asof import MICROS_PER_DAY
from domain.errors import InputError, NotEnoughDataError
from domain.plan import StudyPlan
from events.schema import INSTANT
from tests.training.label_world import at, plan_of
from training.splits import FOLDS, REPEATS, Split, check_size, part_of, percent, percents, split

TRAIN, TEST, HORIZON = (100.0, 130.0, 160.0), (250.0, 280.0), 90


def rows_of(customers: int, days=(*TRAIN, *TEST), prefix: str = "c") -> pa.Table:
    """Every customer at every day; a third of them bad."""
    ids = [f"{prefix}{i}" for i in range(customers) for _ in days]
    moments = pa.array([at(d) for _ in range(customers) for d in days], pa.int64()).cast(INSTANT)
    y = [float(i % 3 > 0) for i in range(customers) for _ in days]
    return pa.table({"customer_id": ids, "as_of": moments, "y": pa.array(y, pa.float64())})


def with_split(kind: str, **changes) -> StudyPlan:
    return plan_of(TRAIN, TEST).model_copy(update={"split": kind, **changes})


def customers_of(rows: pa.Table, part: np.ndarray) -> set[str]:
    return set(rows["customer_id"].take(pa.array(part)).to_pylist())


def moments_of(rows: pa.Table, part: np.ndarray) -> np.ndarray:
    return rows["as_of"].cast(pa.int64()).to_numpy()[part]


def test_the_place_of_a_customer_is_the_documented_hash():
    digits = hashlib.sha256(b"online_retail_ii:20261122:13085").hexdigest()[:8]
    assert percent("online_retail_ii:20261122", "13085") == int(digits, 16) % 100
    places = percents("k", ["a", "b", "a"])
    assert places.tolist() == [percent("k", "a"), percent("k", "b"), percent("k", "a")]


def test_a_hundredth_of_many_customers_falls_on_every_place():
    counts = np.bincount(percents("k", [str(i) for i in range(50_000)]), minlength=100)
    assert counts.size == 100
    assert abs(counts - 500).max() < 5 * np.sqrt(500)


@given(key=st.text(max_size=8), share=st.integers(10, 40), gap=st.integers(0, 60))
def test_the_test_is_later_and_a_horizon_away_and_unseen_customers_are_nowhere_else(
    key, share, gap
):
    days = (*TRAIN, 160.0 + HORIZON + gap, 190.0 + HORIZON + gap)
    rows = rows_of(300, days)
    plan = with_split("time", split_key=key, test_percent=share)
    found = split(rows, plan, HORIZON, at(days[3]), seed=1)
    learnt = np.concatenate([found.fit, found.calibration])
    first = moments_of(rows, found.test).min()
    assert moments_of(rows, learnt).max() + HORIZON * MICROS_PER_DAY <= first
    assert moments_of(rows, found.test_unseen).min() >= first
    unseen = customers_of(rows, found.test_unseen)
    assert unseen == {c for c in map("c{}".format, range(300)) if percent(key, c) < share}
    assert not unseen & customers_of(rows, learnt)
    assert not customers_of(rows, found.fit) & customers_of(rows, found.calibration)
    assert set(found.test_unseen) <= set(found.test)
    assert found.test.size == 600
    assert learnt.size == 3 * (300 - len(unseen))
    assert customers_of(rows, found.earlier_unseen) == unseen
    assert moments_of(rows, found.earlier_unseen).max() < first
    parts = np.concatenate([learnt, found.test, found.earlier_unseen])
    assert sorted(parts) == list(range(rows.num_rows))


def test_training_that_reaches_into_the_horizon_before_the_test_is_refused():
    rows = rows_of(200, (*TRAIN, 250.0))
    split(rows, with_split("time"), 90, at(250), seed=1)
    with pytest.raises(InputError, match="take earlier training or later test dates"):
        split(rows, with_split("time"), 91, at(250), seed=1)


@pytest.mark.parametrize("kind", ["time", "customer", "folds"])
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_changes_nobodys_side(kind, seed):
    rows = rows_of(200)
    order = np.random.default_rng(seed).permutation(rows.num_rows)
    plan = with_split(kind)
    a = split(rows, plan, HORIZON, at(250), seed=5)
    b = split(rows.take(pa.array(order)), plan, HORIZON, at(250), seed=5)
    for one, other in zip(astuple(a)[:4], astuple(b)[:4], strict=True):
        assert set(one) == {order[i] for i in other}


@pytest.mark.parametrize("kind", ["time", "customer", "folds"])
def test_the_same_rows_and_seed_are_parted_the_same_way(kind):
    a, b = (split(rows_of(200), with_split(kind), HORIZON, at(250), seed=5) for _ in "ab")
    for one, other in zip(astuple(a)[:4], astuple(b)[:4], strict=True):
        assert one.tolist() == other.tolist()
    assert [[x.tolist() for x in f] for f in a.folds] == [[x.tolist() for x in f] for f in b.folds]


def test_customers_who_come_later_move_nobody_else():
    plan = with_split("time")
    few, many = rows_of(200), rows_of(400)
    a, b = (split(r, plan, HORIZON, at(250), seed=5) for r in (few, many))
    first = {f"c{i}" for i in range(200)}
    for name in ("fit", "calibration", "test_unseen"):
        assert customers_of(few, getattr(a, name)) == customers_of(many, getattr(b, name)) & first


def test_by_customer_the_three_parts_share_nobody_and_leave_nobody_out():
    rows = rows_of(600, (100.0,))
    found = split(rows, with_split("customer", test_percent=30), HORIZON, 0, seed=1)
    parts = [customers_of(rows, p) for p in (found.fit, found.calibration, found.test)]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 600
    assert parts[2] == {c for c in set().union(*parts) if percent("labels", c) < 30}
    assert 0.25 < len(parts[2]) / 600 < 0.35
    assert found.test_unseen.tolist() == found.test.tolist()


def test_every_fold_tests_customers_it_did_not_learn_from_and_every_row_is_tested_once_a_repeat():
    rows = rows_of(150, (100.0, 130.0))
    found = split(rows, with_split("folds"), HORIZON, 0, seed=1)
    assert len(found.folds) == FOLDS * REPEATS
    for learn, tested in found.folds:
        assert not customers_of(rows, learn) & customers_of(rows, tested)
        assert learn.size + tested.size == rows.num_rows
        bad = 1 - rows["y"].to_numpy()[tested].mean()
        assert abs(bad - 1 / 3) < 0.1
    for repeat in range(REPEATS):
        parts = [t for _, t in found.folds[repeat * FOLDS : (repeat + 1) * FOLDS]]
        assert sorted(np.concatenate(parts)) == list(range(rows.num_rows))
    assert found.calibration.size == 0


@pytest.mark.parametrize("kind", ["time", "customer", "folds"])
def test_the_part_of_one_customer_is_where_its_rows_stand(kind):
    rows = rows_of(200)
    plan = with_split(kind)
    found = split(rows, plan, HORIZON, at(250), seed=1)
    parts = {"fit": found.fit, "calibration": found.calibration, "unseen": found.test_unseen}
    for i in range(200):
        part = part_of(f"c{i}", plan)
        if kind == "folds":
            assert part == "folds"
        else:
            assert f"c{i}" in customers_of(rows, parts[part])


def parts_of(fit: int, test: int) -> Split:
    """Fit, then test; calibration is the first two rows of fit, which have both outcomes."""
    return Split(np.arange(fit), np.arange(2), np.arange(fit, fit + test), np.arange(0))


@pytest.mark.parametrize(
    ("fit", "test", "bad", "said"),
    [
        (99, 200, 5, "the fit part has 99 rows"),
        (200, 99, 5, "the test part has 99 rows"),
        (200, 200, 40, "the fit part has 200 rows, 5 of the rarer outcome"),
    ],
)
def test_too_few_rows_or_too_few_of_an_outcome_are_refused(fit, test, bad, said):
    y = (np.arange(fit + test) % bad != 0).astype(float)
    with pytest.raises(NotEnoughDataError, match=said):
        check_size(parts_of(fit, test), y)


def test_enough_is_enough():
    y = (np.arange(200) % 10 != 0).astype(float)
    check_size(parts_of(100, 100), y)
    check_size(parts_of(100, 100), y * 250.0)
    with pytest.raises(NotEnoughDataError, match="9 of the rarer outcome"):
        check_size(parts_of(100, 100), np.where(np.arange(200) % 100 < 9, 7.5, 0.0))


def test_calibration_rows_of_one_outcome_are_refused_but_folds_need_none():
    y = (np.arange(200) % 10 != 0).astype(float)
    found = parts_of(100, 100)
    for rows in (np.arange(1, 9), np.arange(0)):
        with pytest.raises(NotEnoughDataError, match=f"calibration part has {rows.size} rows"):
            check_size(replace(found, calibration=rows), y)
    fold = (found.fit, found.test)
    check_size(replace(found, calibration=np.arange(0), folds=(fold,)), y)


def test_the_latest_training_date_calibrates_and_teaches_no_tree():
    rows = rows_of(400)
    plan = with_split("time")
    last = split(rows, plan.model_copy(update={"calibration": "latest"}), HORIZON, at(250), seed=1)
    usual = split(rows, plan, HORIZON, at(250), seed=1)
    as_of = rows["as_of"].cast("int64").to_numpy()
    early = np.concatenate([usual.fit, usual.calibration])
    latest = as_of[early].max()
    assert set(as_of[last.calibration]) == {latest}
    assert sorted([*last.fit, *last.calibration]) == sorted(early)
    assert as_of[last.fit].max() < latest
    assert last.test.tolist() == usual.test.tolist()
    assert last.test_unseen.tolist() == usual.test_unseen.tolist()
