"""The page of the comparison of losses: what their tiers are worth, with intervals.

Enters: the value rows, what each candidate says of them. Leaves: lines of Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from training import metrics, tier_figures
from training.draws import resample
from training.fit import Material

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
SOURCE = "online_retail_ii"
LATEST, EVERY = "latest as_of", "every month"
HIGH_ABOVE = 622.34
KAPPA, F1, FAR = 0.547, 0.565, 0.055
PRODUCT = "L2 on log1p of units, within dates"
TREES = 500
PLACES = 60
"""Cuts are tried at so many quantiles of the score."""
HEAD = (
    "candidate", "trees", "cuts", "quadratic kappa", "minus L2", "macro-F1", "far errors",
    "Spearman", "minus L2", "mean of the dates", "sum ratio",
)  # fmt: skip
INSIDE_HEAD = (
    "truth of least squares", "quadratic kappa", "macro-F1", "far errors", "kappa + F1 minus L2",
    "Spearman", "minus L2", "mean of the dates", "minus L2",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What a candidate says of every row: tiers by where their cuts were tuned, a score to rank
    by, amounts where it has them."""

    trees: int
    tier: dict[str, Index]
    score: Floats
    amount: Floats | None

    @property
    def is_cut(self) -> bool:
        """Whether its tiers come from cuts."""
        return LATEST in self.tier


def tiers(amount: Floats) -> Index:
    """0 of no spend, 1 up to the cut of the comparison, 2 above."""
    return np.searchsorted([0.0, HIGH_ABOVE], amount, side="left").astype(np.int64)


def learners(made: Material) -> Index:
    """The rows that may teach."""
    return np.concatenate([made.split.fit, made.split.calibration])


def best_cuts(score: Floats, tier: Index) -> Floats:
    """The two cuts with the highest sum of quadratic kappa and macro-F1."""
    places = np.unique(np.quantile(score, np.arange(1, PLACES) / PLACES)).tolist()
    return np.asarray(tier_figures.best_cuts(tier, score, combinations(places, 2)))


def figures(truth: Index, said: Index, weight: Floats) -> tuple[float, float, float]:
    """Quadratic kappa, macro-F1, and the share of errors by two tiers."""
    seen = tier_figures.table(truth, said, 3)(weight)
    kappa = float(np.nan_to_num(tier_figures.quadratic_kappa(seen)))
    return kappa, tier_figures.macro_f1(seen), float((seen[0, 2] + seen[2, 0]) / seen.sum())


def page(
    made: Material, said: dict[str, Floats], answers: dict[str, Asked], *, quick: bool
) -> Iterator[str]:
    """The page in Markdown."""
    yield "# Which loss trains the value margin"
    yield ""
    yield "```"
    yield "python -m experiments.tiers" + (" --quick" if quick else "")
    yield "```"
    yield ""
    yield (
        f"writes this page: the {made.split.test.size:,} test rows of `{SOURCE}`. Tiers of the "
        f"comparison: low = no spend (gross) in ninety days, mid up to {HIGH_ABOVE}, high above. "
        "Every candidate learns from the same rows with the parameters of a study's first trial; "
        "the latest complete as_of of the training chooses the trees. Cuts (highest kappa plus "
        f"macro-F1) are tuned there, by the model that has not seen it (*{LATEST}*), or on the "
        f"customers who calibrate, over all training months (*{EVERY}*). The first five are one "
        "additive monotone margin, calibrated to amounts and shifted by the month as in the "
        f"product. *{PRODUCT}* is what the product learns: amounts in units of "
        f"{made.problem.unit:.0f}, less the mean of their as_of, so that trees learn what tells "
        "customers apart and the calibration what tells months apart; *L2 on ranks* learns the "
        "rank of the amount among those of its as_of; *two "
        "ordinal binaries* is the sum of two chances, each calibrated and shifted alike; "
        "*multiclass* is the most likely tier of trees without directions and without a season. "
        "One date chooses few trees for the product's truth, and cuts that do not carry over the "
        "months; the product's own chain, whose trees are chosen in folds of customers, makes "
        "more of it: `python -m experiments.truths`. "
        "Far errors miss by two tiers. Intervals are 95 % over resampled customers, differences to "
        "L2 (of kappa, of Spearman) paired. What follows from it: "
        "[decision 0014](decisions/0014-season-and-value-margin.md)."
    )
    yield ""
    yield goal(made, answers)
    yield ""
    yield from _markdown(HEAD, table(made, answers))
    yield ""
    yield "## Chosen inside the training"
    yield ""
    yield (
        f"The {learners(made).size:,} learning rows, each said by trees that learnt from the other "
        f"customers (five parts, {TREES // 2} trees of the first trial), calibrated and shifted; "
        "the cuts are the best on the same rows, for every truth alike. The truth of the highest "
        "kappa plus macro-F1 is the one that was asked for the test."
    )
    yield ""
    yield from _markdown(INSIDE_HEAD, inside_table(made, said))


def _markdown(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, tuple("---" for _ in head), *rows):
        yield "| " + " | ".join(row) + " |"


def inside_table(made: Material, said: dict[str, Floats]) -> Iterator[tuple[str, ...]]:
    """One row for each truth; the first is the one others are held against."""
    rows = learners(made)
    truth = tiers(made.problem.y)[rows]
    weights = (np.ones(len(rows)), *resample([made.customers[r] for r in rows], 1))
    first: list[Floats] = []
    for name, each in said.items():
        tier = np.searchsorted(best_cuts(each[rows], truth), each[rows], side="right")
        kappa, f1, far = np.array([figures(truth, tier, w) for w in weights]).T
        now = [kappa + f1, *_ranked(made, each, rows, weights)]
        first = first or now
        gaps = [
            "" if first is now else _told(a - b, "+.4f") for a, b in zip(now, first, strict=True)
        ]
        yield (
            name, f"{kappa[0]:.4f}", f"{f1[0]:.4f}", f"{far[0]:.4f}", gaps[0],
            f"{now[1][0]:.4f}", gaps[1], f"{now[2][0]:.4f}", gaps[2],
        )  # fmt: skip


def _ranked(
    made: Material, score: Floats, rows: Index, weights: tuple[Floats, ...]
) -> tuple[Floats, Floats]:
    """Spearman over all rows, and the mean over their dates, for each weighting."""
    y, as_of = made.problem.y, made.as_of[rows]
    whole = metrics.spearman(y[rows], score[rows])
    dates = []
    for instant in np.unique(as_of):
        own = as_of == instant
        rank = metrics.spearman(y[rows[own]], score[rows[own]])
        dates.append([rank(w[own]) for w in weights])
    return np.array([whole(w) for w in weights]), np.mean(dates, axis=0)


def goal(made: Material, answers: dict[str, Asked]) -> str:
    """Which candidates reach all three figures of the goal."""
    rows = made.split.test
    truth, even = tiers(made.problem.y)[rows], np.ones(len(rows))
    reached = []
    for name, asked in answers.items():
        for how, tier in asked.tier.items():
            kappa, f1, far = figures(truth, tier[rows], even)
            if kappa >= KAPPA and f1 >= F1 and far <= FAR:
                reached.append(f"{name} ({how})")
    return (
        f"The goal is a kappa of {KAPPA} and a macro-F1 of {F1} with far errors up to {FAR}, all "
        f"at once. It is reached by: {', '.join(reached) or 'no candidate'}."
    )


def table(made: Material, answers: dict[str, Asked]) -> Iterator[tuple[str, ...]]:
    """One row for each candidate and its cuts; the first is the one others are held against."""
    rows = made.split.test
    y, truth = made.problem.y[rows], tiers(made.problem.y)[rows]
    weights = (np.ones(len(rows)), *resample([made.customers[r] for r in rows], 1))
    against: dict[str, Floats] = {}
    ranks: list[Floats] = []
    for name, asked in answers.items():
        whole, by_date = _ranked(made, asked.score, rows, weights)
        ranks.append(whole)
        more = "" if len(ranks) == 1 else _told(ranks[-1] - ranks[0], "+.3f")
        ratio = "no amount"
        if asked.amount is not None:
            amount = asked.amount[rows]
            ratio = _told(np.array([w @ amount / (w @ y) for w in weights]))
        for how, tier in asked.tier.items():
            drawn = np.array([figures(truth, tier[rows], w) for w in weights])
            kappa, f1, far = drawn.T
            first = against.setdefault(how if asked.is_cut else LATEST, kappa)
            gap = "" if first is kappa else _told(kappa - first, "+.3f")
            told = (_told(kappa), gap, _told(f1), _told(far), _told(whole), more)
            yield (name, str(asked.trees), how, *told, _told(by_date), ratio)


def _told(drawn: Floats, form: str = ".3f") -> str:
    low, high = np.quantile(drawn[1:], [0.025, 0.975])
    return f"{drawn[0]:{form}} [{low:{form}}, {high:{form}}]"
