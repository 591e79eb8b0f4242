"""The journal of studies: lines that stay whole, whatever ended the last write."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import StoreError
from training.journal import WholeLines

ENTRIES = [{"op_code": i, "text": "x" * i} for i in range(4)]


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@given(cut=st.integers(0, 60))
def test_a_write_that_ended_early_is_taken_away_by_the_next(tmp_path_factory, cut):
    file = tmp_path_factory.mktemp("journal") / "log"
    journal = WholeLines(file)
    journal.append_logs(ENTRIES)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) - cut])
    kept = [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]
    assert list(WholeLines(file).read_logs(0)) == kept
    journal.append_logs([{"op_code": 9}])
    assert list(WholeLines(file).read_logs(0)) == [*kept, {"op_code": 9}]


def test_on_a_full_disk_nothing_is_written_and_the_reason_said(tmp_path):
    file = tmp_path / "log"
    journal = WholeLines(file)
    journal.append_logs(ENTRIES)
    before = file.read_bytes()
    with room(len(before) + 7), pytest.raises(StoreError, match=r"too large.*same command goes on"):
        journal.append_logs(ENTRIES)
    assert file.read_bytes() == before
    journal.append_logs(ENTRIES[:1])
    assert list(WholeLines(file).read_logs(0)) == [*ENTRIES, ENTRIES[0]]
