"""Panels: every operation against a loop, in time (I3), in any order (I4), with nothing made up."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.bank.config import BankConfig
from events.bank.simulate import write_bank
from events.ingest import ingest
from events.readers import SOURCES
from features.catalogue import CATALOGUE, Catalogue
from features.declare import Take, Theme, Words
from features.panel import compute, compute_tables, known_customers
from tests.features.panel_world import (
    at,
    computed,
    random_transactions,
    requests,
    row,
    slow,
)

WORDS = Words("count", "某", "Some")
T = "transactions"
TAKES = (
    *(Take(op, T, ("purchase",), days=d) for op in ("count", "recency", "tenure") for d in (30, 0)),
    *(Take(op, T, (), days=d) for op in ("gap_mean", "gap_std") for d in (90, 0)),
    *(Take(op, f"{T}.{k}", days=90) for op in ("distinct", "entropy")
      for k in ("channel", "category", "day", "month")),
    *(Take("share", T, ("purchase",), (s,), days=180) for s in ("online", "weekend")),
    *(Take(op, f"{T}.balance", days=d)
      for op in ("sum", "mean", "std", "min", "max", "slope") for d in (7, 180, 0)),
    Take("sum", f"{T}.net_spend", ("spend",), days=30),
    Take("sum", f"{T}.net_spend", ("spend",), days=30, ago=335),
    Take("count", T, ("purchase",), days=90, ago=90),
    Take("std", f"{T}.amount", days=365),
    *(Take(op, T, (), days=d) for op in ("gap_max", "gap_median", "gap_slope") for d in (90, 0)),
    *(Take(op, T, ("purchase",), days=365, ago=30)
      for op in ("gap_max", "gap_median", "gap_slope")),
    *(Take("decay", T, w, half_life=h) for w in ((), ("purchase",)) for h in (0.5, 30, 365)),
    *(Take("decay", f"{T}.{v}", ("spend",), half_life=30) for v in ("net_spend", "balance")),
    Take("decay", f"{T}.balance", ago=90, half_life=7),
    *(Take("median", f"{T}.balance", days=d) for d in (7, 180, 0)),
    Take("max", f"{T}.amount", ("purchase",), days=90, scale=0.01),
)  # fmt: skip


IN_ORDER = (
    *(Take(op, f"{T}.balance", days=d, ago=a)
      for op in ("last", "rises", "falls") for d in (30, 180, 0) for a in (0, 15)),
    *(Take("cures", f"{T}.net_spend", ("spend",), days=d) for d in (30, 180, 0)),
)  # fmt: skip
"""What events of one instant would make depend on their order."""


def catalogue_of(takes) -> Catalogue:
    theme = Theme("trial")
    for i, take in enumerate(takes):
        theme.single(f"f{i}", take, WORDS)
    return Catalogue((theme,))


def same(a: pa.Table, b: pa.Table) -> bool:
    """Equal bit for bit."""
    return all(
        np.array_equal(
            a[n].to_numpy(zero_copy_only=False).astype(np.float64).view(np.int64),
            b[n].to_numpy(zero_copy_only=False).astype(np.float64).view(np.int64),
        )
        for n in a.column_names
        if n not in ("customer_id", "as_of")
    )


def pairs_of(rng, size: int) -> list[tuple[str, int]]:
    return [
        (f"c{rng.integers(7)}", at(float(rng.integers(-3, 450)) + float(rng.choice([0, 0.5]))))
        for _ in range(size)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_every_operation_agrees_with_a_loop_over_the_events(seed):
    rng = np.random.default_rng(seed)
    rows, pairs = random_transactions(rng, 150), pairs_of(rng, 40)
    found = computed({T: rows}, pairs, catalogue_of(TAKES))
    for i, take in enumerate(TAKES):
        expected = [slow(take, rows, customer, moment) for customer, moment in pairs]
        got = found[f"f{i}"].to_numpy(zero_copy_only=False)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-7, err_msg=str(take))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_operations_on_the_order_of_events_agree_with_a_loop(seed):
    rng = np.random.default_rng(seed)
    rows = {(r["customer_id"], r["happened_at"]): r for r in random_transactions(rng, 120, 3)}
    right = [
        {**r, "known_at": r["superseded_at"], "superseded_at": None, "balance": -r["amount"]}
        for r in rows.values()
        if r["superseded_at"] is not None
    ]
    events = [*rows.values(), *right]
    pairs = pairs_of(rng, 30)
    edges = ("happened_at", "known_at", "superseded_at")
    pairs += [(r["customer_id"], r[e] - d) for r in right[:9] for e in edges[:2] for d in (0, 1)]
    found = computed({T: events}, pairs, catalogue_of(IN_ORDER))
    for i, take in enumerate(IN_ORDER):
        expected = [slow(take, events, customer, moment) for customer, moment in pairs]
        got = found[f"f{i}"].to_numpy(zero_copy_only=False)
        np.testing.assert_allclose(got, expected, rtol=1e-12, err_msg=str(take))


def test_a_decayed_sum_halves_with_every_half_life_and_loses_nothing_old():
    rows = [row("c", 0, kind="purchase", amount=1e15), row("c", 300, kind="purchase", amount=3.0)]
    takes = [Take("decay", f"{T}.amount", half_life=30), Take("decay", T, half_life=30)]
    moments = [("c", at(d)) for d in (0, 30, 300, 360)]
    found = computed({T: rows}, moments, catalogue_of(takes))
    old = 1e15 / 1024
    assert found["f0"].to_pylist() == [1e15, 5e14, old + 3.0, (old + 3.0) / 4]
    assert found["f1"].to_pylist() == [1.0, 0.5, 1 + 1 / 1024, (1 + 1 / 1024) / 4]


def test_rises_falls_and_cures_count_the_pairs_inside_the_window():
    due = (0, 10, 40, 40, 5, 0, None, 35, 0)
    rows = [row("c", 30 * i, days_past_due=d) for i, d in enumerate(due)]
    takes = [Take(op, "statements.days_past_due", days=d)
             for op in ("rises", "falls", "cures") for d in (0, 100)]  # fmt: skip
    found = computed({"statements": rows}, [("c", at(240))], catalogue_of(takes))
    assert [found[f"f{i}"][0].as_py() for i in range(6)] == [3, 1, 3, 1, 2, 1]


def test_the_last_value_is_that_of_the_latest_event():
    rows = [
        row("c", d, kind="inflow", amount=1.0, balance=b) for d, b in ((1, 5.0), (3, 7.0), (2, 9.0))
    ]
    found = computed(
        {T: rows}, [("c", at(2.5)), ("c", at(9))], catalogue_of([Take("last", f"{T}.balance")])
    )
    assert found["f0"].to_pylist() == [9.0, 7.0]


@pytest.mark.parametrize(
    ("day", "counted"),
    [(70.0, 0), (70.00000001, 1), (100.0, 1), (100.0 + 1e-9, 0)],
    ids=["at as_of - w", "a microsecond later", "at as_of", "a microsecond after as_of"],
)
def test_a_window_is_open_at_its_begin_and_closed_at_as_of(day, counted):
    rows = [row("c", 1, kind="purchase", amount=1.0), row("c", day, kind="purchase", amount=1.0)]
    found = computed({T: rows}, [("c", at(100))], catalogue_of([Take("count", T, days=30)]))
    assert found["f0"].to_pylist() == [float(counted)]


def test_a_customer_without_events_is_missing_and_a_silent_one_is_zero():
    rows = [row("silent", 1, kind="purchase", amount=5.0)]
    takes = [Take(op, f"{T}.amount", days=30) for op in ("sum", "mean")] + [
        Take("count", T, days=30)
    ]
    found = computed({T: rows}, [("nobody", at(99)), ("silent", at(99))], catalogue_of(takes))
    assert found["f0"].to_pylist() == [None, 0.0]
    assert found["f1"].to_pylist() == [None, None]
    assert found["f2"].to_pylist() == [None, 0.0]


def test_a_window_that_ends_before_the_first_event_is_missing():
    rows = [row("c", 50, kind="purchase", amount=5.0)]
    found = computed(
        {T: rows}, [("c", at(60)), ("c", at(90))], catalogue_of([Take("count", T, days=30, ago=30)])
    )
    assert found["f0"].to_pylist() == [None, 1.0]


def test_an_event_that_is_not_known_yet_does_not_end_the_missing_of_a_window():
    late = row("c", 10, known=200, kind="purchase", amount=5.0)
    seen = row("c", 50, kind="purchase", amount=5.0)
    take = catalogue_of([Take("count", T, days=30, ago=30)])
    for rows in ([seen], [late, seen]):
        assert computed({T: rows}, [("c", at(60))], take)["f0"].to_pylist() == [None]


def test_a_corrected_event_counts_as_it_was_known_at_each_moment():
    rows = [
        row("c", 10, known=10, superseded=20, kind="purchase", amount=5.0),
        row("c", 10, known=20, kind="purchase", amount=8.0),
    ]
    take = catalogue_of([Take("sum", f"{T}.amount", days=30)])
    moments = [("c", at(d)) for d in (9, 10, 19.99, 20, 39)]
    assert computed({T: rows}, moments, take)["f0"].to_pylist() == [None, 5.0, 5.0, 8.0, 8.0]


def test_the_spread_of_great_amounts_does_not_cancel():
    rows = [row("c", d, kind="purchase", amount=1e12 + d) for d in range(1, 10)]
    found = computed(
        {T: rows}, [("c", at(10))], catalogue_of([Take("std", f"{T}.amount", days=30)])
    )
    assert found["f0"][0].as_py() == pytest.approx(np.std(np.arange(1, 10)), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(20, 400))
def test_no_feature_moves_with_what_comes_or_is_known_after_as_of(seed, cut):
    rng = np.random.default_rng(seed)
    rows = random_transactions(rng, 120)
    pairs = [(f"c{i}", at(cut)) for i in range(6)]
    catalogue = catalogue_of(TAKES)
    before = computed({T: rows}, pairs, catalogue)
    past = [r for r in rows if r["happened_at"] <= at(cut) and r["known_at"] <= at(cut)]
    past = [
        {**r, "superseded_at": r["superseded_at"] if (r["superseded_at"] or 0) <= at(cut) else None}
        for r in past
    ]
    canary = [
        row(f"c{i}", cut + 1e-9, kind="purchase", amount=1e15, balance=-1e15) for i in range(6)
    ]
    canary += [
        row(f"c{i}", cut - 3, known=cut + 1e-9, kind="purchase", amount=1e15) for i in range(6)
    ]
    for changed in (past, rows + canary, list(rng.permutation(np.array(rows + canary)))):
        assert same(before, computed({T: list(changed)}, pairs, catalogue))


@pytest.mark.parametrize("seed", range(4))
def test_order_names_and_batches_change_no_bit(seed):
    rng = np.random.default_rng(seed)
    rows, pairs = random_transactions(rng, 200), pairs_of(rng, 50)
    catalogue = catalogue_of(TAKES)
    whole = computed({T: rows}, pairs, catalogue)
    shuffled = [rows[i] for i in rng.permutation(len(rows))]
    assert same(whole, computed({T: shuffled}, pairs, catalogue))
    order = rng.permutation(len(pairs))
    turned = computed({T: rows}, [pairs[i] for i in order], catalogue)
    assert same(whole.take(pa.array(order)), turned)
    new = {f"c{i}": f"顾客 {9 - i}" for i in range(8)}
    renamed = [{**r, "customer_id": new[r["customer_id"]]} for r in rows]
    assert same(whole, computed({T: renamed}, [(new[c], t) for c, t in pairs], catalogue))
    parts = [computed({T: rows}, pairs[i : i + 7], catalogue) for i in range(0, len(pairs), 7)]
    assert same(whole, pa.concat_tables(parts))


def test_rows_of_a_panel_are_the_requests_in_their_order():
    rng = np.random.default_rng(5)
    pairs = pairs_of(rng, 30)
    found = computed({T: random_transactions(rng, 50)}, pairs, CATALOGUE)
    assert found.select(["customer_id", "as_of"]).equals(requests(pairs))
    assert found.column_names[2:] == list(CATALOGUE.names)


def test_an_empty_request_gives_an_empty_panel_with_every_column():
    found = pa.concat_tables(compute_tables({}, requests([]), CATALOGUE))
    assert found.num_rows == 0
    assert len(found.column_names) == 2 + len(CATALOGUE.names)


def test_no_table_at_all_leaves_everything_missing():
    found = computed({}, [("c", at(1))], CATALOGUE)
    assert all(found[n].to_pylist() == [None] for n in CATALOGUE.names)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bank")
    write_bank(folder / "raw", BankConfig(customers=150, months=18, seed=4))
    dataset, _ = ingest(SOURCES["bank"], folder / "raw", folder / "dataset")
    return dataset


def test_the_catalogue_on_a_bank_agrees_with_plain_sql(bank):
    moments = [bank.data_until, bank.data_until - 100 * 86_400_000_000]
    pairs = known_customers(bank, moments)
    panel = compute(bank, pairs)
    db = duckdb.connect()
    db.register("panel", panel)
    for table in ("transactions", "statements", "interactions"):
        db.register(table, bank.table(table))
    seen = (
        "e.happened_at <= p.as_of AND e.known_at <= p.as_of "
        "AND coalesce(e.superseded_at > p.as_of, true)"
    )
    checks = {
        "purchase_count_90d": ("transactions", "count(*) FILTER (e.kind = 'purchase')", 90),
        "spend_sum_180d": ("transactions", "coalesce(sum(CASE e.kind WHEN 'purchase' THEN amount "
                           "WHEN 'refund' THEN -amount END), 0)", 180),
        "spend_mean_365d": ("transactions", "avg(amount) FILTER (e.kind = 'purchase')", 365),
        "active_days_90d": ("transactions", "count(DISTINCT CASE WHEN e.kind = 'purchase' THEN "
                            "date_trunc('day', e.happened_at) END)", 90),
        "days_past_due_max_180d": ("statements", "max(days_past_due)", 180),
        "utilisation_mean_180d": ("statements", 'avg(bill / "limit")', 180),
        "complaint_count_90d": ("interactions", "count(*) FILTER (e.kind = 'complaint')", 90),
    }  # fmt: skip
    for name, (table, sql, days) in checks.items():
        found = db.sql(
            f"""
            SELECT p.customer_id, p.as_of, any_value(p.{name}) AS fast,
                   (SELECT {sql} FROM {table} e WHERE e.customer_id = p.customer_id AND {seen}
                    AND e.happened_at > p.as_of - INTERVAL {days} DAY) AS plain,
                   (SELECT min(e.happened_at) FROM {table} e
                    WHERE e.customer_id = p.customer_id AND {seen}) AS first
            FROM panel p GROUP BY ALL
            """
        ).df()
        known = found["first"].notna()
        assert known.any()
        assert found.fast[~known].isna().all(), name
        np.testing.assert_allclose(found.fast[known], found.plain[known], rtol=1e-9, err_msg=name)


def test_a_few_customers_get_the_same_as_the_whole_book(bank):
    pairs = known_customers(bank, [bank.data_until])
    whole = compute(bank, pairs)
    some = pa.array([3, 77, 12])
    assert same(whole.take(some), compute(bank, pairs.take(some)))


def test_everybody_with_a_visible_event_is_known_and_nobody_else(bank):
    moment = bank.data_until - 300 * 86_400_000_000
    found = set(known_customers(bank, [moment])["customer_id"].to_pylist())
    visible = set()
    for table in bank.tables:
        if table == "outcomes":
            continue
        rows = bank.table(table, ["customer_id", "happened_at", "known_at"])
        clocks = rows.select(["happened_at", "known_at"]).to_pandas()
        seen = (clocks.astype("int64") <= moment).all(axis=1).to_numpy()
        visible |= set(np.array(rows["customer_id"].to_pylist())[seen])
    assert found == visible


def test_a_value_that_is_not_finite_is_missing():
    theme = Theme("trial")
    theme.single("balance_last", Take("last", f"{T}.balance"), WORDS)

    def spoilt(balance_last):
        """某 | Some"""
        return 1.0 / (balance_last - balance_last)

    theme.derived("ratio")(spoilt)
    rows = [row("c", 1, kind="inflow", amount=1.0, balance=3.0)]
    found = computed({T: rows}, [("c", at(2))], Catalogue((theme,)))
    assert found["spoilt"].to_pylist() == [None]


def test_the_age_of_a_date_is_counted_to_as_of():
    rows = [row("c", 0, birth_on=365, joined_at=at(-10))]
    theme = Theme("trial")
    theme.single("age", Take("age", "customers.birth_on", scale=1 / 365.25), WORDS)
    found = computed({"customers": rows}, [("c", at(5))], Catalogue((theme,)))
    days = at(5) / 86_400_000_000 - 365
    assert found["age"][0].as_py() == pytest.approx(days / 365.25)
