"""Ingest: corrections marked, duplicates apart, all or nothing, the same bytes again."""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow as pa
import pytest

from domain.asof import NEVER, parse_instant
from events import gather
from events import ingest as module
from events.dataset import before_swap, open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from tests.events.raw_world import HEAD, NOW, folder, good, line, take

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


EVERY_FAULT = "".join(
    line(
        f"e{i % 50}",
        customer="other" if i % 23 == 5 else f"c{i % 50 % 9}",
        known=f"2024-03-0{2 + i // 60}T00:00:00Z",
        amount="x" if i % 17 == 0 else str(i % 3),
    )
    for i in range(200)
)
STATEMENTS = "customer_id,happened_at,known_at,account_id,status,days_past_due\n" + "".join(
    f"c{i % 5},2024-0{1 + i // 9}-{1 + i:02d}T00:00:00Z,2024-05-01T00:00:00Z,a,revolving,0\n"
    for i in range(28)
)


def parts(root: Path) -> Path:
    """Several files of a table, of other columns, with late, repeated, corrected and bad rows."""
    folder(root, HEAD + good() + EVERY_FAULT)
    (root / "statements.csv").write_text(STATEMENTS, encoding="utf-8")
    (root / "transactions").mkdir()
    first, *others = (root / "transactions.csv").read_text(encoding="utf-8").splitlines(True)
    (root / "transactions.csv").unlink()
    for place in range(4):
        named = first if place % 2 else first.replace("amount", "amount,items")
        rows = (r if place % 2 else r.replace("\n", ",1\n") for r in others[place::4])
        (root / f"transactions/{place}.csv").write_text(named + "".join(rows), encoding="utf-8")
    faultless = first.replace("amount", "amount,channel") + line("z").replace("\n", ",web\n")
    (root / "transactions/9.csv").write_text(faultless, encoding="utf-8")
    return root


def contents(root: Path) -> dict[Path, bytes]:
    return {f.relative_to(root): f.read_bytes() for f in root.rglob("*") if f.is_file()}


@pytest.mark.parametrize(("held", "step"), [(0, 30), (120, 50), (0, 10_000)])
def test_what_outgrows_memory_comes_to_the_same_bytes(tmp_path, monkeypatch, held, step):
    data = parts(tmp_path / "raw")
    monkeypatch.setattr(module, "GROUP_ROWS", 16)
    monkeypatch.setattr(module, "PART_ROWS", 40)
    monkeypatch.setattr(module, "WRONG_ROWS", 7)
    _, small = take(data, tmp_path / "small")
    spilled = []
    real = gather._partition
    monkeypatch.setattr(gather, "_partition", lambda *a: spilled.append(a) or real(*a))
    monkeypatch.setattr(gather, "HELD", held)
    monkeypatch.setattr(gather, "STEP", step)
    monkeypatch.setattr(gather, "SAMPLED", 1)
    _, great = take(data, tmp_path / "great")
    assert spilled
    assert small == great
    rules = {f.rule for f in great.faults}
    assert rules >= {"duplicate", "key_of_another_customer", "too_close", "wrong_type"}
    assert len(list((tmp_path / "small").rglob("*.parquet"))) > 5
    assert contents(tmp_path / "small") == contents(tmp_path / "great")


@pytest.mark.parametrize("sizes", [[0], [3], [6], [2, 0, 9], [1, 1, 1, 1], [6, 0], [12, 1]])
def test_pieces_hold_the_same_rows_and_so_many(sizes):
    whole = pa.table({"x": range(sum(sizes))})
    begins = [sum(sizes[:i]) for i in range(len(sizes))]
    found = list(module.pieces((whole.slice(b, s) for b, s in zip(begins, sizes, strict=True)), 3))
    assert pa.concat_tables(found).equals(whole)
    assert all(t.num_rows == 3 for t in found[:-1])
    assert found[-1].num_rows > 0 or len(found) == 1


def test_every_step_is_told_and_how_many_there_are(tmp_path):
    told = []
    data = folder(tmp_path / "raw", HEAD + good())
    ingest(SOURCES["folder"], data, tmp_path / "out", now=NOW, told=lambda *step: told.append(step))
    assert told == [
        ("read", 1, 2), ("read", 2, 2), ("settle customers", 1, 1), ("settle transactions", 1, 1)
    ]  # fmt: skip


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
