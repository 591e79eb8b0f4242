"""Ingest: corrections marked, duplicates apart, all or nothing, the same bytes again."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from domain.asof import NEVER, parse_instant
from events import gather
from events import ingest as module
from events.dataset import before_swap, open_dataset
from tests.events.raw_world import HEAD, folder, good, line, take

VERSIONS = [
    line("e1", known="2024-03-02T00:00:00Z", amount="10"),
    line("e1", known="2024-03-05T00:00:00Z", amount="12"),
    line("e1", known="2024-03-09T00:00:00Z", amount="9"),
]


def settled(dataset) -> list[tuple[float, int, int]]:
    rows = dataset.table("transactions").sort_by("known_at").to_pylist()
    micros = [[r["known_at"], r["superseded_at"]] for r in rows]
    return [
        (r["amount"], *(NEVER if m is None else int(m.timestamp() * 1e6) for m in pair))
        for r, pair in zip(rows, micros, strict=True)
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_each_version_of_an_event_ends_when_the_next_is_known(tmp_path, order):
    text = HEAD + "".join(VERSIONS[i] for i in order)
    dataset, report = take(folder(tmp_path / "raw", text), tmp_path / "out")
    days = [parse_instant(f"2024-03-0{d}") for d in (2, 5, 9)]
    assert settled(dataset) == [
        (10.0, days[0], days[1]), (12.0, days[1], days[2]), (9.0, days[2], NEVER),
    ]  # fmt: skip
    assert not report.faults


def hashes(dataset) -> dict[str, str]:
    return {name: info.sha256 for name, info in dataset.tables.items()}


def test_the_order_of_rows_changes_no_byte(tmp_path):
    lines = (good() + "".join(VERSIONS)).splitlines(keepends=True)
    one, _ = take(folder(tmp_path / "a", HEAD + "".join(lines)), tmp_path / "one")
    two, _ = take(folder(tmp_path / "b", HEAD + "".join(lines[::-1])), tmp_path / "two")
    assert hashes(one) == hashes(two)
    assert one.files("transactions")[0].read_bytes() == two.files("transactions")[0].read_bytes()


def test_a_run_again_gives_the_same_bytes(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good() + line("b", amount="x"))
    take(data, tmp_path / "out")
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    take(data, tmp_path / "out")
    assert before == {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}


def test_rows_stand_by_customer_and_time(tmp_path):
    dataset, _ = take(folder(tmp_path / "raw", HEAD + good()), tmp_path / "out")
    rows = dataset.table("transactions")
    keys = list(zip(rows["customer_id"].to_pylist(), rows["happened_at"].to_pylist(), strict=True))
    assert keys == sorted(keys)


IN_MEMORY = [(module, "_write"), (module, "_swap"), (gather, "settle")]
ON_DISK = [*IN_MEMORY, (gather, "_partition"), (gather, "in_order"), (gather, "_bounds")]
STEPS = [(0, *s) for s in ON_DISK] + [(gather.HELD, *s) for s in IN_MEMORY]


@pytest.mark.parametrize(("held", "where", "step"), STEPS)
def test_a_run_that_dies_leaves_what_stood_there(tmp_path, monkeypatch, held, where, step):
    data = folder(tmp_path / "raw", HEAD + good())
    first, _ = take(data, tmp_path / "out")
    monkeypatch.setattr(gather, "HELD", held)

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(where, step, dies)
    folder(tmp_path / "raw", HEAD + good(90))
    with pytest.raises(KeyboardInterrupt):
        take(data, tmp_path / "out")
    assert hashes(open_dataset(tmp_path / "out")) == hashes(first)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "raw"]


def test_a_run_that_dies_between_the_two_renames_loses_nothing(tmp_path, monkeypatch):
    data = folder(tmp_path / "raw", HEAD + good())
    first, _ = take(data, tmp_path / "out")
    real = Path.rename

    def dies(self, target):
        if Path(target) == tmp_path / "out":
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", dies)
    with pytest.raises(KeyboardInterrupt):
        take(data, tmp_path / "out")
    monkeypatch.undo()
    assert hashes(open_dataset(tmp_path / "out")) == hashes(first)


def test_a_swap_that_was_cut_short_is_taken_up(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good())
    first, _ = take(data, tmp_path / "out")
    (tmp_path / "out").rename(before_swap(tmp_path / "out"))
    assert hashes(open_dataset(tmp_path / "out")) == hashes(first)
    again, _ = take(data, tmp_path / "out")
    assert hashes(again) == hashes(first)


def test_the_report_counts_every_row_and_reads_as_text(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good() + line("b", amount="x"))
    _, report = take(data, tmp_path / "out")
    assert report.rows == {"customers": 1, "transactions": 41}
    assert report.quarantined == {"customers": 0, "transactions": 1}
    told = report.to_text().splitlines()
    assert told[0] == "folder: 42 rows"
    assert told[-1].strip().startswith("transactions.csv:amount: it is text where a number")
    assert '"quarantined"' in report.to_json()
    assert (tmp_path / "out/check.json").read_text(encoding="utf-8") == report.to_json()


def test_the_data_reaches_to_its_latest_event(tmp_path):
    text = HEAD + good() + line("z", at="2024-11-30T12:00:00Z")
    dataset, _ = take(folder(tmp_path / "raw", text), tmp_path / "out")
    assert dataset.data_until == parse_instant("2024-11-30T12:00:00Z")
