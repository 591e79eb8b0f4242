"""Formulas of derived features that are data, and what of any formula decides its values.

Enters: columns of features. Leaves: a column. A formula that is a function stands in its theme.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Quotient:
    """`scale * above / below`, at most `most`, of two features.

    >>> Quotient("a", "b", scale=2.0)(np.array([1.0, 1.0]), np.array([4.0, 0.0])).tolist()
    [0.5, nan]
    """

    above: str
    below: str
    scale: float = 1.0
    most: float | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The features it reads, in order."""
        return self.above, self.below

    def __call__(self, above: Column, below: Column) -> Column:
        """The quotient, NaN where the divisor is not above zero."""
        found = self.scale * ratio(above, below)
        return found if self.most is None else np.minimum(found, self.most)


@dataclass(frozen=True)
class Filled:
    """The share of features that have a value, missing where none has.

    >>> Filled(("a", "b"))(np.array([1.0, np.nan]), np.array([np.nan, np.nan])).tolist()
    [0.5, nan]
    """

    inputs: tuple[str, ...]

    def __call__(self, *columns: Column) -> Column:
        """The share of the columns that are not NaN, row by row."""
        found: Column = np.mean([~np.isnan(c) for c in columns], axis=0)
        return np.where(found > 0, found, np.nan)


Formula = Callable[..., Column]
"""A function, by its parameters, or one of the data above."""


def ratio(above: Column, below: Column) -> Column:
    """The quotient where the divisor is above zero, NaN elsewhere.

    >>> ratio(np.array([1.0, 1.0, 1.0]), np.array([4.0, 0.0, -2.0])).tolist()
    [0.25, nan, nan]
    """
    out = np.full(len(above), np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def inputs_of(formula: Formula) -> tuple[str, ...]:
    """The features that a formula reads, in order."""
    if isinstance(formula, Quotient | Filled):
        return formula.inputs
    return tuple(inspect.signature(formula).parameters)


def content_of(formula: Formula) -> Any:
    """The function's normalised source without decorators and docstring: layout changes nothing.

    Of a formula that is data, the data.
    """
    if isinstance(formula, Quotient | Filled):
        return vars(formula)
    tree = ast.parse(textwrap.dedent(inspect.getsource(formula)))
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef):
        return ast.unparse(tree)
    function.decorator_list = []
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]
    return ast.unparse(function)
