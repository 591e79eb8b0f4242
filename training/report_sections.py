"""The sections of a report about one scorer: each turns one part of its content into HTML.

Enters: a target on a page. Leaves: HTML. It computes no figure of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from training.report_figures import Attribute
from training.report_html import Shown, figure, ranged
from training.report_made import label, leakage, method, split, use
from training.report_section import Section
from training.report_skill import calibration, compared, discrimination
from training.report_svg import axes_of, bars, curves
from training.report_words import gate_text

SHOWN = 10
"""Lines in sight of a long list; the rest opens by a click."""
DEPENDENCE = 6
BANDS = 3


def sections(s: Section) -> Iterator[str]:
    """Every section of a target, in the order of reading."""
    for key, inner in SECTIONS.items():
        yield f'<h3 id="{s.target}-{key}">{s.write.w(key)}</h3>{inner(s)}'


def _gates(s: Section) -> str:
    lang = s.write.lang
    rows = [
        (gate_text(g.gate, lang), s.write.mark(g.result), gate_text(g.figure, lang))
        for g in s.found.gates
    ]
    return s.write.table(("gate", "result", "figure"), rows) + s.write.note("parity")


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
    "use": use,
    "label": label,
    "split": split,
    "leakage": leakage,
    "method": method,
    "gates": _gates,
    "discrimination": discrimination,
    "compared": compared,
    "calibrated": calibration,
    "monotone": _monotone,
    "stability": _stability,
    "groups": _groups,
    "coverage": _coverage,
    "reasons": _reasons,
}
