"""The sections of a report about how good a scorer is: ranking, others beside it, calibration.

Enters: a target on a page. Leaves: HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import accumulate

from training.report_figures import OutcomePart, Ranged
from training.report_html import Shown, figure, ranged, spread
from training.report_section import Section
from training.report_svg import axes_of, curves
from training.tier_figures import MEASURES


def discrimination(s: Section) -> str:
    """How well it ranks: figures, parts, gains, profit, tiers."""
    found, whole = s.found, s.found.test
    noise = found.noise["test"]
    rows = [
        (s.measure(n), v, spread(whole.intervals.get(n)), noise.get(n))
        for n, v in whole.measures.items()
    ]
    first = found.metric
    parts = [
        (
            s.part(n), p.rows, p.events, p.measures[first], spread(p.intervals[first]),
            found.noise[n][first],
        )
        for n, p in ((n, found.parts[n]) for n in found.ordered)
    ]  # fmt: skip
    counted = (
        f"{s.write.w('rows')} {whole.rows:,}{s.sign(', ')}{s.write.w(s.events)} {whole.events:,}"
    )
    measures = s.write.table(("measure", "figure", "interval", "noise"), rows)
    head = ("parts", "rows", s.events, found.metric, "interval", "noise")
    return (
        f'<div class="two"><div><p>{counted}</p>{measures}</div><div>{_gains(s)}</div></div>'
        f"{s.write.note('noise_note')}{s.write.table(head, parts)}{s.write.note('parts_note')}"
        f"{_profit(s)}{_tiers(s)}"
    )


def _gains(s: Section) -> str:
    rows = s.found.gains
    done = [*accumulate(r.rows for r in rows)]
    ranges = [(n / done[-1], *r.interval) for n, r in zip(done, rows, strict=True)]
    curve = [(0.0, 0.0), *((n / done[-1], r.captured) for n, r in zip(done, rows, strict=True))]
    lines = {"guide": [(0.0, 0.0), (1.0, 1.0)], "main": curve}
    kind = "amount" if s.found.is_amount else "bad"
    axes = axes_of(curve, (s.write.say("gains_x"), s.write.say(f"captured_{kind}")))
    table = s.write.table(
        ("decile", "rows", "mean", "lift", "captured", "interval"),
        [
            (i, r.rows, r.mean, r.lift, r.captured, spread(r.interval))
            for i, r in enumerate(rows, start=1)
        ],
    )
    return curves(s.write.say("gains"), lines, axes, ranges) + s.write.folded("details", table)


def _profit(s: Section) -> str:
    found = s.found.profit
    if found is None:
        return ""
    curve = [(r.share, r.profit) for r in found.curve]
    unit = f"{s.write.say('profit_y')} ({s.plan.currency})"
    ranges = [(r.share, *r.interval) for r in found.curve]
    ends = [(at, y) for at, *both in ranges for y in both]
    axes = axes_of([*curve, *ends], (s.write.say("gains_x"), unit))
    money = ranged((found.best.profit, *found.best.interval))
    best = f"{found.best.share:.0%}{s.sign(', ')}{money} {escape(s.plan.currency)}"
    lines = {"main": curve, "guide": [(0.0, 0.0), (1.0, 0.0)]}
    picture = curves(s.write.say("profit"), lines, axes, ranges)
    return f'<div class="half">{picture}<p>{s.write.w("profit_best")}{s.sign(": ")}{best}</p></div>'


def _tiers(s: Section) -> str:
    found = s.found.tiers
    if found is None:
        return ""
    rows: list[tuple[Shown, ...]] = [
        (s.write.say(n), *line) for n, line in zip(found.tiers, found.table, strict=True)
    ]
    noise, better = s.found.noise["test"], found.suggested
    measured: list[tuple[Shown, ...]] = [
        (
            s.write.say(n), getattr(found, n), spread(found.intervals.get(n)), noise.get(n),
            getattr(better, n, None),
        )
        for n in MEASURES
    ]  # fmt: skip
    left = s.write.table(
        ("measure", "policy_cuts", "interval", "noise", "suggested_cuts"), measured
    )
    if better is not None:
        bounds = ", ".join(map(str, better.bounds))
        left += f'<p class="note">{s.write.w("suggested_cuts")}{s.sign(": ")}{bounds}</p>'
    right = s.write.table(("true_tier", *found.tiers), rows) + s.write.note("tiers_note")
    return (
        f'<h4>{s.write.w("tiers")}</h4><div class="two"><div>{left}</div><div>{right}</div></div>'
    )


def compared(s: Section) -> str:
    """Baselines and the champion beside it."""
    whole, champion = s.found.test, s.found.champion
    others = [n for n in next(iter(whole.differences.values()), {}) if n != s.found.metric]

    def row(name: str, value: float, gaps: Mapping[str, Ranged]) -> tuple[Shown, ...]:
        return name, value, *(ranged(gaps[n]) for n in (s.found.metric, *others))

    rows = [row(s.write.say(n), v, whole.differences[n]) for n, v in whole.baseline.items()]
    told = s.write.note("no_champion") if champion is None else ""
    if champion is not None:
        name = f"{s.write.say('champion')} {champion.bundle[:12]}"
        if champion.figures is None or champion.differences is None:
            told = f'<p class="note">{escape(name)}: {escape(champion.because or "")}</p>'
        else:
            rows.append(row(name, champion.figures[s.found.metric], champion.differences))
    head = ("baseline", s.found.metric, "difference", *others)
    return s.write.table(head, rows) + told + s.write.note("compared_note")


def calibration(s: Section) -> str:
    """Predicted and seen, as tables and pictures."""
    table = s.write.table(
        ("decile", "rows", "predicted", "seen", "interval"),
        [
            (i, r.rows, r.predicted, r.seen, spread(r.interval))
            for i, r in enumerate(s.found.test.reliability, start=1)
        ],
    )
    charts = "".join(_reliability(s, part) for part in s.found.tested)
    kind = "calibrated_amount" if s.found.is_amount else "calibrated_bad"
    note = s.write.note(kind)
    return f'{note}<div class="charts">{charts}</div>{s.write.folded("details", table)}'


def _reliability(s: Section, part: str) -> str:
    found = s.found.parts[part]
    tenths = found.reliability
    most = max(max(r.predicted, r.interval[1]) for r in tenths)
    axes = axes_of([(0.0, 0.0), (most, most)], (s.write.say("predicted"), s.write.say("seen")))
    error = f"{s.write.say('error')} {figure(found.calibration_error)}"
    if isinstance(found, OutcomePart):
        error += f"{s.sign(', ')}{s.write.say('floor')} {figure(found.calibration_floor)}"
    ranges = [(r.predicted, *r.interval) for r in tenths]
    lines = {
        "guide": [(0.0, 0.0), (most, most)],
        "dots": [(r.predicted, r.seen) for r in tenths],
    }
    return curves(f"{s.part(part)}{s.sign(': ')}{error}", lines, axes, ranges)
