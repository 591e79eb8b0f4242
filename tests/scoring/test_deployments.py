"""The deployment log keeps what was live when, and any change to it is found and named (I6, I7)."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from domain.asof import parse_instant
from domain.decision import content_hash
from domain.errors import NotFoundError, PromotionError, RecordError
from scoring.deployments import FIRST, Deployment, append, live_at, read_log

JUNE = parse_instant("2011-06-01")
HOUR = 3_600_000_000
ROOT = Path(__file__).parents[2]


def promotion(number: int, at: int | None = None) -> Deployment:
    return Deployment(
        at=JUNE + number * HOUR if at is None else at,
        by="王芳",
        reason=f"reason {number}" if number % 2 else None,
        bundle=f"{number:064x}",
        parity=f"{number:064x}",
        previous=FIRST,
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "shop" / "deployments.jsonl"
    for number in range(4):
        append(path, promotion(number))
    return path


def lines(log: Path) -> list[bytes]:
    return log.read_bytes().splitlines(keepends=True)


def test_what_was_appended_is_read_in_order(log: Path) -> None:
    past = read_log(log)
    assert [replace(d, previous=FIRST, hash="") for d in past] == [promotion(i) for i in range(4)]
    assert [d.previous for d in past] == [FIRST, *(d.hash for d in past[:-1])]


def test_a_line_is_hashed_over_its_canonical_json(log: Path) -> None:
    content = json.loads(lines(log)[2])
    said = content.pop("hash")
    assert said == content_hash(content)
    assert content["at"] == "2011-06-01T02:00:00Z"


def test_no_log_is_an_empty_history(tmp_path: Path) -> None:
    assert read_log(tmp_path / "deployments.jsonl") == ()


def test_live_is_the_last_one_not_later_than_the_instant(log: Path) -> None:
    past = read_log(log)
    assert live_at(past, None) == past[3]
    assert live_at(past, JUNE + HOUR) == past[1]
    assert live_at(past, JUNE + 2 * HOUR - 1) == past[1]
    with pytest.raises(NotFoundError, match="no bundle is live at 2011-05-31"):
        live_at(past, JUNE - 1)
    with pytest.raises(NotFoundError, match="no bundle is live:"):
        live_at((), None)


@pytest.mark.parametrize("number", range(4))
def test_any_changed_byte_is_found_and_its_line_named(log: Path, number: int) -> None:
    whole = lines(log)
    for place in range(len(whole[number]) - 1):
        changed = bytearray(whole[number])
        changed[place] ^= 1
        log.write_bytes(b"".join([*whole[:number], bytes(changed), *whole[number + 1 :]]))
        with pytest.raises(RecordError, match=rf"line {number + 1} of|\d lines"):
            read_log(log)


def test_an_edit_with_its_hash_made_to_fit_breaks_the_chain(log: Path) -> None:
    past, whole = read_log(log), lines(log)
    edited = replace(past[1], by="somebody else").sealed().line().encode() + b"\n"
    log.write_bytes(b"".join([whole[0], edited, *whole[2:]]))
    with pytest.raises(RecordError, match="line 3 of the deployment log does not follow line 2"):
        read_log(log)


def test_a_whole_chain_written_again_is_not_the_acknowledged_one(log: Path) -> None:
    past, written, previous = read_log(log), b"", FIRST
    for deployment in past:
        made = replace(deployment, by="somebody else", previous=previous).sealed()
        written, previous = written + made.line().encode() + b"\n", made.hash
    log.write_bytes(written)
    with pytest.raises(RecordError, match="gone or another"):
        read_log(log)


@pytest.mark.parametrize("number", range(4))
def test_a_deleted_line_is_found(log: Path, number: int) -> None:
    whole = lines(log)
    log.write_bytes(b"".join(whole[:number] + whole[number + 1 :]))
    expected = f"line {number + 1} of" if number < 3 else "has 3 lines, 4 were acknowledged"
    with pytest.raises(RecordError, match=expected):
        read_log(log)


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 2, 1, 3), (0, 1, 3, 2), (0, 1, 1, 2, 3)])
def test_lines_in_another_order_or_twice_are_found(log: Path, order: tuple[int, ...]) -> None:
    whole = lines(log)
    log.write_bytes(b"".join(whole[i] for i in order))
    first_wrong = next(i for i, o in enumerate(order) if o != i) + 1
    with pytest.raises(RecordError, match=f"line {first_wrong} of"):
        read_log(log)


def test_a_removed_log_and_a_damaged_head_are_found(log: Path) -> None:
    head = log.with_name("deployments.head.json")
    said = head.read_bytes()
    head.write_bytes(b"{}")
    with pytest.raises(RecordError, match=r"deployments\.head\.json is damaged"):
        read_log(log)
    head.write_bytes(said)
    log.unlink()
    with pytest.raises(RecordError, match="has 0 lines, 4 were acknowledged"):
        read_log(log)


def test_an_edit_within_an_acknowledged_last_line_is_not_taken_for_a_torn_one(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-1])
    with pytest.raises(RecordError, match="has 3 lines, 4 were acknowledged"):
        read_log(log)


def test_a_broken_log_takes_no_more_lines(log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b"reason 1", b"reason 9"))
    before = log.read_bytes()
    with pytest.raises(RecordError, match="line 2"):
        append(log, promotion(4))
    assert log.read_bytes() == before


@pytest.mark.parametrize("left", [1, 60, -1])
def test_a_line_torn_by_a_killed_process_is_ignored_and_cut_off(log: Path, left: int) -> None:
    past, whole = read_log(log), log.read_bytes()
    torn = replace(promotion(9), previous=past[-1].hash).sealed().line().encode() + b"\n"
    log.write_bytes(whole + torn[:left])
    assert read_log(log) == past
    done = append(log, promotion(4))
    assert read_log(log) == (*past, done)
    assert log.read_bytes() == whole + done.line().encode() + b"\n"


def test_the_bundle_that_is_live_is_not_logged_twice(log: Path) -> None:
    past = read_log(log)
    assert append(log, promotion(3, at=JUNE + 9 * HOUR)) == past[-1]
    assert read_log(log) == past
    back = append(log, replace(promotion(1), at=JUNE + 9 * HOUR))
    assert live_at(read_log(log), None) == back


def test_a_promotion_before_the_last_one_is_refused(log: Path) -> None:
    with pytest.raises(PromotionError, match="the log only grows forward"):
        append(log, promotion(5, at=JUNE))
    assert len(read_log(log)) == 4


def test_promotions_at_once_stand_one_after_the_other(tmp_path: Path) -> None:
    log = tmp_path / "deployments.jsonl"
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: append(log, promotion(i, at=JUNE)), range(24)))
    past = read_log(log)
    assert len(past) == 24
    assert set(past) == set(done)


KILLED = """
import os, sys
from pathlib import Path
from scoring.deployments import Deployment, append
left = int(sys.argv[2])
def dying(handle, real=os.fsync):
    global left
    left -= 1
    if left == 0:
        os._exit(9)
    real(handle)
os.fsync = dying
d = Deployment(at=%d, by="a", reason=None, bundle="b" * 64, parity="c" * 64, previous="")
append(Path(sys.argv[1]), d)
"""


def test_a_process_killed_at_any_point_leaves_the_old_state_or_the_new(log: Path) -> None:
    past = read_log(log)
    for moment in range(1, 9):
        code = KILLED % (JUNE + 5 * HOUR)
        command = [sys.executable, "-c", code, str(log), str(moment)]
        ended = subprocess.run(command, cwd=ROOT, check=False).returncode
        now = read_log(log)
        assert now[:4] == past
        assert [d.bundle for d in now[4:]] in ([], ["b" * 64])
        if ended == 0:
            break
    assert ended == 0
    assert moment > 1
    assert len(now) == 5
