"""Files and folders appear whole or not at all, also when the process is killed (I7)."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from events.durable import open_sqlite, replace_file, write_folder

ROOT = Path(__file__).parents[2]
KILLED = """
import os, sys
from pathlib import Path
from events import durable
left = int(sys.argv[2])
def dying(handle, real=os.fsync):
    global left
    left -= 1
    if left == 0:
        os._exit(9)
    real(handle)
os.fsync = dying
durable.write_folder(Path(sys.argv[1]), {"a": b"1" * 5000, "b": b"2"})
"""


def test_a_killed_process_leaves_no_folder_or_a_whole_one(tmp_path: Path) -> None:
    ends = []
    for moment in range(1, 6):
        folder = tmp_path / str(moment) / "bundle"
        command = [sys.executable, "-c", KILLED, str(folder), str(moment)]
        ends.append(subprocess.run(command, cwd=ROOT, check=False).returncode)
        if folder.exists():
            assert {f.name: f.stat().st_size for f in folder.iterdir()} == {"a": 5000, "b": 1}
        write_folder(folder, {"a": b"1" * 5000, "b": b"2"})
        assert (folder / "a").read_bytes() == b"1" * 5000
    assert ends == [9, 9, 9, 9, 0]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_folder(tmp_path / "x", {"a": b"1", "b": "not bytes"})  # type: ignore[dict-item]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    write_folder(tmp_path / "x", {"a": b"1"})
    write_folder(tmp_path / "x", {"a": b"2"})
    assert (tmp_path / "x" / "a").read_bytes() == b"1"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    for data in (b"one", b"two"):
        replace_file(tmp_path / "f", data)
        assert (tmp_path / "f").read_bytes() == data
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_many_open_a_new_database_at_once_and_none_is_refused(tmp_path: Path) -> None:
    """SQLite refuses at once who turns on the write-ahead log beside another that does the same."""
    for turn in range(20):
        file, together = tmp_path / f"{turn}.db", threading.Barrier(8)

        def opened(file: Path = file, together: threading.Barrier = together) -> str:
            together.wait()
            with closing(open_sqlite(file)) as db:
                db.execute("CREATE TABLE IF NOT EXISTS t (a)")
                return str(db.execute("PRAGMA journal_mode").fetchone()[0])

        with ThreadPoolExecutor(8) as pool:
            found = [pool.submit(opened) for _ in range(8)]
        assert {f.result() for f in found} == {"wal"}
