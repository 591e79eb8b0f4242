"""How the values of a feature are spread: missing share, quantiles, and a small plot in text.

Enters: one column of a panel. Leaves: numbers and a line of eight heights that reads in a terminal
and in Markdown. It reads no file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.formulas import Column

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)
BINS = 12
HEIGHTS = "▁▂▃▄▅▆▇█"
EMPTY = "·"


@dataclass(frozen=True)
class Spread:
    """Rows, the share without a value, the `QUANTILES` of the others (NaN where there are none),
    and how many of them fall into each of `BINS` equal bins between the 1st and 99th percentile;
    values beyond fall into the outermost ones."""

    rows: int
    missing: float
    quantiles: tuple[float, ...]
    bins: tuple[int, ...]

    @property
    def plot(self) -> str:
        """The bins as heights, an empty one as a dot; no plot where nothing is known.

        >>> spread(np.array([0.0, 0.0, 0.0, 1.0, np.nan])).plot
        '█··········▄'
        """
        most = max(self.bins, default=0)
        steps = len(HEIGHTS) - 1
        return "".join(HEIGHTS[-(-n * steps // most)] if n else EMPTY for n in self.bins if most)


def spread(column: Column) -> Spread:
    """How the values of a column are spread; one value alone fills the middle bin."""
    known = column[~np.isnan(column)]
    missing = 1.0 - known.size / column.size if column.size else 1.0
    if not known.size:
        return Spread(column.size, missing, (float("nan"),) * len(QUANTILES), ())
    low, high = np.quantile(known, [0.01, 0.99])
    if low == high:
        low, high = low - 0.5, high + 0.5
    bins, _ = np.histogram(np.clip(known, low, high), BINS, (low, high))
    found = tuple(float(v) for v in np.quantile(known, QUANTILES))
    return Spread(column.size, missing, found, tuple(int(n) for n in bins))
