"""The record: durable when told, one chain for all writers, every change found (I6)."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from domain.decision import DecisionRequest
from domain.errors import NotFoundError, RecordError
from serving.record import GENESIS, DecisionLog

ROOT = Path(__file__).parents[2]


@pytest.fixture
def log(desk, customers):
    for i in range(6):
        desk.decisions(DecisionRequest(customer_ids=[customers[i]], purpose="crm"))
    return desk.log


def test_records_follow_one_another(log):
    assert log.verify() == 6
    assert log.is_open()
    with sqlite3.connect(log.file) as db:
        chain = db.execute("SELECT previous_hash, hash FROM record ORDER BY sequence").fetchall()
    db.close()
    assert [before for before, _ in chain] == [GENESIS, *(own for _, own in chain[:-1])]


def swap(column: str, old: str, new: str, sequence: int) -> str:
    return (
        f"UPDATE record SET {column} = replace({column}, '{old}', '{new}') "
        f"WHERE sequence = {sequence}"
    )


EDITS = {
    "a value": (swap("body", '"purpose":"crm"', '"purpose":"servicing"', 3), "record 3 was edited"),
    "points": (swap("body", '"points":', '"points":1', 2), "record 2"),
    "the customer": (swap("customer_id", "C", "x", 4), "record 4 was edited"),
    "a hash": (f"UPDATE record SET hash = '{'a' * 64}' WHERE sequence = 5", "record 5 was edited"),
    "the hash before": (
        f"UPDATE record SET previous_hash = '{'a' * 64}' WHERE sequence = 5",
        "record 5 does not follow",
    ),
    "no JSON": ("UPDATE record SET body = '{' WHERE sequence = 1", "record 1 was edited"),
    "a blank": ("UPDATE record SET body = body || ' ' WHERE sequence = 1", "record 1 was edited"),
    "a row gone": ("DELETE FROM record WHERE sequence = 3", "record 3 is missing"),
    "the first row gone": ("DELETE FROM record WHERE sequence = 1", "record 1 is missing"),
    "the last rows gone": ("DELETE FROM record WHERE sequence > 4", "the end is gone"),
    "all rows gone": ("DELETE FROM record", "the end is gone"),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_of_the_record_is_found_and_named(log, edited, what):
    statement, said = EDITS[what]
    edited(statement)
    with pytest.raises(RecordError, match=said):
        log.verify()


def test_two_rows_that_change_places_are_found(log, edited):
    edited(
        "UPDATE record SET sequence = 100 WHERE sequence = 2",
        "UPDATE record SET sequence = 2 WHERE sequence = 3",
        "UPDATE record SET sequence = 3 WHERE sequence = 100",
    )
    with pytest.raises(RecordError, match="record 2 was edited"):
        log.verify()


def test_a_missing_head_is_found(log):
    log.head_file.unlink()
    with pytest.raises(RecordError, match="is missing beside 6 records"):
        log.verify()


def test_an_edited_record_is_not_handed_out(log, edited, customers):
    record = log.latest(customers[2])
    edited(swap("body", '"purpose":"crm"', '"purpose":"servicing"', record.sequence))
    with pytest.raises(RecordError, match=f"record {record.sequence} was edited"):
        log.get(record.decision.decision_id)


@pytest.mark.parametrize("statement", ["DELETE FROM record", "UPDATE record SET customer_id = 'x'"])
def test_the_database_refuses_changes(log, statement):
    with (
        sqlite3.connect(log.file) as db,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        db.execute(statement)
    db.close()


def test_the_record_before_is_of_the_same_customer(desk, customers):
    ask = {"customer_ids": list(customers[:2]), "purpose": "crm"}
    first, other = desk.decisions(DecisionRequest(**ask)).decisions
    again, _ = desk.decisions(DecisionRequest(**ask)).decisions
    found = desk.log.before(desk.log.get(again.decision_id))
    assert found.decision == first
    assert desk.log.before(found) is None
    assert desk.log.before(desk.log.get(other.decision_id)) is None


def test_what_is_not_there_is_said(log):
    with pytest.raises(NotFoundError, match="no decision has this id"):
        log.get("0" * 32)
    with pytest.raises(NotFoundError, match="no decision was recorded for this customer"):
        log.latest("nobody")


def test_threads_write_one_chain(desk, customers):
    def decide(start: int) -> None:
        for i in range(5):
            desk.decisions(DecisionRequest(customer_ids=[customers[start + i]], purpose="crm"))

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.log.verify() == 20


CHILD = """
import sys
from pathlib import Path
from domain.decision import DecisionRequest, Purpose
from domain.workspace import Workspace
from serving.desk import Desk
desk = Desk(Workspace(Path(sys.argv[1]), "bank"))
i = 0
while True:
    made = desk.decisions(DecisionRequest(customer_ids=[f"c{i}", f"d{i}"], purpose=Purpose.CRM))
    for decision in made.decisions:
        print(decision.decision_id, flush=True)
    i += 1
"""


def test_two_writers_killed_at_any_moment_lose_no_decision_they_told_of(workspace):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(workspace.home)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    told: list[str] = []
    for writer in writers:
        assert writer.stdout is not None
        told += [writer.stdout.readline().strip() for _ in range(20)]
    time.sleep(0.2)
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
        told += [line for line in rest.splitlines() if len(line) == 32]
    log = DecisionLog(workspace.decisions)
    assert log.verify() >= len(told) > 40
    for decision_id in told:
        log.get(decision_id)


def test_a_record_that_cannot_be_written_is_an_error(desk, customers):
    desk.log.file.with_suffix(".db-wal").unlink(missing_ok=True)
    desk.log.file.unlink()
    desk.log.file.mkdir()
    with pytest.raises(RecordError, match="cannot be written"):
        desk.decisions(DecisionRequest(customer_ids=[customers[0]], purpose="crm"))
    assert not desk.log.is_open()
