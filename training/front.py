"""Quality against the cost of an explained decision: the front of a study, the choice, the plots.

Enters: finished trials of two objectives (figure, microseconds), or of one for the history. Leaves:
one trial, and PNG files. It trains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import optuna
from matplotlib.ticker import MaxNLocator
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


def cheapest(front: Sequence[FrozenTrial], figure: StudyDirection) -> FrozenTrial:
    """The trial of the front that explains cheapest within one standard error of the best figure.

    The error is that of the best one's mean over its folds. Source: Breiman, Friedman, Olshen,
    Stone, "Classification and Regression Trees", 1984, 3.4.3 (the 1 SE rule).
    """
    sign, least = _sign(figure), _sign(figure) * _least(front, figure)
    within = [t for t in front if sign * t.values[0] >= least]
    return min(within, key=lambda t: (t.values[1], t.number))


def _sign(figure: StudyDirection) -> int:
    return 1 if figure is StudyDirection.MAXIMIZE else -1


def _least(front: Sequence[FrozenTrial], figure: StudyDirection) -> float:
    """The figure one standard error worse than the best."""
    sign = _sign(figure)
    best = max(front, key=lambda t: (sign * t.values[0], -t.number))
    return sign * (sign * _figure(best) - float(best.user_attrs["error"]))


def draw_study(study: optuna.Study, metric: str, folder: Path) -> list[Path]:
    """The history of a study, and with two objectives its front; the files written."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    drawn = {"history": _history(study, metric)}
    if len(study.directions) == 2:
        drawn["front"] = _front(study, metric)
    files = []
    for name, figure in drawn.items():
        files.append(folder / f"{name}.png")
        figure.savefig(files[-1], dpi=110, bbox_inches="tight")
        plt.close(figure)
    return files


def _history(study: optuna.Study, metric: str) -> mpl.figure.Figure:
    """Every finished trial, the best so far as a line, those that were pruned at the foot."""
    import matplotlib.pyplot as plt

    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    pruned = study.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
    numbers, figures = [t.number for t in done], [_figure(t) for t in done]
    better = np.maximum if study.directions[0] is StudyDirection.MAXIMIZE else np.minimum
    figure, axis = plt.subplots(figsize=(6, 4))
    axis.scatter(numbers, figures, color="lightgrey", label="trials")
    axis.step(numbers, better.accumulate(figures), where="post", label="best so far")
    if pruned:
        at = [t.number for t in pruned], [0.02] * len(pruned)
        foot = axis.get_xaxis_transform()
        axis.plot(*at, "|", color="grey", transform=foot, label="pruned")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("trial")
    axis.set_ylabel(f"{metric}, mean over folds")
    axis.legend()
    return figure


def _front(study: optuna.Study, metric: str) -> mpl.figure.Figure:
    import matplotlib.pyplot as plt

    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    front = sorted(study.best_trials, key=lambda t: t.values[1])
    chosen = cheapest(front, study.directions[0])
    figure, axis = plt.subplots(figsize=(6, 4))
    axis.scatter(*_points(done), color="lightgrey", label="trials")
    axis.plot(*_points(front), marker="o", label="front")
    axis.scatter(
        *_points([chosen]), marker="*", s=200, zorder=3, label=f"taken: trial {chosen.number}"
    )
    axis.axhline(_least(front, study.directions[0]), linestyle=":", label="one error from the best")
    axis.set_xlabel("microseconds of an explained decision")
    axis.set_ylabel(f"{metric}, mean over folds")
    axis.legend()
    return figure


def _figure(trial: FrozenTrial) -> float:
    return float(trial.values[0])


def _points(trials: Sequence[FrozenTrial]) -> tuple[list[float], list[float]]:
    return [t.values[1] for t in trials], [_figure(t) for t in trials]
