"""What a study searches: a range for each parameter of LightGBM, and the trials it begins with.

Enters: ranges that somebody wrote, or none; the number of rows learnt from. Leaves: suggestions of
a trial. Few leaves and strong regularisation come first: there most searches on such data end.
"""

from __future__ import annotations

from typing import Annotated, Any

import optuna
from pydantic import AfterValidator, BaseModel, ConfigDict

Range = tuple[float, float]
WHOLE = ("num_leaves", "min_data_in_leaf", "max_depth")
LINEAR = ("feature_fraction", "bagging_fraction", "max_depth")
"""All others are drawn on a scale of logarithms."""
QUICK = 0.1
"""The learning rate of the first trial: a third of the seconds, and nearly the figure."""
USUAL = {
    "learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 20, "feature_fraction": 1.0,
    "bagging_fraction": 1.0, "lambda_l2": 0.0, "lambda_l1": 0.0, "max_depth": 64,
}  # fmt: skip
"""LightGBM's own defaults; no limit of the depth is the greatest that may be given."""


def _within(least: float, most: float, *, whole: bool = False) -> AfterValidator:
    """A check that a range lies between two numbers and does not run backwards."""

    def check(found: Range) -> Range:
        low, high = found
        if not least <= low <= high <= most:
            raise ValueError(f"give [low, high] with {least:g} <= low <= high <= {most:g}")
        if whole and not (low.is_integer() and high.is_integer()):
            raise ValueError("give whole numbers")
        return found

    return AfterValidator(check)


class Space(BaseModel):
    """Ranges `[low, high]`; the same number twice fixes a parameter.

    `min_data_in_leaf` ends by default at a tenth of the rows, at most 400; `lambda_l1` and
    `max_depth` are searched only where they are given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    learning_rate: Annotated[Range, _within(1e-3, 1)] = (0.02, 0.1)
    num_leaves: Annotated[Range, _within(2, 1024, whole=True)] = (4, 24)
    min_data_in_leaf: Annotated[Range, _within(1, 1e6, whole=True)] | None = None
    feature_fraction: Annotated[Range, _within(0.01, 1)] = (0.2, 0.9)
    bagging_fraction: Annotated[Range, _within(0.01, 1)] = (0.3, 0.9)
    lambda_l2: Annotated[Range, _within(1e-8, 1e6)] = (1.0, 200.0)
    lambda_l1: Annotated[Range, _within(1e-8, 1e6)] | None = None
    max_depth: Annotated[Range, _within(1, 64, whole=True)] | None = None

    def ranges(self, rows: int) -> dict[str, Range]:
        """The ranges of what is searched, for so many rows."""
        found = {n: getattr(self, n) for n in type(self).model_fields}
        found["min_data_in_leaf"] = found["min_data_in_leaf"] or (10.0, float(_most(rows)))
        return {name: given for name, given in found.items() if given is not None}

    def suggest(self, trial: optuna.Trial, rows: int) -> dict[str, Any]:
        """The parameters of a trial."""
        found: dict[str, Any] = {"bagging_freq": 1}
        for name, (low, high) in self.ranges(rows).items():
            log = name not in LINEAR
            if name in WHOLE:
                found[name] = trial.suggest_int(name, int(low), int(high), log=log)
            else:
                found[name] = trial.suggest_float(name, low, high, log=log)
        return found

    def first(self, rows: int) -> list[dict[str, Any]]:
        """The trials that a study begins with: the sensible values, learnt quickly, then slowly,
        and LightGBM's own defaults.

        They are moved into the ranges; those that are then the same are tried once.
        """
        slow = default_trial(rows)
        begun = [self._inside(t, rows) for t in ({**slow, "learning_rate": QUICK}, slow, USUAL)]
        return [trial for place, trial in enumerate(begun) if trial not in begun[:place]]

    def _inside(self, sensible: dict[str, Any], rows: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (low, high) in self.ranges(rows).items():
            kind = int if name in WHOLE else float
            found[name] = kind(min(max(sensible.get(name, low), low), high))
        return found


def default_trial(rows: int) -> dict[str, Any]:
    """Sensible values, so that few trials never do worse.

    The more rows, the more a leaf must hold and the stronger it is drawn to nothing.
    """
    return {
        "learning_rate": 0.03,
        "num_leaves": 6,
        "min_data_in_leaf": min(150, max(15, rows // 100), _most(rows)),
        "feature_fraction": 0.4,
        "bagging_fraction": 0.5,
        "lambda_l2": float(min(50, max(5, rows // 400))),
    }


def _most(rows: int) -> int:
    return min(400, max(20, rows // 10))
