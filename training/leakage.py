"""Leaks: what a feature, a date, a split or a person tells of the future or of the test.

Enters: a data set with its labelled rows, or one target's material. Leaves: findings, each with its
place and figure, and the figures of what is fine. A finding that is sure stops a training unless
somebody accepts it in writing; the others are told. docs/leakage.md says how each is found. The
test takes no part in any figure but in counting who stands on two sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, to_micros
from domain.errors import Fault, InputError, NotEnoughDataError
from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import SUPERSEDED, Dataset
from events.given import GIVEN
from training import metrics
from training.canary import moved
from training.categories import encoded
from training.fit import Material
from training.leak_names import names_outcome, tells_the_past
from training.matrix import labelled, material
from training.people import persons, profile
from training.splits import Split, percents
from training.twins import same_ids, twins

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
COPY_AUC = 0.98
"""A feature that ranks so well alone is the outcome by another name: it stops."""
SINGLE_AUC = 0.93
"""From here on it is told. The best single feature of the public sets reaches 0.87."""
NAMED_AUC = 0.65
"""A feature with the name of an outcome stops from here on, and is told below."""
PAST_AUC = 0.80
"""One that says it is of the past stops only from here on: a history seldom ranks so well alone."""
AUC_ROWS, BINS, CODE_ROWS = 20_000, 64, 5
"""Of a column with at least so many rows a value, each value is a bin of its own too."""
SHARED_STOPS, SHARED_TOLD = 0.005, 0.001
"""Of the unseen customers, who are also learnt from under another id."""
DATED_STOPS = 0.001
CANARIES = 100
LEAST_AMOUNTS = 5
CLOCKS = ("happened_at", "known_at", SUPERSEDED)


@dataclass(frozen=True)
class Finding:
    """A leak, or what looks like one: its check, place, figure; `is_sure`: it stops a training."""

    check: str
    where: str
    said: str
    figure: float
    is_sure: bool


@dataclass(frozen=True)
class Leaks:
    """Everything found, and the figures of every check, the quiet ones too."""

    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """Those that stop a training."""
        return tuple(f for f in self.findings if f.is_sure)

    def __add__(self, other: Leaks) -> Leaks:
        return Leaks((*self.findings, *other.findings), {**self.figures, **other.figures})

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON for the card; the same for the same data and seed."""
        told = [asdict(f) for f in self.findings]
        return {
            "alarms": [f for f in told if f["is_sure"]],
            "told": [f for f in told if not f["is_sure"]],
            "figures": dict(self.figures),
        }

    def tags(self, target: Target) -> dict[str, str]:
        """What a training of the target is found by in MLflow."""
        best = self.figures[target]["highest_single_auc"]
        return {
            "leakage.alarms": " ".join(sorted({f.check for f in self.alarms})) or "none",
            "leakage.told": " ".join(
                sorted({f.check for f in self.findings} - {f.check for f in self.alarms})
            )
            or "none",
            "leakage.highest_single_auc": f"{best['auc']:.4f} {best['feature']}",
        }

    def check(self, *, accepted: bool) -> Leaks:
        """These findings, where none is sure or somebody accepts them.

        Raises:
            InputError: every sure one, with its place.
        """
        if self.alarms and not accepted:
            faults = tuple(Fault(f.where, f.check, f.said) for f in self.alarms)
            raise InputError(
                "the data tells the future or the test; mend these places, or say with --accept "
                "why it does not matter:",
                faults,
            )
        return self


def of_source(dataset: Dataset, rows: Mapping[Target, pa.Table]) -> Leaks:
    """What is found without a matrix: the canary, dates after as_of, one person under many ids."""
    if not rows:
        return Leaks()
    dated, checked = _future_dated(dataset)
    shared, crossing = _same_person(dataset, rows)
    sung, canaries = _canary(dataset, rows)
    figures = {"canary": canaries, "dated_columns": checked, "same_person": crossing}
    return Leaks((*sung, *dated, *shared), figures)


def of_target(dataset: Dataset, made: Material) -> Leaks:
    """What is found in one target's matrix: ids on two sides, and features that tell too much."""
    both, shared = overlap(made.target, made.customers, made.split)
    names = [*made.problem.names]
    found = aucs(made)
    features = [_feature(dataset, made.target, n, a) for n, a in zip(names, found, strict=True)]
    best = int(np.argmax(found))
    figures = {
        "overlap": shared,
        "highest_single_auc": {"feature": names[best], "auc": round(float(found[best]), 4)},
    }
    told = tuple(f for f in features if f is not None)
    return Leaks((*both, *told), {made.target: figures})


def _canary(
    dataset: Dataset, rows: Mapping[Target, pa.Table]
) -> tuple[list[Finding], dict[str, int]]:
    """Of at most `CANARIES` customers of a target, each at the first of its as_of."""
    table = next(iter(rows.values()))
    first = table.group_by("customer_id").aggregate([("as_of", "min")]).sort_by("customer_id")
    some = first.take(pa.array(range(0, first.num_rows, -(-first.num_rows // CANARIES))))
    pairs = pa.table({"customer_id": some["customer_id"], "as_of": some["as_of_min"]})
    said = "moves when events after as_of, or known after it, are planted: it sees the future"
    found = [Finding("canary", n, said, 1.0, is_sure=True) for n in moved(dataset, pairs)]
    return found, {"customers": pairs.num_rows, "moved": len(found)}


def _future_dated(dataset: Dataset) -> tuple[list[Finding], list[str]]:
    """Date columns with values after the row was known."""
    found, checked = [], []
    for where, ahead in _days_ahead(dataset):
        checked.append(where)
        share = float((ahead > 0).mean())
        if share > 0:
            said = (
                f"{(ahead > 0).sum()} of its {ahead.size} dates lie after as_of, up to "
                f"{ahead.max():.0f} days: leave the column out, or say when each value became known"
            )
            found.append(
                Finding("future_dated", where, said, round(share, 4), is_sure=share >= DATED_STOPS)
            )
    return found, checked


def _days_ahead(dataset: Dataset) -> Iterator[tuple[str, Floats]]:
    """Every date column's values that are there, in days after the row was known."""
    given = dataset.given
    if given is not None:
        as_of = to_micros(given.as_of) / MICROS_PER_DAY
        rows = dataset.table(GIVEN)
        for column in given.columns:
            values = rows[column.name].drop_null().to_numpy()
            days = -values if column.days_since else _as_days(values)
            if days is not None and values.size:
                yield f"{GIVEN}.{column.name}", days if column.days_since else days - as_of
        return
    if not dataset.has("customers"):
        return
    rows = dataset.table("customers")
    for name in rows.schema.names:
        if pa.types.is_temporal(rows.schema.field(name).type) and name not in CLOCKS:
            gaps = pc.subtract(
                rows[name].cast(pa.timestamp("us")).cast(pa.int64()),
                rows["known_at"].cast(pa.int64()),
            ).drop_null()
            if len(gaps):
                yield f"customers.{name}", gaps.to_numpy() / MICROS_PER_DAY


def _as_days(values: Floats) -> Floats | None:
    """Days since 1970 of numbers that are all written as 20200131 or as 202001, or all seconds or
    milliseconds between 1989 and 2079; None where they are something else."""
    if not values.size or not np.isfinite(values).all() or (values != np.round(values)).any():
        return None
    kinds, place = np.unique(values, return_inverse=True)
    for first, last, form in ((19_000_101, 21_001_231, "%Y%m%d"), (190_001, 210_012, "%Y%m")):
        if kinds.size > 1 and kinds[0] >= first and kinds[-1] <= last:
            texts = kinds.astype(np.int64).astype(str)
            days = pd.to_datetime(pd.Series(texts), format=form, errors="coerce").to_numpy()
            if not np.isnat(days).any():
                return days.astype("datetime64[D]").astype(np.float64)[place]
    for scale in (86_400.0, 86_400e3):
        if kinds.size > 1 and kinds[0] / scale >= 7_000 and kinds[-1] / scale <= 40_000:
            return np.asarray(values / scale)
    return None


def _same_person(
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
    alike = same_ids(customers, sides)
    pairs = np.concatenate([at[twins(known, sides[at])], _same_history(dataset, place), alike])
    crossing = pairs[sides[pairs[:, 0]] != sides[pairs[:, 1]]]
    both = int(asked[np.unique(crossing)].sum())
    by_id = int(asked[np.unique(alike)].sum())
    figures = {"unseen": int(asked.sum()), "also_learnt_from": both, "by_id": by_id}
    share = both / max(int(asked.sum()), 1)
    if share < SHARED_TOLD:
        return [], figures
    said = (
        f"{both} of {asked.sum()} unseen customers are learnt from under another id: name the "
        "columns that tell a person in `person_columns` of the plan"
    )
    if by_id:
        said += f"; {by_id} of the ids differ only in how they are written: write each one way"
    is_sure = share >= SHARED_STOPS
    return [Finding("same_person", "customer_id", said, round(share, 4), is_sure)], figures


def _same_history(dataset: Dataset, place: Mapping[str, int]) -> Ints:
    """Pairs of customers with the very same transactions, of at least some different amounts."""
    if not dataset.has("transactions"):
        return np.empty((0, 2), dtype=np.int64)
    files = [str(f) for f in dataset.files("transactions")]
    with duckdb.connect() as db:
        db.execute("SET threads = 1")
        found = db.sql(
            "WITH h AS (SELECT customer_id, count(*) AS n, "
            "bit_xor(hash(happened_at, kind, amount)) AS x, sum(amount) AS s "
            f"FROM read_parquet({files}) WHERE superseded_at IS NULL GROUP BY ALL "
            f"HAVING count(DISTINCT amount) >= {LEAST_AMOUNTS}) "
            "SELECT min(customer_id) OVER (PARTITION BY n, x) AS a, customer_id AS b FROM h "
            "QUALIFY a <> b ORDER BY a, b"
        ).fetchall()
    pairs = [(place[a], place[b]) for a, b in found if a in place and b in place]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def overlap(target: Target, customers: Sequence[str], split: Split) -> tuple[list[Finding], int]:
    """Who stands in two parts that must share nobody; with folds, on both sides of one."""
    who = np.unique(np.asarray(customers, dtype=str), return_inverse=True)[1]
    unseen = np.concatenate([split.test_unseen, split.earlier_unseen])
    parts = [("fit", split.fit), ("calibration", split.calibration), ("unseen", unseen)]
    sides = [
        (f"{a} and {b}", left, right)
        for i, (a, left) in enumerate(parts)
        for b, right in parts[i + 1 :]
        if not split.folds
    ]
    sides += [(f"fold {k}", learn, tested) for k, (learn, tested) in enumerate(split.folds)]
    found, total = [], 0
    for name, left, right in sides:
        shared = np.intersect1d(who[left], who[right]).size
        total += shared
        if shared:
            said = f"{shared} customers stand on both sides: part rows by customer"
            where = f"{target}, {name}"
            found.append(Finding("overlap", where, said, float(shared), is_sure=True))
    return found, total


def aucs(made: Material) -> Floats:
    """How well each feature alone ranks learning rows, 0.5 to 1: as it stands, or in bins.

    In bins, missing values being one, a value's rank is the mean outcome of the other half of the
    customers. An amount counts as good above its median.
    """
    fit = made.split.fit
    rows = fit[:: -(-fit.size // AUC_ROWS)]
    y = made.problem.y[rows]
    if made.problem.is_amount:
        y = (y > np.median(y)).astype(np.float64)
    if np.unique(y).size < 2:
        return np.full(len(made.problem.names), 0.5)
    half = percents("leakage", [made.customers[r] for r in rows]) % 2
    told = encoded(made.problem, rows).X[rows]
    return np.array([_auc(x, y, half) for x in told.T])


def _auc(x: Floats, y: Floats, half: Ints) -> float:
    even = np.ones(len(y))
    plain = metrics.auc(y, np.where(np.isnan(x), -np.inf, x))(even)
    known = x[~np.isnan(x)]
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if known.size else known
    code = np.where(np.isnan(x), len(cuts) + 1, np.searchsorted(cuts, x))
    kinds, exact = np.unique(x, return_inverse=True)
    codes = [code, exact] if kinds.size <= len(y) / CODE_ROWS else [code]
    return max(plain, 1 - plain, *(metrics.auc(y, _by_code(c, y, half))(even) for c in codes))


def _by_code(code: Ints, y: Floats, half: Ints) -> Floats:
    """Of every row the mean outcome of its code among the other half of the customers."""
    score = np.empty(len(y))
    for side in (0, 1):
        rows, others = half == side, half != side
        n = np.bincount(code[others], minlength=int(code.max()) + 1)
        good = np.bincount(code[others], weights=y[others], minlength=int(code.max()) + 1)
        score[rows] = ((good + 5 * y.mean()) / (n + 5))[code[rows]]
    return score


def _feature(dataset: Dataset, target: Target, name: str, auc: float) -> Finding | None:
    """What one feature's name and ranking say together."""
    theirs = {c.name: c.column for c in dataset.given.columns} if dataset.given else {}
    named = next((n for n in (name, theirs.get(name, name)) if names_outcome(n)), None)
    figure, where = round(float(auc), 4), f"{target}, {name}"
    if auc >= COPY_AUC:
        said = f"alone it ranks at an AUC of {auc:.3f}: the outcome by another name; leave it out"
        return Finding("copy_of_label", where, said, figure, is_sure=True)
    if named is not None:
        said = f"has the name of an outcome and alone ranks at an AUC of {auc:.3f}: leave it out"
        is_sure = figure >= (PAST_AUC if tells_the_past(named) else NAMED_AUC)
        return Finding("outcome_name", where, said, figure, is_sure=is_sure)
    if auc >= SINGLE_AUC:
        said = f"alone it ranks at an AUC of {auc:.3f}: ask when its values became known"
        return Finding("single_feature", where, said, figure, is_sure=False)
    return None


def find_leaks(dataset: Dataset, workspace: Workspace, seed: int) -> Leaks:
    """Everything that a training of the source would find, over features already kept."""
    rows, _ = labelled(dataset)
    found = of_source(dataset, rows)
    for target, table in rows.items():
        try:
            made = material(dataset, workspace, target, table, seed)
        except NotEnoughDataError:
            continue
        found += of_target(dataset, made)
    return found
