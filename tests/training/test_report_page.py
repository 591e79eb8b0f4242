"""The page of a report: every figure is the JSON's, nothing is fetched, Chromium shows it whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from domain.decision import canonical_json
from tests.browsers import launched, opened_page
from tests.training.page_world import Reader
from training.report import as_json
from training.report_model import read
from training.report_page import SUPERVISORS, page
from training.report_sections import SECTIONS
from training.report_words import called, gate_text, part_name, segment, word

LANGS = ("zh", "en")


@pytest.fixture(scope="module")
def told(trained) -> dict[str, Any]:
    return json.loads(as_json(trained.result.bundle))


def page_of(told: dict[str, Any], lang) -> str:
    return page(read(canonical_json(told).encode()), lang)


@pytest.fixture(scope="module", params=LANGS)
def shown(request, told) -> tuple[Any, str, Reader]:
    html = page_of(told, request.param)
    return request.param, html, Reader(html)


def test_every_section_of_every_target_is_there_and_nothing_is_fetched(told, shown):
    lang, html, reader = shown
    assert reader.open == []
    assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in html
    assert all(link.startswith("#") and f'id="{link[1:]}"' in html for link in reader.fetched)
    assert "<script" not in html
    for target in told["targets"]:
        for key in SECTIONS:
            assert f'<h3 id="{target}-{key}">{word(key, lang)}</h3>' in html
            assert reader.text[f"{target}-{key}"].strip() != word(key, lang)
    for sha in (*told["card"]["data"].values(), told["bundle"], told["card"]["policy"]["hash"]):
        assert sha in html
    assert "&amp;" not in html, "a text was escaped twice"


def test_what_a_supervisor_asks_is_led_to_sections_that_are_there(shown):
    _, html, _ = shown
    there = {key for key in SECTIONS if f'-{key}"' in html}
    there |= {key for key in ("lineage", "limits") if f'id="{key}"' in html}
    asked = {section for where in SUPERVISORS.values() for section in where}
    assert asked - there == {"signed"}, "signatures come when somebody signs"


def is_told(text: str, wanted: object) -> bool:
    """Whether a cell shows a value: a text as it is, a number to three digits, a list as a figure
    with its interval, or as an interval."""
    if wanted is None:
        return text == ""
    if isinstance(wanted, str):
        return text == wanted
    values = wanted if isinstance(wanted, Sequence) else [wanted]
    parts = text.replace("\u2013", " ").replace("[", " ").replace("]", " ").split()
    numbers = [float(p.rstrip(",").replace(",", "")) for p in parts]
    near = [abs(a - b) <= max(5.1e-3 * abs(b), 5e-6) for a, b in zip(numbers, values, strict=True)]
    whole = [isinstance(v, int) for v in values]
    exact = [a == b for a, b, w in zip(numbers, values, whole, strict=True) if w]
    return all(near) and all(exact)


def tables_of(target: str, told: dict[str, Any], lang) -> Iterator[tuple[str, list[list[object]]]]:
    """What the tables of a target must show, by section, from its raw JSON."""
    found, metric = told["targets"][target], told["targets"][target]["metric"]
    test, noise = found["parts"]["test"], found["noise"]

    def say(name: str) -> str:
        return called(name, lang)

    def named(features: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, value in sorted(features.items(), key=lambda pair: (-pair[1], pair[0])):
            yield found["labels"]["features"][name][lang == "en"], value

    yield (
        "split",
        [
            [
                say(n),
                p["rows"],
                p["customers"],
                p["dates"],
                f"{p['first'][:10]} \u2013 {p['last'][:10]}",
            ]
            for n, p in found["learnt"]["parts"].items()
        ],
    )
    yield (
        "leakage",
        [
            [" / ".join(map(say, names.split())), n]
            for names, n in found["learnt"]["shared_customers"].items()
        ],
    )
    yield "method", [[n, str(v)] for n, v in found["params"].items()]
    yield "gates", [
        [gate_text(g["gate"], lang), word(g["result"], lang),
         gate_text(g["figure"], lang)]
        for g in found["gates"]
    ]  # fmt: skip
    money = f" ({told['card']['plan']['currency']})"
    yield "discrimination", [
        [say(n) + (money if n in ("mae", "mean") else ""), test[n], test["intervals"].get(n),
         noise["test"].get(n)]
        for n in test if isinstance(test[n], float)
    ]  # fmt: skip
    yield (
        "discrimination",
        [
            [i, *(r[k] for k in ("rows", "mean", "lift", "captured", "interval"))]
            for i, r in enumerate(found["gains"], start=1)
        ],
    )
    yield (
        "discrimination",
        [
            [
                part_name(n, lang),
                p["rows"],
                p["events"],
                p[metric],
                p["intervals"][metric],
                noise[n][metric],
            ]
            for n, p in found["parts"].items()
        ],
    )
    if found["tiers"]:
        tiers = found["tiers"]
        plain = ("macro_f1", "quadratic_kappa", "high_for_low", "low_for_high")
        yield (
            "discrimination",
            [[say(n), tiers[n], tiers["intervals"][n], noise["test"][n]] for n in plain],
        )
        lines = zip(tiers["tiers"], tiers["table"], strict=True)
        yield "discrimination", [[say(n), *line] for n, line in lines]
    yield "compared", [
        [say(n), v, test["differences"][n][metric],
         *(gap for m, gap in test["differences"][n].items() if m != metric)]
        for n, v in test["baseline"].items()
    ]  # fmt: skip
    yield (
        "calibrated",
        [
            [i, r["rows"], r["predicted"], r["seen"], r["interval"]]
            for i, r in enumerate(test["reliability"], start=1)
        ],
    )
    ways = found["monotone"]["directions"]
    yield (
        "monotone",
        [
            [found["labels"]["features"][n][lang == "en"], "+" if way > 0 else "\u2212"]
            for n, way in ways.items()
        ],
    )
    score = found["stability"]["score"]
    parts = [[part_name(n, lang), v] for n, v in score["parts"].items()]
    yield "stability", [*parts, [word("floor", lang), score["floor"]]]
    yield "stability", [[*pair] for pair in named(found["stability"]["features"])]
    for group in found["groups"].values():
        yield "groups", [*_groups(group, metric, lang)]
    yield (
        "coverage",
        [
            [segment(n, lang), c["rows"], [c["coverage"], *c["interval"]], c["unsure"]]
            for n, c in test["coverage"].items()
        ],
    )
    yield (
        "reasons",
        [
            [str(b["from_points"]), b["rows"], *_ideas(b["ideas"], found, lang)]
            for b in found["view"]["bands"]
        ],
    )


def _groups(found: dict[str, Any], metric: str, lang) -> Iterator[list[object]]:
    tiers = ("quadratic_kappa", "macro_f1") if metric == "spearman" else ()
    measures = (metric, *tiers, "predicted_to_seen", "favourable")
    for name, g in (("overall", found["overall"]), *found["by_group"].items()):
        yield [called(name, lang), g["rows"], g["events"], g["seen"], *(g[m] for m in measures)]
    for key, gaps in (("largest_difference", "difference"), ("least_ratio", "ratio")):
        if found[gaps]:
            yield [word(key, lang), None, None, None, *(found[gaps].get(m) for m in measures)]
    for name in found["too_small"]:
        told = f"{called(name, lang)}{'：' if lang == 'zh' else ': '}{word('too_small', lang)}"
        yield [told, *[None] * (3 + len(measures))]


def _ideas(ideas: dict[str, float], found: dict[str, Any], lang) -> list[str]:
    largest = sorted(ideas.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    texts = [f"{found['labels']['ideas'][n][lang == 'en']} {v:.0%}" for n, v in largest]
    return [*texts, "", "", ""][:3]


def test_every_figure_of_every_table_is_the_one_of_the_json(told, shown):
    lang, _, reader = shown
    for target in told["targets"]:
        wanted: dict[str, list[list[list[object]]]] = {}
        for key, rows in tables_of(target, told, lang):
            wanted.setdefault(f"{target}-{key}", []).append(rows)
        for place, tables in wanted.items():
            seen = [table[1:] for table in reader.tables[place]]
            if place.endswith("discrimination"):
                tables.sort(key=len)
                seen.sort(key=len)
            assert [len(t) for t in seen] == [len(t) for t in tables], place
            for table, rows in zip(seen, tables, strict=True):
                by_name = {row[0]: row for row in table}
                for row in rows:
                    cells = by_name[str(row[0])]
                    assert all(map(is_told, cells, row)), (place, cells, row)
        others = {p for p in reader.tables if p.startswith(f"{target}-")} - {*wanted}
        assert not others, "a table that nothing is compared with"


def test_the_figures_outside_the_tables_are_those_of_the_json(told, shown):
    lang, html, reader = shown
    for target, found in told["targets"].items():
        plan, proof = told["card"]["plan"]["targets"][target], found["monotone"]
        days = plan["bad_days_past_due"] if target == "credit" else plan["active_days"]
        assert reader.listed[f"{target}-label"][:2] == [str(plan["horizon_days"]), str(days)]
        proved = (proof["trees"], len(proof["directions"]), proof["broken"])
        assert reader.listed[f"{target}-monotone"] == [f"{n:,}" for n in proved]
        used = (proof["trees"], found["rows"], found["features"], len(found["dropped"]))
        assert reader.listed[f"{target}-method"][1:] == [f"{n:,}" for n in used]
        best = found["profit"]["best"]
        comma = "，" if lang == "zh" else ", "
        said = reader.text[f"{target}-discrimination"].partition(word("profit_best", lang))[2]
        share, profit = said.lstrip("：: ").partition(" CNY")[0].split(comma)
        assert is_told(share.rstrip("%"), round(100 * best["share"]))
        assert is_told(profit, [best["profit"], *best["interval"]])
        gap = f"{found['learnt']['gap_days']:.0f}"
        assert gap in reader.text[f"{target}-leakage"]
        rank = found["parts"]["test"]
        shown_first = [rank[found["metric"]], *rank["intervals"][found["metric"]]]
        card = html.partition(f'href="#{target}"')[2].partition("<br>")[0].rpartition(">")[2]
        assert is_told(card.removeprefix(word(found["metric"], lang)), shown_first)
    rows = reader.tables["lineage"][0][1:]
    for name, rows_of, first, last, sha in rows:
        table = told["card"]["tables"][name]
        assert (int(rows_of.replace(",", "")), first, last, sha) == (
            table["rows"], table["first"][:10], table["last"][:10], told["card"]["data"][name],
        )  # fmt: skip


def test_every_gate_that_did_not_pass_is_among_the_limits_and_in_its_own_colour(told, shown):
    lang, html, reader = shown
    gates = [g for t in told["targets"].values() for g in t["gates"]]
    verdicts = [t["verdict"] for t in told["card"]["targets"].values()]
    for result, colour, places in (("passed", "good", 1), ("not judged", "warn", 2),
                                   ("failed", "bad", 2)):  # fmt: skip
        some = [g for g in gates if g["result"] == result]
        assert some
        marks = html.count(f'class="{colour}">{word(result, lang)}<')
        assert marks == places * len(some) + 2 * verdicts.count(result)
        for gate in some if places > 1 else ():
            assert gate_text(gate["figure"], lang) in reader.text["limits"]


@pytest.mark.parametrize("lang", LANGS)
def test_a_verdict_over_what_was_not_judged_is_not_coloured_as_passed(told, lang):
    passed = {target: {"verdict": "passed"} for target in told["targets"]}
    partly = {"verdict": "partly judged", "not_judged": ["stable"]}
    card = {**told["card"], "targets": {**passed, "churn": partly}}
    html = page_of({**told, "card": card}, lang)
    for tag in ("b", "small"):
        assert html.count(f'<{tag} class="warn">{word("partly judged", lang)}</{tag}>') == 1


def test_the_champion_and_the_policy_are_named(told):
    named = {**told["card"], "champion": "c" * 64}
    for card, said in ((named, "c" * 64), ({**named, "champion": None}, "none")):
        html = page_of({**told, "card": card}, "en")
        assert f"<dt>the champion</dt><dd><code>{said}</code></dd>" in html
    assert f"<code>{told['card']['policy']['hash']}</code>" in html


def test_what_a_person_wrote_is_escaped(told):
    said = {"by": "<b>", "reason": "<script>alert(1)</script>"}
    card = {**told["card"], "accepted": said, "unapproved": said}
    html = page_of({**told, "card": card}, "en")
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 2
    assert "approved by no second person" in html


def test_what_looked_like_a_leak_is_a_row_and_every_check_has_its_figure(told):
    found = {"check": "overlap", "where": "fit < unseen", "said": "both", "figure": 3.0}
    leakage = {
        "alarms": [{**found, "is_sure": True}],
        "told": [],
        "figures": {"canary": {"customers": 97, "moved": 0}, "dated_columns": ["a < b", "c"]},
    }
    reader = Reader(page_of({**told, "card": {**told["card"], "leakage": leakage}}, "en"))
    _, alarms, figures = reader.tables["lineage"]
    assert alarms[1] == ["overlap", "fit < unseen", "both", "3.00", "yes"]
    assert ["planted future events · features that moved", "0"] in figures
    assert ["date columns checked", "a < b, c"] in figures
    leakage["alarms"][0].pop("where")
    with pytest.raises(TypeError, match="where"):
        page_of({**told, "card": {**told["card"], "leakage": leakage}}, "en")


@pytest.fixture(scope="module")
def opened(chromium) -> Iterator[Browser]:
    with launched(chromium) as started:
        yield started


@pytest.fixture(params=[("zh", 1280), ("zh", 390), ("en", 1280), ("en", 390)], ids=str)
def seen(request, opened, told, tmp_path) -> Iterator[Page]:
    lang, width = request.param
    html = page_of(told, lang)
    with opened_page(opened, html, tmp_path / "report.html", width) as shown:
        yield shown


def test_nothing_is_wider_than_the_window_and_letters_can_be_read(seen):
    for details in seen.query_selector_all("summary"):
        details.click()
    assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = seen.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('.wide *')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []
    sizes = seen.evaluate(
        "[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 10
    inside = seen.evaluate(
        "[...document.querySelectorAll('svg.chart')].filter(s => { const b ="
        " s.getBoundingClientRect(); return [...s.querySelectorAll('text,rect,circle')].some(e => {"
        " const r = e.getBoundingClientRect(); return r.left < b.left - 2 || r.right > b.right + 2"
        " || r.bottom > b.bottom + 2})}).map(s => s.outerHTML.slice(0, 120))"
    )
    assert inside == []
    narrow = seen.evaluate(
        "[...document.querySelectorAll('.wide td,.wide code')].filter(e => e.textContent.length > 2"
        " && e.getBoundingClientRect().height > 150).map(e => e.outerHTML.slice(0, 80))"
    )
    assert narrow == []


def test_what_scrolls_is_reached_by_keys_and_is_called_something(seen):
    unreached = seen.evaluate(
        "[...document.querySelectorAll('details')].forEach(d => d.open = true) ||"
        " [...document.querySelectorAll('.wide')].filter(w => (w.focus(),"
        " document.activeElement !== w || !w.getAttribute('aria-label'))).length"
    )
    assert unreached == 0
    pictures = seen.evaluate(
        "[...document.querySelectorAll('svg')].map(s => s.querySelector("
        "'title').textContent.trim().length)"
    )
    assert min(pictures) > 0
    unnamed = seen.evaluate(
        "[...document.querySelectorAll('svg')].filter(s => s.querySelector('polyline,circle'))"
        ".filter(s => [...s.querySelectorAll('text')].filter(t => /[^-0-9.,]/.test(t.textContent))"
        ".length < 2).length"
    )
    assert unnamed == 0, "a curve without names at both axes"


def test_on_paper_nothing_is_cut_and_what_is_folded_stands_open(opened, told, tmp_path):
    """A4 less its margins is 688 pixels wide."""
    for lang in LANGS:
        with opened_page(opened, page_of(told, lang), tmp_path / f"{lang}.html", 688) as shown:
            shown.emulate_media(media="print")
            cut = shown.evaluate(
                "[...document.querySelectorAll('.wide table')].filter(t =>"
                " t.getBoundingClientRect().right > innerWidth).map(t => t.outerHTML.slice(0, 9))"
            )
            assert cut == []
            folded = shown.evaluate(
                "[...document.querySelectorAll('details > :last-child')].filter(e =>"
                " !e.checkVisibility()).length"
            )
            assert folded == 0
