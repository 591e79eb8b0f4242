"""Features for training: the panel is computed once, kept by Feast, and read point in time.

Enters: a data set and the targets to learn. Leaves: panels in the workspace, and one matrix a
target. It is the only door between `features` and training.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.policy import Policy
from domain.tiers import TARGETS, Target
from domain.workspace import Workspace
from events.dataset import Dataset
from events.schema import INSTANT
from features.given import catalogue_of, everybody, panel_parts
from features.panel import quiet_duckdb
from features.store import FeatureRoom, matrix, open_room
from features.views import panel_file, themes
from training import segments
from training.categories import FOLDS
from training.claims import FileClaims
from training.fit import Material
from training.people import persons
from training.splits import percents, split
from training.targets import SPECS, grids, labels, why_skipped
from training.truth import on_scale
from training.tune import Problem, constant_columns

KEYS = ["customer_id", "as_of"]
Told = Callable[[str, int, int], None]
"""Progress: what is under way, steps done, steps in all."""


def serving_as_of(dataset: Dataset) -> int:
    """The instant (micros) whose features are served: where the events end.

    Outcomes lie in the future of the events, so they do not move it.
    """
    names = [n for n in dataset.tables if n != "outcomes" and dataset.has(n)]
    files = [str(f) for n in names for f in dataset.files(n)]
    with quiet_duckdb() as db:
        last = db.sql(f"SELECT epoch_us(max(happened_at)) FROM read_parquet({files})").fetchall()
    return int(last[0][0])


def labelled(dataset: Dataset) -> tuple[dict[Target, pa.Table], dict[Target, str]]:
    """The labelled rows of every target the source can have, and why the others are skipped."""
    rows: dict[Target, pa.Table] = {}
    skipped: dict[Target, str] = {}
    train, test = grids(dataset)
    for target in TARGETS:
        reason = why_skipped(dataset, target)
        if reason is None:
            rows[target] = labels(dataset, target, (*train, *test))
        else:
            skipped[target] = reason
    return rows, skipped


def write_features(
    dataset: Dataset,
    workspace: Workspace,
    rows: Mapping[Target, pa.Table],
    told: Told = lambda *_: None,
) -> int:
    """Compute and keep the features of every labelled row, of everybody known today, and of those
    whom segments are fitted on.

    The number of rows of the panel, which never stands whole in memory. A run that was killed goes
    on from the parts that it finished.
    """
    today = everybody(dataset, serving_as_of(dataset))
    asked = [*rows.values(), today, segments.cohort(dataset)]
    requests = pa.concat_tables(t.select(["customer_id", "as_of"]) for t in asked if t is not None)
    requests = requests.group_by(["customer_id", "as_of"]).aggregate([])
    requests = requests.sort_by([("customer_id", "ascending"), ("as_of", "ascending")])
    parts = _followed(panel_parts(dataset, requests, workspace.parts), requests.num_rows, told)
    written = open_room(workspace, os.environ, catalogue_of(dataset)).write(parts)
    shutil.rmtree(workspace.parts, ignore_errors=True)
    return written


def ensure_features(
    dataset: Dataset,
    workspace: Workspace,
    target: Target,
    rows: pa.Table,
    told: Told,
) -> None:
    """Features of `rows` too, where the panel lacks some: dates that only one study asks for.

    Of several workers that begin at once, one computes while the others wait.
    """
    with FileClaims(workspace.root / "features.claims").alone():
        view = themes(catalogue_of(dataset))
        room = open_room(workspace, os.environ, catalogue_of(dataset))
        kept = pq.read_table(panel_file(room.views, next(iter(view))), columns=[*KEYS])
        keys = rows.select(KEYS)
        if keys.join(kept.cast(keys.schema), KEYS, join_type="left anti").num_rows:
            asked = labelled(dataset)[0]
            asked[target] = pa.concat_tables([asked[target], rows])
            write_features(dataset, workspace, asked, told)


def _followed(parts: Iterator[pa.Table], rows: int, told: Told) -> Iterator[pa.Table]:
    """The parts, telling how many rows there are so far."""
    done = 0
    told("features", done, rows)
    for part in parts:
        yield part
        done += part.num_rows
        told("features", done, rows)


def material(
    dataset: Dataset,
    workspace: Workspace,
    target: Target,
    rows: pa.Table,
    seed: int,
    names: Sequence[str] | None = None,
) -> Material:
    """One target's matrix, read through Feast as of each row, and its split.

    `names`: the features to learn from [all that the target may use]. Those that hold one value on
    the fit rows are dropped and named.
    """
    plan = dataset.plan
    test = grids(dataset)[1]
    ids = rows["customer_id"].to_pylist()
    who = persons(dataset, ids)
    parted = pa.table({"customer_id": who, "as_of": rows["as_of"], "y": rows["y"]})
    parts = split(parted, plan, plan.targets[target].horizon_days, min(test, default=0), seed)
    catalogue = catalogue_of(dataset)
    names = catalogue.for_target(target) if names is None else names
    room = open_room(workspace, os.environ, catalogue)
    X = matrix(room.historical(rows.select(KEYS), names), names)
    dropped = constant_columns(X[parts.fit], names)
    kept = [i for i, n in enumerate(names) if n not in dropped]
    used = tuple(names[i] for i in kept)
    problem = Problem(
        X=np.ascontiguousarray(X[:, kept]),
        y=rows["y"].to_numpy(),
        names=used,
        monotone=catalogue.monotone(target, used),
        is_amount=SPECS[target].is_amount,
        categories=catalogue.categories(used),
        parts=percents("categories", who) % FOLDS,
    )
    as_of = rows["as_of"].cast(INSTANT).cast(pa.int64()).to_numpy()
    learners = np.concatenate([parts.fit, parts.calibration])
    return Material(
        target=target,
        problem=problem if plan.season == "none" else on_scale(problem, as_of, learners),
        customers=who,
        as_of=as_of,
        split=parts,
        dropped=dropped,
        ids=ids,
    )


def values(
    made: Material, rows: NDArray[np.int64], names: Sequence[str], room: FeatureRoom
) -> pa.Table:
    """Features of rows of a material, whether it learns from them or not, as of each row."""
    who = pa.array([made.ids[r] for r in rows.tolist()], pa.string())
    asked = {"customer_id": who, "as_of": pa.array(made.as_of[rows]).cast(INSTANT)}
    return room.historical(pa.table(asked), names)


def stages(
    made: Material, rows: NDArray[np.int64], policy: Policy, room: FeatureRoom
) -> list[str]:  # fmt: skip
    """The lifecycle stage of rows by a policy."""
    read = sorted({c.feature for rule in policy.stages for c in rule.when})
    if not read:
        return [policy.stage({}).name] * len(rows)
    return [policy.stage(row).name for row in values(made, rows, read, room).to_pylist()]
