"""One person under several ids on two sides of a split, and outcomes that an id or a group tells.

Enters: a data set with its labelled rows. Leaves: findings and figures. Persons are found by how
ids are written, by what is known of customers (`training.twins`, `training.near_twins`), and by
their events: the same amounts, or the same instants, in whatever order or on whatever days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.tiers import Target
from events.dataset import Dataset
from events.schema import PERSON_ID
from training import metrics
from training.findings import Finding
from training.near_twins import near_twins
from training.people import persons, profile
from training.splits import percents
from training.twins import across, codes_of, same_ids, twins

Ints = NDArray[np.int64]
Pairs = dict[tuple[str, str], float]
SHARED_STOPS, SHARED_TOLD = 0.005, 0.001
"""Of the unseen customers, who are also learnt from under another id."""
LEAST_SHARED, LEAST_PART, WHOLE = 5, 0.5, 0.9
"""Rare amounts or instants that two histories share, and of the shorter one's how many; from so
many of all its values on they are one history."""
RARE_AMOUNT, RARE_INSTANT = 20, 3
"""An amount tells a person where at most so many customers have it; an instant of a batch job,
as of salaries, tells nobody."""
ID_AUC, ID_ROWS = 0.75, 200
CROWD = 50
"""Ids that one `person_id` may have; a placeholder has more."""
TIMES_OF_DAY = 1_000
"""Instants tell a person only where they have so many; days do not."""


def same_person(
    dataset: Dataset, rows: Mapping[Target, pa.Table]
) -> tuple[list[Finding], dict[str, int]]:
    """Unseen customers (with folds: any) who also stand elsewhere under another id."""
    customers = sorted({c for t in rows.values() for c in pc.unique(t["customer_id"]).to_pylist()})
    place = {c: i for i, c in enumerate(customers)}
    who = persons(dataset, customers)
    asked = percents(dataset.plan.split_key, who) < dataset.plan.test_percent
    sides = asked.astype(np.int64)
    if dataset.plan.split == "folds":
        asked = np.ones(len(who), dtype=bool)
        sides = np.unique(np.array(who, dtype=str), return_inverse=True)[1]
    known = profile(dataset)
    at = np.array([place.get(c, -1) for c in known["customer_id"].to_pylist()], dtype=np.int64)
    known, at = known.drop_columns(["customer_id"]).filter(pa.array(at >= 0)), at[at >= 0]
    linked, known, crowd = _linked(known, sides[at])
    alike = same_ids(customers, sides)
    codes = codes_of(known)
    near, sample = near_twins(codes, sides[at])
    same, moved = same_histories(dataset, place)
    pairs = np.concatenate([at[twins(codes, sides[at])], at[near], at[linked], same, alike])
    both, later = (
        int(asked[np.unique(p[sides[p[:, 0]] != sides[p[:, 1]]])].sum()) for p in (pairs, moved)
    )
    by_id, by_person = (int(asked[np.unique(p)].sum()) for p in (alike, at[linked]))
    unseen = int(asked.sum())
    figures = {"unseen": unseen, "also_learnt_from": both, "by_id": by_id,
               "by_person_id": by_person, "alike": later, "crowd": crowd}  # fmt: skip
    share = both / max(unseen, 1)
    if sample.size:
        share = max(share, float(np.isin(sample, near).mean()))
    return [*_persons(figures, share)], figures


def _persons(figures: Mapping[str, int], share: float) -> Iterator[Finding]:
    """What the figures say; `share`: of the unseen, those who are learnt from under another id."""
    unseen, later, crowd = (figures[n] for n in ("unseen", "alike", "crowd"))
    by_id, by_person = figures["by_id"], figures["by_person_id"]
    if share >= SHARED_TOLD:
        said = (
            f"{figures['also_learnt_from']} of {unseen} unseen customers are learnt from under "
            "another id: name the columns that tell a person in `person_columns` of the plan"
        )
        if by_id:
            said += f"; {by_id} of the ids differ only in how they are written: write each one way"
        if by_person:
            said += f'; {by_person} have the same `person_id`: say person_columns = ["person_id"]'
        is_sure = share >= SHARED_STOPS
        yield Finding("same_person", "customer_id", said, round(share, 4), is_sure)
    if later / max(unseen, 1) >= SHARED_TOLD:
        said = (
            f"{later} of {unseen} unseen customers share much of a history with one who is learnt "
            "from, or have the same statements in other months: they may be one person"
        )
        figure = round(later / unseen, 4)
        yield Finding("same_person", "histories", said, figure, is_sure=False)
    if crowd > CROWD:
        said = (
            f"one value stands for {crowd} ids: no person has so many; leave it empty where nobody "
            "knows it"
        )
        yield Finding("same_person", "person_id", said, float(crowd), is_sure=False)


def _linked(known: pa.Table, sides: Ints) -> tuple[Ints, pa.Table, int]:
    """Pairs of rows on different sides (n,) that have one `person_id`, the other columns, and how
    many rows the commonest one has; such a crowd links nobody."""
    if PERSON_ID.name not in known.column_names:
        return np.empty((0, 2), dtype=np.int64), known, 0
    ids = known[PERSON_ID.name].combine_chunks().dictionary_encode()
    code = pc.fill_null(ids.indices, -1).to_numpy().astype(np.int64)
    counts = np.bincount(code[code >= 0], minlength=1)
    code[np.isin(code, np.flatnonzero(counts > CROWD))] = -1
    return across(code, sides), known.drop_columns([PERSON_ID.name]), int(counts.max())


def same_histories(dataset: Dataset, place: Mapping[str, int]) -> tuple[Ints, Ints]:
    """Pairs of customers of one history: of the same amounts on whatever days, or instants, or of
    the same statements; and those who share much of one, or have it in other months."""
    same: Pairs = {}
    statements: Pairs = {}
    with duckdb.connect() as db:
        db.execute("SET threads = 1")
        if dataset.has("transactions"):
            same = _shared(db, dataset, "transactions", ("kind", "amount"), RARE_AMOUNT)
            if _has_times(db, dataset):
                same |= _shared(db, dataset, "transactions", ("happened_at",), RARE_INSTANT)
        if dataset.has("statements"):
            statements = _shared(db, dataset, "statements", ("bill",), RARE_AMOUNT)
            in_time = _shared(db, dataset, "statements", ("happened_at", "bill"), RARE_AMOUNT)
            same |= {p: part for p, part in statements.items() if p in in_time}
    whole = {p for p, part in same.items() if part >= WHOLE}
    return _places(whole, place), _places({*same, *statements} - whole, place)


def _places(pairs: set[tuple[str, str]], place: Mapping[str, int]) -> Ints:
    found = [(place[a], place[b]) for a, b in sorted(pairs) if a in place and b in place]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _has_times(db: duckdb.DuckDBPyConnection, dataset: Dataset) -> bool:
    """Whether transactions have a time of day."""
    files = [str(f) for f in dataset.files("transactions")]
    found = db.sql(
        f"SELECT count(DISTINCT epoch_us(happened_at) % 86400000000) FROM read_parquet({files})"
    ).fetchall()
    return bool(found[0][0] >= TIMES_OF_DAY)


def _shared(
    db: duckdb.DuckDBPyConnection, dataset: Dataset, table: str, told: tuple[str, ...], most: int
) -> Pairs:
    """Pairs whose histories share half of the shorter one's values, the rare ones, or have the very
    same values: at least some, and so many that chance would not make one such pair.

    A value that f of N customers have tells `log2(N / f)` bits, less in a long history. Of n values
    some are shared in fewer than 2^n ways, and there are fewer than N^2 pairs. With each pair goes
    the part of the shorter one's values that both have.
    """
    files = [str(f) for f in dataset.files(table)]
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE t AS SELECT DISTINCT customer_id AS c, "
        f"hash({', '.join(told)}) AS h FROM read_parquet({files}) WHERE superseded_at IS NULL "
        f"AND {told[-1]} IS NOT NULL"
    )
    return {(a, b): part for a, b, part in db.sql(_PAIRS.format(most=most)).fetchall()}


_PAIRS = f"""
    WITH every AS (SELECT count(DISTINCT c) AS n, count(*) / count(DISTINCT c) AS mean FROM t),
         f AS (SELECT h, count(*) AS n FROM t GROUP BY ALL),
         w AS (SELECT c, h, f.n, log2(every.n / f.n) AS bits FROM t JOIN f USING (h), every),
         k AS (SELECT c, count(*) AS n, sum(bits) AS bits, sum(h::HUGEINT) AS whole
               FROM w GROUP BY ALL HAVING count(*) >= {LEAST_SHARED}),
         r AS (SELECT * FROM w WHERE n BETWEEN 2 AND {{most}}),
         p AS (SELECT x.c AS a, y.c AS b, count(*) AS n, sum(x.bits) AS bits
               FROM r x JOIN r y ON x.h = y.h AND x.c < y.c GROUP BY ALL
               HAVING count(*) >= {LEAST_SHARED}),
         q AS (SELECT a, b, p.n, least(one.n, two.n) AS short, p.bits
               - p.n * log2(greatest(1, greatest(one.n, two.n) / every.mean)) AS bits
               FROM p JOIN k one ON one.c = a JOIN k two ON two.c = b, every)
    SELECT a, b, (SELECT count(*) FROM t x JOIN t y ON x.h = y.h AND x.c = a AND y.c = b) / short
    FROM q, every WHERE q.n >= {LEAST_PART} * short AND bits >= 2 * log2(every.n) + short
    UNION
    SELECT *, 1.0 FROM (
        SELECT min(c) OVER (PARTITION BY k.n, whole) AS a, c AS b FROM k, every
        WHERE bits >= 2 * log2(every.n)
    ) WHERE a <> b
"""


def told_by_id(target: Target, table: pa.Table) -> Finding | None:
    """Where the number in the id, or its letters, ranks the outcomes: ids were given, or rows
    sorted, by outcome."""
    ids, y = table["customer_id"].to_pylist(), table["y"].to_numpy().astype(np.float64)
    y = (y > np.median(y)).astype(np.float64) if np.unique(y).size > 2 else y
    if len(y) < ID_ROWS or np.unique(y).size < 2:
        return None
    best = max(_either(_numbers(ids), y), _either(_letters(ids), y))
    if best < ID_AUC:
        return None
    said = (
        f"the id itself ranks the outcome at an AUC of {best:.3f}: no feature reads it, but ids "
        "were given or rows gathered by outcome; ask how the two groups were drawn"
    )
    return Finding("told_by_id", f"{target}, customer_id", said, round(best, 4), is_sure=False)


def _either(score: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    found = metrics.auc(y, score)(np.ones(len(y)))
    return max(found, 1 - found)


def _numbers(ids: Sequence[str]) -> NDArray[np.float64]:
    """The last number of each id."""
    found = [re.findall(r"\d+", i) for i in ids]
    return np.array([float(f[-1][-15:]) if f else -1.0 for f in found])


def _letters(ids: Sequence[str]) -> NDArray[np.float64]:
    """What stands before the last number, by its order."""
    return np.unique([re.sub(r"\d.*", "", i) for i in ids], return_inverse=True)[1].astype(float)
