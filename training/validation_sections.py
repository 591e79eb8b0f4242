"""The sections of a report about one scorer: each turns one part of the card into HTML.

Enters: a target's figures as they stand in the card, its global view. Leaves: HTML. It computes no
figure of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from domain.asof import parse_instant
from domain.tiers import Target
from training.validation_html import Cell, Shown, Writer, ranged
from training.validation_svg import axes_of, bars, curves, number, spans
from training.validation_words import gate_text, part_name

SHOWN = 10
"""Lines in sight of a long list; the rest opens by a click."""
DEPENDENCE = 6
BANDS = 3
_COUNTS = ("rows", "events")


@dataclass(frozen=True)
class Section:
    """One target: what its card says, the plan, and its global view (None: too few rows)."""

    target: Target
    figures: Mapping[str, Any]
    plan: Mapping[str, Any]
    view: Mapping[str, Any] | None
    write: Writer

    @property
    def found(self) -> Mapping[str, Any]:
        """What the validation found."""
        content: Mapping[str, Any] = self.figures["validation"]
        return content

    @property
    def parts(self) -> list[str]:
        """The judged parts of the test, the whole one first."""
        return [n for n in self.figures if n.startswith("test")]

    def name(self, feature: str, kind: str = "features") -> str:
        """What a feature or idea is called."""
        pair = self.found["labels"][kind].get(feature)
        return feature if pair is None else self.write.told(pair)


def sections(s: Section) -> Iterator[str]:
    """Every section of a target, in the order of reading."""
    for key, inner in SECTIONS.items():
        yield f"<h3>{s.write.w(key)}</h3>{inner(s)}"


def _label(s: Section) -> str:
    plan = s.plan["targets"][s.target]
    rows: list[tuple[str, Shown]] = [("horizon", plan["horizon_days"])]
    rows.append(
        ("past_due", plan["bad_days_past_due"])
        if s.target == "credit"
        else ("active", plan["active_days"])
    )
    how = s.write.w(f"by_{plan['label']}")
    told = "".join(f"<dt>{s.write.w(k)}</dt><dd>{v}</dd>" for k, v in rows)
    return f"<p>{s.write.w('def_' + s.target)}; {how}.</p><dl>{told}</dl>"


def _split(s: Section) -> str:
    parts = s.found["learnt"]["parts"]
    table = s.write.table(
        ("split", "rows", "customers", "dates", "from_to"),
        [
            (
                s.write.say(n), p["rows"], p["customers"], p["dates"],
                Cell(f"{p['first'][:10]} &ndash; {p['last'][:10]}"),
            )
            for n, p in parts.items()
        ],
    )  # fmt: skip
    return f'<div class="two">{_timeline(s, parts)}<div>{table}</div></div>'


def _timeline(s: Section, parts: Mapping[str, Any]) -> str:
    """When each part stands, or, at one instant, how many rows it has."""
    title = s.write.say("split")
    first = min(p["first"] for p in parts.values())
    last = max(p["last"] for p in parts.values())
    begin, whole = parse_instant(first), parse_instant(last) - parse_instant(first)
    if s.found["learnt"]["by"] != "time" or not whole:
        return bars(
            title, [(s.write.say(n), p["rows"], number(p["rows"])) for n, p in parts.items()]
        )
    rows = [
        (
            f"{s.write.say(n)}: {p['rows']:,}",
            (parse_instant(p["first"]) - begin) / whole,
            (parse_instant(p["last"]) - begin) / whole,
        )
        for n, p in parts.items()
    ]
    return spans(title, rows, (first[:10], last[:10]))


def _leakage(s: Section) -> str:
    learnt = s.found["learnt"]
    rows = [
        (" / ".join(s.write.say(p) for p in names.split()), n)
        for names, n in learnt["shared_customers"].items()
    ]
    gap = learnt["gap_days"]
    told = "" if gap is None else f"<p>{s.write.w('gap')}: {number(gap)}</p>"
    return s.write.note("leak_how") + s.write.table(("shared", "customers"), rows) + told


def _gates(s: Section) -> str:
    def mark(passed: bool) -> Cell:
        word = "passed" if passed else "failed"
        return Cell(f'<b class="{"good" if passed else "bad"}">{s.write.w(word)}</b>')

    rows = [
        (
            gate_text(g["gate"], s.write.lang),
            mark(g["passed"]),
            gate_text(g["figure"], s.write.lang),
        )
        for g in s.figures["gates"]
    ]
    return s.write.table(("gate", "result", "figure"), rows) + s.write.note("parity")


def _discrimination(s: Section) -> str:
    whole, noise = s.figures["test"], s.found["noise"]["test"]
    plain = [n for n, v in whole.items() if isinstance(v, int | float)]
    ordered = [*_COUNTS, *(n for n in plain if n not in _COUNTS)]
    shown = s.figures["metric"]
    rows = [
        (s.write.say(n), whole[n], _interval(whole) if n == shown else None, noise.get(n))
        for n in ordered
    ]
    parts = [
        (
            part_name(p, s.write.lang),
            *(s.figures[p][n] for n in (*_COUNTS, shown)),
            _interval(s.figures[p]),
            s.found["noise"][p][shown],
        )
        for p in s.parts
    ]
    head = ("parts", "rows", "events", "figure", "interval", "noise")
    return (
        f'<div class="two"><div>{s.write.table(("measure", "figure", "interval", "noise"), rows)}'
        f"</div><div>{_gains(s)}</div></div>{s.write.note('noise_note')}"
        f"{s.write.table(head, parts)}{_profit(s)}{_tiers(s)}"
    )


def _interval(figures: Mapping[str, Any]) -> Cell:
    low, high = figures["interval"]
    return Cell(f"{number(low)}&nbsp;&ndash;&nbsp;{number(high)}")


def _gains(s: Section) -> str:
    rows = s.found["gains"]
    whole = sum(r["rows"] for r in rows)
    curve, done = [(0.0, 0.0)], 0
    for r in rows:
        done += r["rows"]
        curve.append((done / whole, r["captured"]))
    lines = {"guide": [(0.0, 0.0), (1.0, 1.0)], "main": curve}
    axes = axes_of(curve, (s.write.say("gains_x"), s.write.say("gains_y")))
    table = s.write.table(
        ("decile", "rows", "mean", "lift", "captured"),
        [(i, r["rows"], r["mean"], r["lift"], r["captured"]) for i, r in enumerate(rows, start=1)],
    )
    return curves(s.write.say("gains"), lines, axes) + s.write.folded("details", table)


def _profit(s: Section) -> str:
    found = s.found["profit"]
    if found is None:
        return ""
    curve = [(r["share"], r["profit"]) for r in found["curve"]]
    axes = axes_of(curve, (s.write.say("gains_x"), s.write.say("profit_y")))
    best = found["best"]
    told = f"{s.write.w('profit_best')}: {number(best['share'])}, {number(best['profit'])}"
    picture = curves(s.write.say("profit"), {"main": curve, "guide": [(0, 0), (1, 0)]}, axes)
    return f'<div class="half">{picture}<p>{told}</p></div>'


def _tiers(s: Section) -> str:
    found = s.found["tiers"]
    if found is None:
        return ""
    names = found["tiers"]
    rows = [(n, *line) for n, line in zip(names, found["table"], strict=True)]
    better = found.get("suggested", {})
    plain = [
        (s.write.say(n), v, better.get(n))
        for n, v in found.items()
        if n not in ("tiers", "table", "suggested")
    ]
    left = s.write.table(("measure", "policy_cuts", "suggested_cuts"), plain)
    if better:
        places = ", ".join(map(str, better["bounds"]))
        left += f'<p class="note">{s.write.w("suggested_cuts")}: {places}</p>'
    right = s.write.table(("tiers", *names), rows) + s.write.note("tiers_note")
    return f'{s.write.h("tiers")}<div class="two"><div>{left}</div><div>{right}</div></div>'


def _compared(s: Section) -> str:
    whole = s.figures["test"]
    rows: list[tuple[Shown, ...]] = [
        (s.write.say(n), figure, ranged(whole["difference"][n]))
        for n, figure in whole["baseline"].items()
    ]
    champion = s.found["champion"]
    told = s.write.note("no_champion") if champion is None else ""
    if champion is not None:
        name = f"{s.write.say('champion')} {champion['bundle'][:12]}"
        if "because" in champion:
            told = f'<p class="note">{escape(name)}: {escape(champion["because"])}</p>'
        else:
            rows.append((name, champion["figure"], ranged(champion["difference"])))
    return s.write.table(("baseline", "figure", "difference"), rows) + told


def _calibration(s: Section) -> str:
    return f'<div class="charts">{"".join(_reliability(s, part) for part in s.parts)}</div>'


def _reliability(s: Section, part: str) -> str:
    found, figures = s.found["reliability"][part], s.figures[part]
    points = [(a, b) for a, b, _ in found["table"]]
    most = max(max(p) for p in points)
    axes = axes_of(
        [*points, (0.0, 0.0), (most, most)], (s.write.say("predicted"), s.write.say("seen"))
    )
    floor = "" if found["floor"] is None else f", {s.write.say('floor')} {number(found['floor'])}"
    error = f"{s.write.say('error')} {number(figures['calibration_error'])}{floor}"
    title = f"{part_name(part, s.write.lang)}: {error}"
    return curves(title, {"guide": [(0.0, 0.0), (most, most)], "dots": points}, axes)


def _monotone(s: Section) -> str:
    found = s.found["monotone"]
    ways = found["directions"]
    told = (("trees", found["trees"]), ("directed", len(ways)), ("broken", found["broken"]))
    inner = "".join(f"<dt>{s.write.w(k)}</dt><dd>{v}</dd>" for k, v in told)
    rows = [(s.name(n), "+" if way > 0 else "\u2212") for n, way in ways.items()]
    table = s.write.folded("details", s.write.table(("feature", "directed"), rows))
    return f"<dl>{inner}</dl>{s.write.note('monotone_note')}{table}"


def _stability(s: Section) -> str:
    found = s.found["stability"]
    if found["score"] is None:
        return s.write.note("no_stability")
    score = found["score"]
    rows = [(part_name(p, s.write.lang), psi) for p, psi in score["parts"].items()]
    features = [(s.name(n), psi) for n, psi in _largest(found["features"])]
    top = bars("PSI", [(n, v, number(v)) for n, v in features[:SHOWN]])
    table = s.write.table(("score", "figure"), [*rows, (s.write.say("floor"), score["floor"])])
    rest = s.write.folded("details", s.write.table(("feature", "figure"), features))
    return f'<div class="two"><div>{table}</div><div>{top}{rest}</div></div>' + s.write.note(
        "stability_note"
    )


def _groups(s: Section) -> str:
    told = "".join(_attribute(s, name, found) for name, found in s.found["groups"].items())
    return (told or s.write.note("no_groups")) + s.write.note("groups_note")


def _attribute(s: Section, attribute: str, found: Mapping[str, Any]) -> str:
    measures = list(found["difference"])
    rows: list[tuple[Shown, ...]] = [
        (s.write.say(n), g["rows"], g["events"], g["seen"], *(ranged(g[m]) for m in measures))
        for n, g in found["by_group"].items()
    ]
    gaps = (("largest_difference", "difference"), ("least_ratio", "ratio"))
    for key, kind in gaps if measures else ():
        cells = (ranged(found[kind][m]) if m in found[kind] else "" for m in measures)
        rows.append((s.write.say(key), None, None, None, *cells))
    for n in found.get("too_small", ()):
        name = f"{s.write.say(n)}: {s.write.say('too_small')}"
        rows.append((name, None, None, None, *("" for _ in measures)))
    head = (attribute, "rows", "events", "seen", *measures)
    return s.write.table(head, rows)


def _coverage(s: Section) -> str:
    rows = [
        (s.write.say(n), c["rows"], ranged([c["coverage"], *c["interval"]]), c["unsure"])
        for n, c in s.figures["test"]["coverage"].items()
    ]
    return s.write.table(("group", "rows", "coverage", "unsure"), rows)


def _reasons(s: Section) -> str:
    if s.view is None:
        return s.write.note("no_reasons")
    ideas = [(s.name(n, "ideas"), v, number(v)) for n, v in _largest(s.view["ideas"])[:SHOWN]]
    pictures = [bars(s.write.say("importance"), ideas)]
    strongest = [n for n, _ in _largest(s.view["features"]) if n in s.view["dependence"]]
    for name in strongest[:DEPENDENCE]:
        told = [p for p in s.view["dependence"][name] if p["value"] is not None]
        points = [(p["value"], p["points"]) for p in told]
        if points:
            axes = axes_of(points, ("", s.write.say("points")))
            pictures.append(curves(s.name(name), {"main": points}, axes))
    bands = [
        (
            band["from_points"], band["rows"],
            *(f"{s.name(n, 'ideas')} {v:.0%}" for n, v in _padded(_largest(band["ideas"]))),
        )
        for band in s.view["bands"]
    ]  # fmt: skip
    head = ("band", "rows", *("1", "2", "3"))
    return (
        f'<div class="charts">{"".join(pictures)}</div><p>{s.write.w("bands")}</p>'
        f"{s.write.table(head, bands)}"
    )


def _largest(sizes: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))


def _padded(pairs: list[tuple[str, float]]) -> list[tuple[str, float]]:
    return [*pairs, *[("", 0.0)] * BANDS][:BANDS]


SECTIONS: Mapping[str, Callable[[Section], str]] = {
    "label": _label,
    "split": _split,
    "leakage": _leakage,
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
