"""Leaks: what a feature, a date, a split or a person tells of the future or of the test.

Enters: a data set with its labelled rows, or one target's material. Leaves: findings, each with its
place and figure, and the figures of what is fine. A finding that is sure stops a training unless
somebody accepts it in writing; the others are told. docs/leakage.md says how each is found. The
test takes no part in any figure but in counting who stands on two sides. Each family of checks has
a module of its own; here they are put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from domain.errors import NotEnoughDataError
from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import Dataset
from training import leak_pairs
from training.canary import moved, sample
from training.findings import Finding, Leaks
from training.fit import Material
from training.leak_dates import future_dated
from training.leak_names import names_outcome, tells_the_past
from training.leak_pairs import COPY_AUC
from training.leak_persons import same_person, told_by_id
from training.leak_values import learning_rows, learnt_rows, of_values
from training.matrix import labelled, material
from training.splits import Split

SINGLE_AUC = 0.93
"""From here on it is told. The best single feature of the public sets reaches 0.87."""
NAMED_AUC = 0.65
"""A feature with the name of an outcome stops from here on, and is told below."""
CANARIES = 100
PAST_AUC = 0.80
"""One that says it is of the past stops only from here on: a history seldom ranks so well alone."""


def of_source(dataset: Dataset, rows: Mapping[Target, pa.Table]) -> Leaks:
    """What is found without a matrix: the canary, dates after as_of, one person under many ids."""
    if not rows:
        return Leaks()
    dated, checked = future_dated(dataset)
    shared, crossing = same_person(dataset, rows)
    sung, canaries = _canary(dataset, rows)
    by_id = [f for t, table in rows.items() if (f := told_by_id(t, table)) is not None]
    figures = {"canary": canaries, "dated_columns": checked, "same_person": crossing}
    return Leaks((*sung, *dated, *shared, *by_id), figures)


def of_target(dataset: Dataset, made: Material) -> Leaks:
    """What is found in one target's matrix: ids on two sides, and features that tell too much."""
    both, shared = overlap(made.target, made.customers, made.split)
    rows = learning_rows(made)
    features = [
        _feature(dataset, made.target, n, a) for n, a in zip(rows.names, rows.alone, strict=True)
    ]
    best = int(np.argmax(rows.alone))
    figures = {
        "overlap": shared,
        "highest_single_auc": {
            "feature": rows.names[best], "auc": round(float(rows.alone[best]), 4),
        },
    }  # fmt: skip
    told = [f for f in features if f is not None]
    if np.unique(rows.y).size == 2:
        told += [*of_values(made, rows), *_together(made, rows)]
    return Leaks((*both, *_foremost(told)), {made.target: figures})


def _foremost(findings: Sequence[Finding]) -> Iterable[Finding]:
    """Of each place one finding: the first that is sure, or the first."""
    return {f.where: f for f in sorted(reversed(findings), key=lambda f: f.is_sure)}.values()


def _together(made: Material, rows: leak_pairs.Rows) -> Iterator[Finding]:
    """Features that are the outcome by another one, or in a part of the rows."""
    when = made.as_of[learnt_rows(made)].astype(np.float64)
    found = (
        ("copy_by_pair", "the {how} with {other}", leak_pairs.pairs(rows)),
        ("copy_in_part", "where {other} is {how}", leak_pairs.parts(rows, {"as_of": when})),
        ("copy_in_level", "inside the levels of {other}", leak_pairs.levels(rows)),
    )
    for check, by, those in found:
        for f in those:
            said = (
                f"{by.format(how=f.how, other=f.other)} ranks at an AUC of {f.auc:.3f}: the "
                "outcome by another name; leave it out"
            )
            yield Finding(check, f"{made.target}, {f.name}", said, round(f.auc, 4), is_sure=True)


def _canary(
    dataset: Dataset, rows: Mapping[Target, pa.Table]
) -> tuple[list[Finding], dict[str, int]]:
    """Of at most `CANARIES` customers of any target, each at one of its as_of."""
    pairs = sample(rows.values(), CANARIES)
    said = "moves when events after as_of, or known after it, are planted: it sees the future"
    found = [Finding("canary", n, said, 1.0, is_sure=True) for n in moved(dataset, pairs)]
    return found, {"customers": pairs.num_rows, "moved": len(found)}


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
