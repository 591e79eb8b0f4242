"""Tierline and its peers on the same rows of the public data sets: figures, time, size.

    python -m experiments.field --trials 20 --out field-results

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: docs/field.md, and a JSON a set in
`--out`: a run that was stopped goes on from those. Everybody gets the same matrix of Tierline's
features and the same test rows. Peers learn from every training row; Tierline's trees learn without
the customers that calibrate. Seconds are those of one core.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import optuna
from flaml import AutoML
from sklearn.model_selection import StratifiedGroupKFold

from domain.asof import iso
from domain.errors import NotEnoughDataError
from domain.settings import DATA
from experiments.classical import published
from experiments.field_case import Case, Options, Scored, cases, drawn
from experiments.field_page import FLAML, OURS, PUBLISHED, Row, goals, write
from scoring.tree_shap import explain as explain_trees
from training import learners, metrics
from training.baselines import PEERS, USUAL, Baselines
from training.categories import encoded
from training.draws import interval
from training.fit import (
    FOLD_TRIALS,
    crossed,
    evidence,
    fit_scorer,
    fold_evidence,
    fold_margin,
)
from training.kept import Budget
from training.learners import Floats, Learner, Learnt
from training.splits import FOLDS, Index, percents
from training.tune import (
    Best,
    Search,
    best_of,
    fit_booster,
    inner_folds,
    make_study,
    slowly,
    tune,
)

SETS = (
    "online_retail_ii", "taiwan_credit_default", "give_me_some_credit", "credit_card_approval",
    "av_bank_churn", "bankchurners", "berka",
)  # fmt: skip

TAKE_MISSING = ("lgbm", "xgboost", "xgb_limitdepth", "catboost", "rf", "extra_tree")
LEAST_SECONDS = 10.0
BOUGHT = ("value", "churn")
PENALTY = 0.01
"""Of the published buying model: with it, it ranks value best."""
EXPLAINED = 1000
"""Rows that are explained together to see what one explanation costs."""


@click.command()
@click.option(
    "--data", default=lambda: DATA.read(os.environ), help="folder of the public data sets"
)
@click.option("--trials", default=20, show_default=True, help="trials of each study")
@click.option("--flaml", "seconds", type=float, help="seconds of FLAML [as long as Tierline took]")
@click.option("--quick", is_flag=True, help="five trials")
@click.option("--sets", default=",".join(SETS), show_default=True, help="which data sets")
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="keep the JSON of every target here")
def main(data: str, quick: bool, sets: str, out: Path | None, **how: Any) -> None:
    """Measure everybody on every data set and write docs/field.md."""
    options = Options(5 if quick else how["trials"], how["seconds"], how["seed"])
    asked = sets.split(",")
    if unknown := {*asked} - {*SETS}:
        raise click.BadParameter(f"{sorted(unknown)}: choose from {', '.join(SETS)}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = list(_told(asked, Path(data), folder, options))
    told = f"--trials {options.trials}" + (f" --flaml {how['seconds']:g}" if how["seconds"] else "")
    told += "" if {*asked} == {*SETS} else f" --sets {sets}"
    for words, figure, met in goals(rows):
        print("met:    " if met else "not met:", f"{words}: {figure}")
    print(json.dumps(write(rows, told)))


def _told(asked: list[str], data: Path, out: Path, options: Options) -> Iterator[Row]:
    """The results of all sets; after each set a line: minutes spent and, were all alike, left."""
    begun = time.monotonic()
    for done, source in enumerate(asked, 1):
        yield from measured(source, data / source, out, options)
        spent = (time.monotonic() - begun) / 60
        left = spent / done * (len(asked) - done)
        told = f"{source}: {done} of {len(asked)} sets in {spent:.1f} min, about {left:.1f} left"
        print(told, flush=True)


def measured(source: str, data: Path, out: Path, options: Options) -> Iterator[Row]:
    """The results of every target of a source, from their files where they were measured before."""
    words = f"{options.trials}-{options.flaml_seconds or 0:g}-{options.seed}"
    done = out / f"{source}-{words}.json"
    if not done.is_file():
        found = []
        with tempfile.TemporaryDirectory() as home:
            for case in cases(source, data, Path(home), options.seed):
                found.append({"source": source, **compare(case, options)})
        done.write_text(json.dumps(found, indent=1), encoding="utf-8")
    yield from json.loads(done.read_text(encoding="utf-8"))


def compare(case: Case, options: Options) -> Row:
    """Everybody's figures on the test rows, and the paired differences of Tierline to them."""
    made = case.material
    print(made.target, OURS, FLAML, flush=True)
    ours, best = tierline(case, options)
    said = {OURS: ours, FLAML: flaml(case, options, ours.wall)}
    for learner in (*USUAL, *learners.PEERS.values()):
        if learner.name in PEERS and learner.can(case.task(case.pairs[0][0])):
            print(made.target, learner.name, flush=True)
            said[learner.name] = peer(case, learner, options.seed)
    if made.target in BOUGHT and case.dataset.has("transactions"):
        said[PUBLISHED] = classical_model(case)
    measure = drawn(case)
    figures = {name: measure(s.score) for name, s in said.items()}
    return {
        "target": made.target,
        "metric": "Spearman" if made.problem.is_amount else "AUC",
        "test_rows": len(case.tested),
        "learn_rows": len(case.pairs[0][0]),
        "agreement": agreement(case, ours.score, best, options.seed),
        "curve": {
            name: [(seconds, float(measure(score, 0)[0])) for seconds, score in s.curve]
            for name, s in said.items()
            if s.curve
        },
        "learners": {
            name: {
                "figure": figures[name][0],
                "interval": interval(figures[name][1:]),
                "difference": figures[OURS][0] - figures[name][0],
                "difference_interval": interval(figures[OURS][1:] - figures[name][1:]),
                "seconds": s.seconds,
                "size": s.size,
                "explain_ms": s.explain_ms,
            }
            for name, s in said.items()
        },
    }


def tierline(case: Case, options: Options) -> tuple[Scored, Best]:
    """The chain: tuned inside its learning rows, fitted, calibrated; with what each trial reached,
    and its winner.

    With folds every fold tunes by itself, as `training/fit.py` has it.
    """
    made = case.material
    trials = FOLD_TRIALS if made.split.folds else options.trials
    repeats = max(1, len(case.pairs) // FOLDS)
    scores, spent = np.zeros((trials, len(made.problem.y))), np.zeros(trials)
    wall = 0.0
    for number, (learn, tested) in enumerate(case.pairs):
        begun = time.monotonic()
        steps = _steps(case, learn if made.split.folds else made.split.fit, number, options)
        wall += time.monotonic() - begun
        fits = {id(best): _fitted(case, best, learn, tested, options.seed) for _, best in steps}
        for k, (searched, best) in enumerate(steps):
            seconds, found = fits[id(best)]
            spent[k] += searched + seconds
            scores[k, tested] += found / repeats
    booster = fit_booster(made.problem, case.pairs[0][0], steps[-1][1], options.seed)
    X = encoded(made.problem, case.pairs[0][0]).X[case.tested[:EXPLAINED]]
    explain_trees(booster, X[:40])  # compiles
    ours = Scored(
        scores[-1], float(spent[-1]), wall / len(case.pairs), len(booster.model_to_string()),
        _milliseconds(lambda: explain_trees(booster, X), len(X)),
        tuple(zip(spent.tolist(), scores, strict=True)),
    )  # fmt: skip
    return ours, steps[-1][1]


def agreement(case: Case, score: Floats, best: Best, seed: int) -> list[Row]:
    """Of each part of the test how far what Tierline foretells is from what came true.

    Chances have their calibration error and the floor of a perfect model, amounts their sum ratio.
    """
    made, asked = case.material, case.tested
    if made.split.folds:
        found = fold_evidence(made, score, {})
    else:
        folded = crossed(made, case.plan, best, seed)
        scorer = fit_scorer(made, case.plan, best, seed, folded)
        found = evidence(made, scorer, asked, Baselines({}, {}, made.problem.names))
    told = []
    for part in case.parts:
        rows = np.searchsorted(asked, part)
        y, said = found.y[rows], found.predicted[rows]
        row: Row = {"part": "" if len(case.parts) == 1 else iso(made.as_of[part[0]])[:10]}
        if made.problem.is_amount:
            row["sum_ratio"] = float(said.sum() / y.sum())
        else:
            row["error"] = metrics.calibration_error(y, said)
            row["floor"] = metrics.calibration_floor(said, seed)
        told.append(row)
    return told


def _steps(case: Case, rows: Index, number: int, options: Options) -> list[tuple[float, Best]]:
    """After each trial of a pair: seconds since the search began, and the best so far."""
    made, folded = case.material, bool(case.material.split.folds)
    seed = options.seed + (number if folded else 0)
    key = f"fold:{seed}" if folded else f"{case.plan.split_key}:validation"
    search = Search(Budget(FOLD_TRIALS if folded else options.trials), seed)
    kept = make_study("field", None, search, is_amount=made.problem.is_amount)
    begun, steps = time.process_time(), list[tuple[float, Best]]()
    bests: dict[int, Best] = {}

    def told(_: optuna.trial.FrozenTrial) -> None:
        best = kept.study.best_trial
        found = slowly(best_of(best), search.space)
        steps.append((time.process_time() - begun, bests.setdefault(best.number, found)))

    places = percents(key, made.customers)
    folds = inner_folds(places, rows, search.folds(made.problem, rows))
    tune(made.problem, folds, kept, search, told)
    return steps


def _fitted(
    case: Case, best: Best, rows: Index, tested: Index, seed: int
) -> tuple[float, Floats]:  # fmt: skip
    """Seconds of fitting and calibrating the winner, and what it says of the tested rows."""
    made, begun = case.material, time.process_time()
    if made.split.folds:
        score = fold_margin(made.problem, rows, tested, best, seed)
    else:
        score = fit_scorer(made, case.plan, best, seed, None).margin(made.problem.X[tested])
    return time.process_time() - begun, score


def classical_model(case: Case) -> Scored:
    """BG/NBD x Gamma-Gamma as published, fitted on the cohort of each test as_of alone."""
    begun, clock = time.process_time(), time.monotonic()
    score = np.zeros(len(case.material.problem.y))
    score[case.material.split.test] = published(case.dataset, case.material, PENALTY)
    spent = time.process_time() - begun
    return Scored(score, spent, time.monotonic() - clock, None, None)


def peer(case: Case, learner: Learner, seed: int) -> Scored:
    """A peer, fitted on every training row."""
    return _everywhere(case, lambda rows: learner.fit(case.task(rows), seed))


def flaml(case: Case, options: Options, wall: float) -> Scored:
    """FLAML for as long as Tierline searched, its own folds parted by customer, with both outcomes.

    It chooses among the learners that take missing values, for `LEAST_SECONDS` at least: on a busy
    machine it finds nothing in less. Its own `group` folds may hold one outcome only where few are
    bad; then no model has a figure, and it ends without one.
    Its `curve` has one point: the seconds until it had found its best model.
    """
    reached: list[float] = []
    given = (options.flaml_seconds or 0.0) / len(case.pairs)
    budget = max(given or wall, LEAST_SECONDS)
    made, problem = case.material, case.material.problem
    _, groups = np.unique(np.asarray(made.customers), return_inverse=True)

    def fit(rows: Index) -> Learnt:
        X = encoded(problem, rows).X[rows]
        model = AutoML()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(
                X, problem.learnt[rows], seed=options.seed, n_jobs=1, verbose=0,
                task="regression" if problem.is_amount else "classification",
                metric="mse" if problem.is_amount else "roc_auc", eval_method="cv",
                time_budget=budget, groups=groups[rows], estimator_list=list(TAKE_MISSING),
                split_type="group" if problem.is_amount else StratifiedGroupKFold(FOLDS),
            )  # fmt: skip
        if model.model is None:
            raise NotEnoughDataError(f"FLAML found no model in {budget:.1f} s: give it --flaml")
        reached.append(float(model.time_to_find_best_model))
        if problem.is_amount:
            return Learnt(model.predict)
        return Learnt(lambda Z: model.predict_proba(Z)[:, 1])

    found = _everywhere(case, fit)
    seconds = sum(reached) * found.seconds / found.wall
    return replace(found, curve=((seconds, found.score),))


def _everywhere(case: Case, fit: Callable[[Index], Learnt]) -> Scored:
    score, begun = np.zeros(len(case.material.problem.y)), time.process_time()
    repeats = max(1, len(case.pairs) // FOLDS)
    wall = time.monotonic()
    for learn, tested in case.pairs:
        learnt = fit(learn)
        X = encoded(case.material.problem, learn).X
        score[tested] += learnt.score(X[tested]) / repeats
    seconds, explain = time.process_time() - begun, learnt.explain
    wall = time.monotonic() - wall
    asked = X[case.tested[:EXPLAINED]]
    cost = _milliseconds(lambda: explain(asked), len(asked)) if explain else None
    return Scored(score, seconds, wall, learnt.size, cost)


def _milliseconds(work: Callable[[], object], rows: int) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000 / rows


if __name__ == "__main__":
    main()
