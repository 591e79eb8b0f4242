"""The page of `experiments.field`: its tables in Markdown and its one line of JSON.

Enters: the results of every target. Leaves: docs/field.md, a summary, and of each goal whether it
is met. It measures nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]
PAGE = Path(__file__).parents[1] / "docs/field.md"
OURS, FLAML, USUAL, BUYING = "tierline", "flaml", "lightgbm", "buying model"
PUBLISHED = "published BG/NBD"
MARGIN, SMALL = 0.003, {"berka": 0.01}
"""A difference below this is none; `SMALL` sets cannot tell so little."""
SURE = ("online_retail_ii", "taiwan_credit_default")
"""Here the interval of the difference to LightGBM's defaults is to lie above 0."""
GAIN = {("online_retail_ii", "churn"): 0.008, ("online_retail_ii", "value"): 0.02}
"""What is to be gained on the buying model (BG/NBD and Gamma-Gamma)."""
TIME = 0.5
ERROR, FLOORS, RATIO = {"online_retail_ii": 0.04}, 2.0, (0.8, 1.25)
"""Calibration errors may be as large, elsewhere so many times the floor; sums of amounts so."""
HEAD = (
    "source", "target", "learner", "metric", "figure", "95 % interval", "Tierline minus it",
    "seconds", "model, kB", "ms an explanation",
)  # fmt: skip


def write(rows: Sequence[Row], command: str) -> dict[str, float]:
    """Write the page; the summary."""
    found = summary(rows)
    PAGE.write_text("\n".join(page(rows, command, found)) + "\n", encoding="utf-8")
    return found


def summary(rows: Sequence[Row]) -> dict[str, float]:
    """Over the targets: shares of those not behind the best peer, Tierline's mean rank, and the
    seconds to FLAML's figure as a share of FLAML's.

    `sets_within_noise_or_ahead_share`: the interval of the difference reaches 0.
    `sets_within_margin_share`: the difference itself is no further below 0 than the margin.
    `time_ratio_vs_flaml`: geometric mean; a target where no trial reaches FLAML's figure is counted
    with all the seconds that Tierline took, in `flaml_unreached` too.
    """
    gaps = [best(row)[1] for row in rows]
    ratios = [time_ratio(row) for row in rows]
    return {
        "sets_within_noise_or_ahead_share": float(
            np.mean([g["difference_interval"][1] >= 0 for g in gaps])
        ),
        "sets_within_margin_share": float(
            np.mean([g["difference"] >= -margin(r) for g, r in zip(gaps, rows, strict=True)])
        ),
        "mean_rank": float(np.mean([rank(row) for row in rows])),
        "time_ratio_vs_flaml": float(np.exp(np.mean([np.log(ratio) for ratio, _ in ratios]))),
        "flaml_unreached": float(sum(not reached for _, reached in ratios)),
    }


def best(row: Row) -> tuple[str, Row]:
    """The best peer of a target, and what was measured of it."""
    others = {n: v for n, v in row["learners"].items() if n != OURS}
    name = max(others, key=lambda n: others[n]["figure"])
    return name, others[name]


def margin(row: Row) -> float:
    """The difference that counts as none."""
    return SMALL.get(row["source"], MARGIN)


def rank(row: Row) -> int:
    """Tierline's place among all learners of a target, from 1."""
    ours = row["learners"][OURS]["figure"]
    return 1 + sum(bool(v["figure"] > ours) for v in row["learners"].values())


def time_ratio(row: Row) -> tuple[float, bool]:
    """Tierline's seconds to FLAML's figure over FLAML's, and whether a trial reached it."""
    (theirs, figure), ours = row["curve"][FLAML][0], row["curve"][OURS]
    for seconds, reached in ours:
        if reached >= figure:
            return seconds / theirs, True
    return ours[-1][0] / theirs, False


def goals(rows: Sequence[Row]) -> Iterator[tuple[str, str, bool]]:
    """Each goal about what was measured: what is wanted, what was found, whether it is met."""
    for row in rows:
        name, peer = best(row)
        place, others = (row["source"], row["target"]), row["learners"]
        where, gap = " ".join(place), peer["difference"]
        words = f"{where}: no further than {margin(row):g} behind the best peer"
        yield words, f"{gap:+.4f} ({name})", gap >= -margin(row)
        if row["source"] in SURE:
            low = others[USUAL]["difference_interval"][0]
            yield f"{where}: surely above LightGBM's defaults", f"{low:+.4f} at least", low > 0
        if place in GAIN:
            for name in (BUYING, PUBLISHED):
                gap = others[name]["difference"]
                words = f"{where}: {GAIN[place]:g} above the {name}"
                yield words, f"{gap:+.4f}", gap >= GAIN[place]
        yield from _agreement(row)
    ratio = summary(rows)["time_ratio_vs_flaml"]
    yield f"FLAML's figure in {TIME:g} of FLAML's time", f"{ratio:.2f}", ratio <= TIME


def _agreement(row: Row) -> Iterator[tuple[str, str, bool]]:
    """Of each part of the test whether chances and amounts come true."""
    for part in row["agreement"]:
        where = " ".join(filter(None, (row["source"], row["target"], part["part"])))
        if "sum_ratio" in part:
            low, high = RATIO
            words, ratio = f"{where}: sum ratio of {low:g} to {high:g}", part["sum_ratio"]
            yield words, f"{ratio:.2f}", low <= ratio <= high
            continue
        error, floor, limit = part["error"], part["floor"], ERROR.get(row["source"])
        words = f"within {FLOORS:g} times its floor" if limit is None else f"at most {limit:g}"
        told = f"{error:.4f} (floor {floor:.4f})"
        yield f"{where}: calibration error {words}", told, error <= (limit or FLOORS * floor)


def page(rows: Sequence[Row], command: str, found: dict[str, float]) -> Iterator[str]:
    """The page in Markdown."""
    yield "# Tierline and its peers"
    yield ""
    yield "```"
    yield f"python -m experiments.field {command}"
    yield "```"
    yield ""
    yield (
        "writes this page; it needs `uv pip install '.[peers,bench]'`. Everybody gets the same "
        "matrix of Tierline's features and the same test rows. Tierline is its chain: tuned in "
        "folds of its learning rows, held to its directions, calibrated out of fold; 15 % of the "
        "customers calibrate alone and teach its trees nothing, while the peers learn from those "
        "rows too. `lightgbm` and `catboost` have their libraries' defaults, `xgboost` and `woe` "
        "(logistic regression on optimal bins) settings that people start from, `flaml` searches "
        "as long on the clock as the command says, else as Tierline did (10 seconds at least); "
        "`regression` and `buying model` are the [baselines](data-scientist.md) of every run; "
        "`published BG/NBD` (with Gamma-Gamma for value) is fitted on the cohort of each test "
        "date alone, with the penalty that suits it best. Intervals are 95 % over resampled "
        "customers, differences paired on the same rows. Of `online_retail_ii` a figure is the "
        "mean of its two test dates; `berka` is judged out of fold, its seconds are those of 15 "
        "folds. Seconds are of one core and hold neither features nor judging; FLAML's clock "
        "stops where it had found its best model. An explanation is one of 1,000 rows explained "
        "at once. A calibration error is the mean distance of chance and truth over ten equal "
        "groups, its floor that of a perfect model of the same chances."
    )
    yield ""
    yield from _markdown(HEAD, [line for row in rows for line in _lines(row)])
    yield ""
    yield "Against the best peer, and against FLAML's clock:"
    yield ""
    head = ("source", "target", "best peer", "Tierline minus it", "rank", "time to FLAML's figure")
    yield from _markdown(head, [_against(row) for row in rows])
    yield ""
    yield (
        f"Over these {len(rows)} targets Tierline is ahead of the best peer or within its interval "
        f"on {found['sets_within_noise_or_ahead_share']:.0%}, no further behind than "
        f"{MARGIN:g} ({SMALL['berka']:g} on `berka`) on {found['sets_within_margin_share']:.0%}. "
        f"Its mean rank is {found['mean_rank']:.1f}. It reaches FLAML's figure in "
        f"{found['time_ratio_vs_flaml']:.2f} of FLAML's time (geometric mean; "
        f"{found['flaml_unreached']:.0f} not reached, counted with the whole search)."
    )
    yield ""
    yield "The goals, as far as these targets tell:"
    yield ""
    told = [(words, figure, "met" if met else "not met") for words, figure, met in goals(rows)]
    yield from _markdown(("goal", "found", ""), told)


def _lines(row: Row) -> Iterator[tuple[str, ...]]:
    order = sorted(row["learners"].items(), key=lambda item: -item[1]["figure"])
    for name, v in order:
        low, high = v["interval"]
        yield (
            row["source"], row["target"], name, row["metric"], f"{v['figure']:.4f}",
            f"{low:.3f} to {high:.3f}", "" if name == OURS else _gap(v), f"{v['seconds']:.1f}",
            "" if v["size"] is None else f"{v['size'] / 1000:.1f}",
            "" if v["explain_ms"] is None else f"{v['explain_ms']:.3f}",
        )  # fmt: skip


def _against(row: Row) -> tuple[str, ...]:
    name, peer = best(row)
    ratio, reached = time_ratio(row)
    told = f"{ratio:.2f}" if reached else f"not reached in {ratio:.2f}"
    place = f"{rank(row)} of {len(row['learners'])}"
    return (row["source"], row["target"], name, _gap(peer), place, told)


def _gap(v: Row) -> str:
    low, high = v["difference_interval"]
    return f"{v['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"


def _markdown(head: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, tuple("---" for _ in head), *rows):
        yield "| " + " | ".join(row) + " |"
