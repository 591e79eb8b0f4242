"""The sections of a report about one scorer: each turns one part of its content into HTML.

Enters: a target's content, the study plan. Leaves: HTML. It computes no figure of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from domain.asof import parse_instant
from domain.plan import StudyPlan
from domain.tiers import Target
from training.tier_figures import MEASURES
from training.validation_html import Shown, Writer, figure, ranged, span, spread
from training.validation_model import Attribute, LearntPart, Ranged, TargetReport
from training.validation_svg import axes_of, bars, curves, number, spans
from training.validation_words import gate_text, part_name

SHOWN = 10
"""Lines in sight of a long list; the rest opens by a click."""
DEPENDENCE = 6
BANDS = 3


@dataclass(frozen=True)
class Section:
    """One target: what is told of it, the plan, and what fitted its trees."""

    target: Target
    found: TargetReport
    plan: StudyPlan
    learner: str
    write: Writer

    @property
    def events(self) -> str:
        """The word for the rows that count."""
        return "spenders" if self.found.is_amount else "bad"

    def name(self, feature: str) -> str:
        """What a feature is called."""
        pair = self.found.labels.features.get(feature)
        return feature if pair is None else self.write.told(pair)

    def sign(self, sign: str) -> str:
        """A sign between words as the language writes it."""
        return self.write.sign(sign)

    def unit(self, feature: str) -> str:
        """In what the values of a feature are told."""
        unit = self.found.labels.units.get(feature, "")
        return self.plan.currency if unit == "currency" else self.write.say(unit)

    def idea(self, name: str) -> str:
        """What an idea is called."""
        pair = self.found.labels.ideas.get(name)
        return name if pair is None else self.write.told(pair)

    def part(self, name: str) -> str:
        """What a part of the test is called."""
        return part_name(name, self.write.lang)

    def measure(self, name: str) -> str:
        """What a figure is called, with its unit where it is money."""
        money = name in ("mae", "mean") and self.found.is_amount
        return self.write.say(name) + (f" ({self.plan.currency})" if money else "")


def sections(s: Section) -> Iterator[str]:
    """Every section of a target, in the order of reading."""
    for key, inner in SECTIONS.items():
        yield f'<h3 id="{s.target}-{key}">{s.write.w(key)}</h3>{inner(s)}'


def _use(s: Section) -> str:
    return f"<p>{s.write.w('use_' + s.target)}</p>{s.write.note('not_use')}"


def _label(s: Section) -> str:
    plan = s.plan.targets[s.target]
    rows: list[tuple[str, str]] = [("horizon", str(plan.horizon_days))]
    if s.target == "credit":
        rows.append(("past_due", str(plan.bad_days_past_due)))
    else:
        rows.append(("active", str(plan.active_days)))
    if s.target == "value":
        rows.append(("spend", s.write.w(plan.spend)))
    how = s.write.w(f"by_{plan.label}")
    told = f"{s.write.w('def_' + s.target)}{s.sign('; ')}{how}{s.sign('.')}"
    return f"<p>{told}</p>{s.write.listed(rows)}"


def _split(s: Section) -> str:
    parts = s.found.learnt.parts
    table = s.write.table(
        ("part", "rows", "customers", "dates", "from_to"),
        [
            (
                s.write.say(n), p.rows, p.customers, p.dates,
                span(f"{p.first[:10]} &ndash; {p.last[:10]}"),
            )
            for n, p in parts.items()
        ],
    )  # fmt: skip
    how = s.write.note(f"split_{s.found.learnt.by}")
    return f'{how}<div class="two">{_timeline(s, parts)}<div>{table}</div></div>'


def _timeline(s: Section, parts: Mapping[str, LearntPart]) -> str:
    """When each part stands, or, at one instant, how many rows it has."""
    first, last = min(p.first for p in parts.values()), max(p.last for p in parts.values())
    begin, whole = parse_instant(first), parse_instant(last) - parse_instant(first)
    if s.found.learnt.by != "time" or not whole:
        return bars(
            s.write.say("by_rows"),
            [(s.write.say(n), p.rows, f"{p.rows:,}") for n, p in parts.items()],
        )
    rows = [
        (
            f"{s.write.say(n)}{s.sign(': ')}{p.rows:,}",
            (parse_instant(p.first) - begin) / whole,
            (parse_instant(p.last) - begin) / whole,
        )
        for n, p in parts.items()
    ]
    return spans(s.write.say("by_time"), rows, (first[:10], last[:10]))


def _leakage(s: Section) -> str:
    learnt = s.found.learnt
    rows = [
        (" / ".join(s.write.say(p) for p in names.split()), n)
        for names, n in learnt.shared_customers.items()
    ]
    gap = learnt.gap_days
    told = "" if gap is None else f"<p>{s.write.w('gap')}{s.sign(': ')}{number(gap)}</p>"
    return s.write.note("leak_how") + s.write.table(("shared", "customers"), rows) + told


def _method(s: Section) -> str:
    found = s.found
    rows = [
        ("learner", escape(s.learner)),
        ("trees", f"{found.monotone.trees:,}"),
        ("learnt_rows", f"{found.rows:,}"),
        ("used", f"{found.features:,}"),
        ("left", f"{len(found.dropped):,}"),
    ]
    chosen = s.write.table(("setting", "figure"), [(n, str(v)) for n, v in found.params.items()])
    return (
        f"<p>{s.write.w('method_text')}</p>{s.write.listed(rows)}{s.write.folded('chosen', chosen)}"
    )


def _gates(s: Section) -> str:
    lang = s.write.lang
    rows = [
        (gate_text(g.gate, lang), s.write.mark(g.result), gate_text(g.figure, lang))
        for g in s.found.gates
    ]
    return s.write.table(("gate", "result", "figure"), rows) + s.write.note("parity")


def _discrimination(s: Section) -> str:
    found, whole = s.found, s.found.test
    noise = found.noise["test"]
    rows = [
        (s.measure(n), v, spread(whole.intervals.get(n)), noise.get(n))
        for n, v in whole.measures.items()
    ]
    parts = [
        (
            s.part(n), p.rows, p.events, p.measures[found.metric], spread(p.interval),
            found.noise[n][found.metric],
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


def _compared(s: Section) -> str:
    whole, champion = s.found.test, s.found.champion
    others = [n for n in next(iter(whole.differences.values()), {}) if n != s.found.metric]

    def row(name: str, value: float, gaps: Mapping[str, Ranged]) -> tuple[Shown, ...]:
        return name, value, *(ranged(gaps[n]) for n in (s.found.metric, *others))

    rows = [row(s.write.say(n), v, whole.differences[n]) for n, v in whole.baseline.items()]
    told = s.write.note("no_champion") if champion is None else ""
    if champion is not None:
        name = f"{s.write.say('champion')} {champion.bundle[:12]}"
        if champion.figure is None or champion.differences is None:
            told = f'<p class="note">{escape(name)}: {escape(champion.because or "")}</p>'
        else:
            rows.append(row(name, champion.figure, champion.differences))
    head = ("baseline", s.found.metric, "difference", *others)
    return s.write.table(head, rows) + told + s.write.note("compared_note")


def _calibration(s: Section) -> str:
    table = s.write.table(
        ("decile", "rows", "predicted", "seen", "interval"),
        [
            (i, r.rows, r.predicted, r.seen, spread((r.low, r.high)))
            for i, r in enumerate(s.found.reliability["test"].table, start=1)
        ],
    )
    charts = "".join(_reliability(s, part) for part in s.found.tested)
    kind = "calibrated_amount" if s.found.is_amount else "calibrated_bad"
    note = s.write.note(kind)
    return f'{note}<div class="charts">{charts}</div>{s.write.folded("details", table)}'


def _reliability(s: Section, part: str) -> str:
    found = s.found.reliability[part]
    points = [(r.predicted, r.seen) for r in found.table]
    most = max(max(r.predicted, r.high) for r in found.table)
    axes = axes_of([(0.0, 0.0), (most, most)], (s.write.say("predicted"), s.write.say("seen")))
    floor = (
        "" if found.floor is None else f"{s.sign(', ')}{s.write.say('floor')} {figure(found.floor)}"
    )
    error = f"{s.write.say('error')} {figure(s.found.parts[part].calibration_error)}{floor}"
    ranges = [(r.predicted, r.low, r.high) for r in found.table]
    lines = {"guide": [(0.0, 0.0), (most, most)], "dots": points}
    return curves(f"{s.part(part)}{s.sign(': ')}{error}", lines, axes, ranges)


def _monotone(s: Section) -> str:
    found = s.found.monotone
    told = (("trees", found.trees), ("directed", len(found.directions)), ("broken", found.broken))
    rows = [(s.name(n), "+" if way > 0 else "\u2212") for n, way in found.directions.items()]
    table = s.write.folded("details", s.write.table(("feature", "direction"), rows))
    return s.write.listed([(k, f"{v:,}") for k, v in told]) + s.write.note("monotone_note") + table


def _stability(s: Section) -> str:
    found = s.found.stability
    if found.score is None:
        return s.write.note("no_stability")
    rows = [(s.part(p), psi) for p, psi in found.score.parts.items()]
    features = [(s.name(n), psi) for n, psi in _largest(found.features)]
    top = bars(s.write.say("psi_features"), [(n, v, figure(v)) for n, v in features[:SHOWN]])
    table = s.write.table(("score_psi", "psi"), [*rows, (s.write.say("floor"), found.score.floor)])
    rest = s.write.folded("details", s.write.table(("feature", "psi"), features))
    return f'<div class="two"><div>{table}</div><div>{top}{rest}</div></div>' + s.write.note(
        "stability_note"
    )


def _groups(s: Section) -> str:
    told = "".join(_attribute(s, name, found) for name, found in s.found.groups.items())
    return (told or s.write.note("no_groups")) + s.write.note("groups_note")


def _attribute(s: Section, attribute: str, found: Attribute) -> str:
    tiers = ("quadratic_kappa", "macro_f1") if s.found.is_amount else ()
    measures = (s.found.metric, *tiers, "predicted_to_seen", "favourable")
    seen = "seen_amount" if s.found.is_amount else "seen_bad"
    rows: list[tuple[Shown, ...]] = [
        (s.write.say(n), g.rows, g.events, g.seen, *(ranged(getattr(g, m)) for m in measures))
        for n, g in {"overall": found.overall, **found.by_group}.items()
    ]
    for key, gaps in (("largest_difference", found.difference), ("least_ratio", found.ratio)):
        if gaps:
            cells = (ranged(gaps.get(m)) for m in measures)
            rows.append((s.write.say(key), None, None, None, *cells))
    for n in found.too_small:
        name = f"{s.write.say(n)}{s.sign(': ')}{s.write.say('too_small')}"
        rows.append((name, None, None, None, *("" for _ in measures)))
    return s.write.table((attribute, "rows", s.events, seen, *measures), rows)


def _coverage(s: Section) -> str:
    rows = [
        (s.write.segment(n), c.rows, ranged((c.coverage, *c.interval)), c.unsure)
        for n, c in s.found.test.coverage.items()
    ]
    table = s.write.table(("group", "rows", "covered", "unsure"), rows)
    return table + s.write.note("coverage_note")


def _reasons(s: Section) -> str:
    view = s.found.view
    if view is None:
        return s.write.note("no_reasons")
    ideas = [(s.idea(n), v, figure(v)) for n, v in _largest(view.ideas)[:SHOWN]]
    pictures = [bars(s.write.say("importance"), ideas)]
    strongest = [n for n, _ in _largest(view.features) if n in view.dependence]
    for name in strongest[:DEPENDENCE]:
        told = [(p.value, p.points) for p in view.dependence[name]]
        points = [(value, size) for value, size in told if value is not None]
        if points:
            across = f"{s.write.say('feature_value')} ({s.unit(name)})"
            axes = axes_of(points, (across, s.write.say("points")))
            pictures.append(curves(s.name(name), {"main": points}, axes))
    bands: list[tuple[Shown, ...]] = [
        (str(band.from_points), band.rows, *_strongest(s, band.ideas)) for band in view.bands
    ]
    head = ("band", "rows", *("1", "2", "3"))
    counted = f"{s.write.w('view_rows')}{s.sign(': ')}{view.rows:,}"
    return (
        f'<p>{counted}</p><div class="charts">{"".join(pictures)}</div><p>{s.write.w("bands")}</p>'
        f"{s.write.table(head, bands)}"
    )


def _strongest(s: Section, ideas: Mapping[str, float]) -> list[str]:
    """The first three ideas of a band, each with the share that has it."""
    told = [f"{s.idea(n)} {v:.0%}" for n, v in _largest(ideas)[:BANDS]]
    return [*told, *[""] * BANDS][:BANDS]


def _largest(sizes: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))


SECTIONS: Mapping[str, Callable[[Section], str]] = {
    "use": _use,
    "label": _label,
    "split": _split,
    "leakage": _leakage,
    "method": _method,
    "gates": _gates,
    "discrimination": _discrimination,
    "compared": _compared,
    "calibrated": _calibration,
    "monotone": _monotone,
    "stability": _stability,
    "groups": _groups,
    "coverage": _coverage,
    "reasons": _reasons,
}
