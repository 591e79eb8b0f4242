"""What reasons say of real customers: ten of each band of public data sets, for people to read.

    python -m experiments.reasons

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: docs/reasons.md. Each target is
tuned and fitted as in `tierline run`, with few trials; the customers are those of the last test
date, ten of each band of the default policy, evenly by points, and are numbered here: no id is
written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from domain.policy import Labelled, default_policy
from domain.settings import DATA
from domain.tiers import Step
from events.dataset import Dataset
from experiments.materials import materials
from features.given import catalogue_of
from scoring.adverse import adverse_action
from scoring.grouped import Case, idea_reasons
from scoring.reference import fit_references
from scoring.scorer import Scorer
from training.fit import Material, crossed, fit_scorer
from training.kept import Budget
from training.splits import percents
from training.tune import Search, inner_folds, make_study, tune

PAGE = Path(__file__).parents[1] / "docs/reasons.md"
TOLD = ("taiwan_credit_default", "credit_card_approval", "online_retail_ii")
EACH, TOP, SEED = 10, 3, 1
INTRO = """\
# What reasons say

```
python -m experiments.reasons --trials {trials}
```

writes this page: the first {top} reasons of {each} customers of each band, from public data that
nobody here made, for people to read. Models are tuned with few trials, bands are those of the
default policy, customers stand evenly by points within their band and are numbered here. A reason
is an idea with all its features together, told by its strongest one. *To the customer* is the
first reason that may be stated against everybody, as a letter would say it."""


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
@click.option("--trials", default=2, show_default=True, help="trials of each study")
def main(data: str, trials: int) -> None:
    """Train on each source and write docs/reasons.md."""
    lines = [INTRO.format(trials=trials, top=TOP, each=EACH)]
    for source in TOLD:
        with tempfile.TemporaryDirectory() as home:
            for dataset, made in materials(source, Path(data), Path(home), SEED):
                target = made.target
                scorer = fitted(made, dataset, trials)
                print(source, target, len(made.split.fit), "rows", flush=True)
                lines += ["", f"## {source}, {target}", *told(made, scorer, dataset)]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def fitted(made: Material, dataset: Dataset, trials: int) -> Scorer:
    """The scorer of one target, tuned inside its fit rows."""
    places = percents(f"reasons:{SEED}", made.customers)
    folds = inner_folds(places, made.split.fit)
    search = Search(Budget(trials), SEED)
    study = make_study("reasons", None, search, is_amount=made.problem.is_amount)
    best = tune(made.problem, folds, study, search)
    return fit_scorer(made, dataset.plan, best, SEED, crossed(made, dataset.plan, best, SEED))


def told(made: Material, scorer: Scorer, dataset: Dataset) -> Iterator[str]:
    """The bands of one target, from the highest, each with its customers."""
    everybody = fit_references(scorer, made.problem.X[made.split.fit][::10])[0]
    last = made.split.test[made.as_of[made.split.test] == made.as_of[made.split.test].max()]
    X = made.problem.X[last]
    points = scorer.points(X)
    cuts = default_policy().steps[scorer.target]
    held = [cuts.assign(p) for p in points.tolist()]
    for step in reversed(cuts.steps):
        inside = np.array([s == step for s in held])
        yield ""
        yield f"### {step.en}, {step.zh}: {inside.sum():,} of {len(X):,}"
        yield ""
        adverse = scorer.target == "credit" and step in cuts.steps[:2]
        heads = ("no", "points", "reasons", *(["to the customer"] if adverse else []))
        yield row(heads)
        yield row(tuple("---" for _ in heads))
        for number, x in enumerate(evenly(X[inside], points[inside]), 1):
            case = Case(scorer, x, catalogue_of(dataset), dataset.plan.currency)
            explained = scorer.explain(x[None, :])[0]
            said = idea_reasons(case, explained.reasons, TOP)[:TOP]
            cells = [str(number), str(explained.points), each(*((r.zh, r.en) for r in said))]
            if adverse:
                found = adverse_action(case, _decision(step), everybody).reasons[:1]
                cells.append(each(*((r.zh, r.en) for r in found)))
            yield row(tuple(cells))


def evenly(X: NDArray[np.float64], points: NDArray[np.int64]) -> NDArray[np.float64]:
    """At most ten rows, evenly by points, the most first."""
    order = np.argsort(-points, kind="stable")
    places = np.linspace(0, len(order) - 1, min(EACH, len(order))).astype(np.int64)
    picked: NDArray[np.float64] = X[order[places]]
    return picked


def each(*pairs: tuple[str, str]) -> str:
    """Chinese and English, one under the other."""
    return "<br>".join(f"{zh}<br>{en}" for zh, en in pairs)


def row(cells: tuple[str, ...]) -> str:
    """One row of a table."""
    return "| " + " | ".join(cells) + " |"


def _decision(step: Step) -> Labelled:
    return Labelled(name=step.name, zh=step.zh, en=step.en)


if __name__ == "__main__":
    main()
