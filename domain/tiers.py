"""Ordered tiers and bands: cuts on points, and the names of the three targets.

Enters: integer points. Leaves: the name of a tier or band and how far the nearest cut is.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal, get_args

from domain.errors import PolicyError

Target = Literal["value", "churn", "credit"]
TARGETS: tuple[Target, ...] = get_args(Target)


@dataclass(frozen=True)
class Step:
    """One tier or band: its name, the points at which it begins, and its texts."""

    name: str
    from_points: int | None
    zh: str
    en: str


@dataclass(frozen=True)
class Cuts:
    """Tiers from the lowest to the highest points; the first has no lower bound.

    Raises:
        PolicyError: no step, a bounded first step, cuts that do not rise (they would overlap),
            or a name twice.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not self.steps or self.steps[0].from_points is not None:
            raise PolicyError(
                "cuts begin with one step without from_points: it holds the lowest points"
            )
        bounds = [s.from_points for s in self.steps[1:]]
        if any(b is None for b in bounds):
            raise PolicyError("only the first step is without from_points: give the others theirs")
        if any(b <= a for a, b in zip(self.bounds, self.bounds[1:], strict=False)):
            raise PolicyError(
                f"cuts {list(self.bounds)} overlap: each from_points must be above the one before"
            )
        if len({s.name for s in self.steps}) != len(self.steps):
            raise PolicyError(f"names of cuts repeat: {[s.name for s in self.steps]}")

    @property
    def bounds(self) -> tuple[int, ...]:
        """The points at which the second and each later step begins."""
        return tuple(s.from_points for s in self.steps[1:] if s.from_points is not None)

    def assign(self, points: int) -> Step:
        """The step that holds `points`; a cut belongs to the step above it."""
        return self.steps[bisect_right(self.bounds, points)]

    def distance(self, points: int) -> int | None:
        """Points above (or, negative, below) the nearest cut; None where there is no cut."""
        return min((points - b for b in self.bounds), key=abs, default=None)
