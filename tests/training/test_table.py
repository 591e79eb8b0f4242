"""What a person and a program read of a run: the table, the gates, the JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from domain.tiers import TARGETS
from training.gates import Verdict
from training.table import HEAD, gate_lines, leak_lines, result_table, table_rows

METRIC = {"value": "spearman", "churn": "auc", "credit": "auc"}


def test_the_json_has_the_agreed_layout(trained):
    found = json.loads(json.dumps(trained.result.to_dict()))
    assert found["source"] == "bank"
    assert set(found["targets"]) == set(TARGETS)
    for target, metric in METRIC.items():
        mine = found["targets"][target]
        assert mine["verdict"] in ("passed", "partly judged", "failed")
        assert mine["rows"] > 0
        assert mine["seconds"] > 0
        for part in ("test", "test_unseen"):
            figures = mine[part]
            low, high = figures["intervals"][metric]
            assert low <= figures[metric] <= high
            assert set(figures["baseline"]) == set(figures["differences"])
            assert "regression" in figures["baseline"]
            assert figures["rows"] >= figures["events"] > 0
            assert figures["calibration_error"] >= 0
    assert found["bundle"] == trained.result.bundle.hash


def test_a_skipped_target_says_why_in_the_table_and_the_json(trained):
    result = replace(trained.result, skipped={"credit": "no statements"}, targets={})
    assert result.to_dict()["targets"] == {"credit": {"skipped": "no statements"}}
    assert table_rows(result)[1] == ("credit", *[""] * 8, "skipped: no statements", "")


def test_every_part_has_a_row_with_its_figures_beside_the_best_baseline(trained):
    head, *rows = table_rows(trained.result)
    assert head == HEAD
    assert all(len(row) == len(HEAD) for row in rows)
    expected = [f"{t} {p}" for t, r in trained.result.targets.items() for p in r.parts]
    assert [row[0] for row in rows] == expected
    row = dict(zip(HEAD, rows[expected.index("churn test")], strict=True))
    found = trained.result.targets["churn"]
    figures = found.parts["test"].figures
    name, best = max(figures["baseline"].items(), key=lambda pair: pair[1])
    low, high = figures["intervals"]["auc"]
    assert row["best baseline"] == f"{name} {best:.3f}"
    assert row["model"] == f"{figures['auc']:.3f}"
    assert row["95 % interval"] == f"{low:.3f} to {high:.3f}"
    assert row["seeds"] == f"{found.validation['noise']['test']['auc']:.3f}"
    assert row["rows"] == f"{figures['rows']:,}"
    assert row["verdict"] == found.verdict.word
    unseen = dict(zip(HEAD, rows[expected.index("churn test_unseen")], strict=True))
    assert unseen["verdict"] == ""


def test_the_terminal_shows_every_row(trained):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(result_table(trained.result))
    shown = console.export_text()
    assert all(cell in shown for row in table_rows(trained.result) for cell in row)


@pytest.mark.parametrize(("version", "refused"), [("3", None), (None, "no reason was given")])
def test_every_gate_and_what_became_of_the_bundle_is_said(trained, version, refused):
    value = trained.result.targets["value"]
    fallen = [
        g._replace(outcome="failed") if g.name == "calibrated" else g for g in value.verdict.gates
    ]
    targets = trained.result.targets | {"value": replace(value, verdict=Verdict(tuple(fallen)))}
    told = replace(trained.result, targets=targets, version=version, refused=refused)
    lines = list(gate_lines(told))
    gates = [g for r in targets.values() for g in r.verdict.gates]
    dates = [line for line in lines if line.startswith("  by date")]
    assert len(dates) == 3 * len(trained.dataset.plan.test_as_of)
    assert len(lines) == len(gates) + len(dates) + 2 + len(list(leak_lines(trained.result.leaks)))
    words = {"passed": "passed", "failed": "FAILED", "not judged": "not judged"}
    marks = [line.split("  ")[1] for line in lines if line.startswith("  ")]
    assert [m for m in marks if m in words.values()] == [words[g.outcome] for g in gates]
    assert "not judged" in marks, "this bank has groups that are too small"
    ratio = value.parts["test"].figures["sum_ratio"]
    assert f"  FAILED  value: calibrated: sum ratio {ratio:.2f}" in lines
    assert lines[-2] == f"bundle {trained.result.bundle.hash}"
    said = f"registered as version 3 with {sum(g.outcome == 'not judged' for g in gates)} gates"
    assert lines[-1] == (f"not registered: {refused}" if refused else f"{said} not judged")


def test_the_reliability_of_every_date_is_told_beside_its_floor(trained):
    part = trained.result.targets["churn"].parts["test"]
    by_date = {
        t: replace(r, parts={**r.parts, "test_2027_01_01": r.parts["test"]})
        for t, r in trained.result.targets.items()
    }
    lines = list(gate_lines(replace(trained.result, targets=by_date)))
    error, floor = (part.figures[f"calibration_{n}"] for n in ("error", "floor"))
    assert f"  by date  churn 2027-01-01: error {error:.3f}, floor {floor:.3f}" in lines
    ratio = trained.result.targets["value"].parts["test"].figures["sum_ratio"]
    assert f"  by date  value 2027-01-01: sum ratio {ratio:.2f}" in lines
    assert not [n for n in lines if "unseen" in n]
