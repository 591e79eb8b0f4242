"""Figures of a benchmark as lines of text and as plots.

Enters: measured turns. Leaves: printed lines, SVG files whose bytes depend on the figures alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Figures = dict[str, float]
_UNITS: dict[str, tuple[str, Callable[[Figures, int], float]]] = {
    "rows": ("transactions, millions", lambda f, _: f["rows"] / 1e6),
    "dates": ("as_of dates", lambda _, dates: float(dates)),
    "features": ("features", lambda f, _: f["features"]),
}


def tell(name: str, found: Sequence[Figures]) -> None:
    """Print the median and every round."""
    cpu = [m["cpu_seconds"] for m in found]
    wall = statistics.median(m["seconds"] for m in found)
    peak = max(m["peak_gib"] for m in found)
    rounds = ", ".join(f"{c:.2f}" for c in cpu)
    print(
        f"{name}: CPU {statistics.median(cpu):.2f} s ({rounds}), "
        f"wall {wall:.2f} s, peak {peak:.2f} GiB",
        flush=True,
    )


def growth(
    lines: Mapping[str, Sequence[tuple[Figures, int]]], scans: Sequence[Figures], folder: Path
) -> None:
    """One plot for rows, dates and features: CPU seconds of the engine, and of the scan."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams["svg.hashsalt"] = "tierline"
    folder.mkdir(parents=True, exist_ok=True)
    for what, line in lines.items():
        title, of = _UNITS[what]
        figure, axes = pyplot.subplots(figsize=(4.2, 2.6), layout="constrained")
        x = [of(found, dates) for found, dates in line]
        axes.plot(x, [f["cpu_seconds"] for f, _ in line], marker="o", label="engine")
        if what == "rows":
            scan_x = [f["rows"] / 1e6 for f in scans]
            axes.plot(scan_x, [f["cpu_seconds"] for f in scans], marker="s", label="bare scan")
        else:
            axes.axhline(scans[0]["cpu_seconds"], linestyle="--", color="C1", label="bare scan")
        axes.set(xlabel=title, ylabel="CPU seconds", xlim=(0, None), ylim=(0, None))
        axes.legend(frameon=False)
        figure.savefig(folder / f"window-engine-{what}.svg", metadata={"Date": None})
        pyplot.close(figure)
