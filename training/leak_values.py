"""What one feature tells of the outcome, whatever it is called.

Enters: one target's material. Leaves: how well each feature alone ranks learning rows, and those
that rank too well, that know the outcome and nothing else, that have a value only bad customers
have, or that are means of these very outcomes. The test takes no part but in the last: a mean made
over all rows tells the test most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from training import metrics
from training.categories import encoded
from training.findings import Finding
from training.fit import Material
from training.leak_pairs import Rows
from training.limits import deviations, score_interval
from training.splits import percents

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AUC_ROWS, BINS, CODE_ROWS = 20_000, 64, 5
"""Of a column with at least so many rows a value, each value is a bin of its own too."""
COMPANY_AUC, COMPANY = 0.75, 0.10
"""A feature that ranks so well goes with others: on public sets at least at a rank correlation of
0.31 among rows of one outcome."""
STANDS_OUT, BY = 0.85, 0.10
"""The best of a public set is ahead of the next by 0.097 at most."""
RARE, PURE_TOLD, PURE_STOPS = 0.3, 0.90, 0.95
"""Of the rows with one value, how many have the rarer outcome, the lower end of an interval: 0.87
at most on public sets."""
LEAST_KINDS, LEAST_SIGMA, SURE_SIGMA = 30, 3.5, 5.0
"""Standard errors: 2.3 at most among the 780 features of public sets and the bank."""


def learnt_rows(made: Material) -> Ints:
    """The numbers of at most `AUC_ROWS` learning rows."""
    fit = made.split.fit
    return fit[:: -(-fit.size // AUC_ROWS)]


def learning_rows(made: Material) -> Rows:
    """These rows; an amount counts as good above its median."""
    rows = learnt_rows(made)
    problem = made.problem
    y = _good(made, rows)
    X = encoded(problem, rows).X[rows]
    alone = np.full(len(problem.names), 0.5)
    if np.unique(y).size == 2:
        half = percents("leakage", [made.customers[r] for r in rows]) % 2
        alone = np.array([_auc(x, y, half) for x in X.T])
    places = tuple(problem.names.index(n) for n in problem.categories)
    return Rows(problem.names, X, problem.X[rows], y, alone, places)


def _good(made: Material, rows: Ints) -> Floats:
    y = made.problem.y[rows]
    return (y > np.median(y)).astype(np.float64) if made.problem.is_amount else y


def _auc(x: Floats, y: Floats, half: Ints) -> float:
    """How well a feature alone ranks, 0.5 to 1: as it stands, or in bins.

    In bins, missing values being one, a value's rank is the mean outcome of the other half of the
    customers.
    """
    even = np.ones(len(y))
    plain = metrics.auc(y, np.where(np.isnan(x), -np.inf, x))(even)
    kinds, exact = np.unique(x, return_inverse=True)
    codes = [_binned(x), exact] if kinds.size <= len(y) / CODE_ROWS else [_binned(x)]
    return max(plain, 1 - plain, *(metrics.auc(y, _by_code(c, y, half))(even) for c in codes))


def _binned(x: Floats) -> Ints:
    """The bin of each value; missing is the last."""
    known = x[~np.isnan(x)]
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if known.size else known
    return np.where(np.isnan(x), len(cuts) + 1, np.searchsorted(cuts, x))


def _by_code(code: Ints, y: Floats, half: Ints) -> Floats:
    """Of every row the mean outcome of its code among the other half of the customers."""
    score = np.empty(len(y))
    for side in (0, 1):
        rows, others = half == side, half != side
        n = np.bincount(code[others], minlength=int(code.max()) + 1)
        good = np.bincount(code[others], weights=y[others], minlength=int(code.max()) + 1)
        score[rows] = ((good + 5 * y.mean()) / (n + 5))[code[rows]]
    return score


def too_lonely(rows: Rows) -> Iterator[tuple[str, float]]:
    """Features that rank well and go with no other among rows of one outcome, and their greatest
    rank correlation: what makes an honest feature rank well shows in others too."""
    good = np.flatnonzero(rows.alone >= COMPANY_AUC)
    if not good.size or len(rows.names) < 2:
        return
    ranks = rankdata(np.where(np.isnan(rows.X), -np.inf, rows.X), axis=0)
    company = np.zeros(len(rows.names))
    for value in np.unique(rows.y):
        with np.errstate(invalid="ignore", divide="ignore"):
            alike = np.abs(np.corrcoef(ranks[rows.y == value], rowvar=False))
        np.fill_diagonal(alike, 0.0)
        company = np.maximum(company, np.nan_to_num(alike).max(axis=0))
    yield from ((rows.names[i], float(company[i])) for i in good if company[i] < COMPANY)


def stands_out(rows: Rows) -> tuple[str, float] | None:
    """The feature that ranks best, and by how much, where that is far above the next."""
    if len(rows.names) < 2:
        return None
    second, best = np.argsort(rows.alone, kind="stable")[-2:]
    ahead = float(rows.alone[best] - rows.alone[second])
    if rows.alone[best] >= STANDS_OUT and ahead >= BY:
        return rows.names[best], ahead
    return None


def rare_values(
    names: Sequence[str], X: Floats, y: Floats
) -> Iterator[tuple[str, str, float, int]]:
    """Features with a value, or a missing one, that almost only the rarer outcome has: the lower
    end of the share (Source: Wilson, 1927) and the rows. Of each feature its purest value."""
    rare = (y == (1.0 if y.mean() < 0.5 else 0.0)).astype(np.float64)
    if not 0 < rare.mean() <= RARE:
        return
    for name, x in zip(names, X.T, strict=True):
        kinds, exact = np.unique(x, return_inverse=True)
        found = []
        codes = [_binned(x), np.isnan(x).astype(np.int64)]
        for code in [*codes, *([exact] if kinds.size <= len(x) / CODE_ROWS else [])]:
            n = np.bincount(code)
            several = np.maximum(n, 1).astype(np.float64)
            share = np.bincount(code, weights=rare) / several
            low = np.subtract(*score_interval(share, several, deviations()))
            place = int(np.argmax(low))
            inside = x[code == place]
            told = "missing" if np.isnan(inside[0]) else f"{inside.min():g} to {inside.max():g}"
            found.append((float(low[place]), told, int(n[place])))
        low_end, told, count = max(found)
        if low_end >= PURE_TOLD:
            yield name, told, low_end, count


def means_of_outcomes(names: Sequence[str], X: Floats, y: Floats) -> Iterator[tuple[str, float]]:
    """Features whose values foretell the mean outcome of their rows better than chance allows, and
    by how many standard errors.

    Of the n rows that share a value the outcomes vary, and so their mean around what the value
    foretells, by a nth of it or, where it foretells badly, more. Less, over many values, is only
    possible where the values were made of these outcomes, as by target encoding.
    """
    for name, x in zip(names, X.T, strict=True):
        known = ~np.isnan(x)
        kinds, code = np.unique(x[known], return_inverse=True)
        n = np.bincount(code).astype(np.float64)
        several = n >= 2
        if several.sum() < LEAST_KINDS:
            continue
        mean = (np.bincount(code, weights=y[known]) / np.maximum(n, 1))[several]
        n, kinds = n[several], kinds[several]
        p = _foretold(kinds, mean, n)
        less = mean * (1 - mean) * n / (n - 1) - n * (mean - p) ** 2
        p = np.where((p > 0.01) & (p < 0.99), p, y.mean())
        spread = 2 * (p * (1 - p)) ** 2 * n / (n - 1)
        sigma = less.sum() / np.sqrt(max(float(spread.sum()), float((less**2).sum())))
        if sigma >= LEAST_SIGMA:
            yield name, float(sigma)


def _foretold(kinds: Floats, mean: Floats, n: Floats) -> Floats:
    """The mean outcome of each value by a line through them."""
    root = np.sqrt(n)
    line = np.column_stack([np.ones_like(kinds), kinds / max(float(np.abs(kinds).max()), 1e-300)])
    found = np.linalg.lstsq(line * root[:, None], mean * root, rcond=None)[0]
    return np.asarray(line @ found)


def of_values(made: Material, rows: Rows) -> Iterator[Finding]:
    """What the values say beside the ranking of each feature alone."""
    target = made.target
    for name, company in too_lonely(rows):
        said = (
            "ranks well alone, and among customers of one outcome goes with no other feature (at "
            f"most {company:.2f}): it may be the outcome with noise; ask how it came about"
        )
        yield Finding("lonely_feature", f"{target}, {name}", said, round(company, 4), is_sure=False)
    ahead = stands_out(rows)
    if ahead is not None:
        said = f"ranks alone by {ahead[1]:.3f} better than the next: ask when it became known"
        where = f"{target}, {ahead[0]}"
        yield Finding("stands_out", where, said, round(ahead[1], 4), is_sure=False)
    fit = made.split.fit
    everything = made.problem.names, made.problem.X[fit], _good(made, fit)
    for name, value, low, count in rare_values(*everything):
        said = (
            f"of {count} customers with the value {value} at least {low:.0%} have the rarer "
            "outcome: it may be filled in once the outcome is known"
        )
        is_sure = low >= PURE_STOPS
        yield Finding("rare_value", f"{target}, {name}", said, round(low, 4), is_sure)
    labels = np.unique(np.concatenate([fit, made.split.calibration, made.split.test]))
    whole = made.problem.names, made.problem.X[labels], _good(made, labels)
    means = dict(means_of_outcomes(*everything))
    means |= {n: s for n, s in means_of_outcomes(*whole) if s > means.get(n, 0.0)}
    for name, sigma in means.items():
        said = (
            f"tells the mean outcome of its values closer than chance allows ({sigma:.0f} standard "
            "errors): it was made of these outcomes; make it of earlier ones or of other customers"
        )
        is_sure = sigma >= SURE_SIGMA
        yield Finding("mean_of_outcomes", f"{target}, {name}", said, round(sigma, 2), is_sure)
