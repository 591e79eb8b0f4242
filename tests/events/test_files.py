"""A file is read whole, or refused with its name, its row and what to do."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import InputError
from events.files import BLOCK, head_of, is_table, read_file

TEXT = "id,amount\n1,10.5\n2,\n"


def put(tmp_path, raw: bytes | str, name: str = "t.csv"):
    file = tmp_path / name
    file.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return file


def refused(file) -> InputError:
    with pytest.raises(InputError) as caught:
        read_file(file, file.name)
    assert str(file.parent) not in str(caught.value), "a message tells no path of a machine"
    return caught.value


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_column_of_csv_is_text_whatever_ends_its_lines(tmp_path, end):
    rows = read_file(put(tmp_path, TEXT.replace("\n", end)), "t.csv")
    assert rows.to_pydict() == {"id": ["1", "2"], "amount": ["10.5", None]}


def test_gzip_is_read_by_its_name(tmp_path):
    packed = gzip.compress(TEXT.encode())
    assert read_file(put(tmp_path, packed, "t.csv.gz"), "t").num_rows == 2
    assert "name it .csv.gz" in str(refused(put(tmp_path, packed)))
    assert "cannot be read" in str(refused(put(tmp_path, packed[:-9], "cut.csv.gz")))
    assert "cannot be read" in str(refused(put(tmp_path, TEXT, "plain.csv.gz")))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (TEXT.encode("utf-16"), "is UTF-16"),
        (b"PK\x03\x04rest", "Excel"),
        (b"PAR1rest", "name it .parquet"),
        (TEXT.encode() + b"\xe4\xbc", "not UTF-8 at byte 20"),
        (TEXT.encode() + "3,ü\n".encode("latin-1"), "not UTF-8 at byte 22"),
        (TEXT.encode() + "3,张\n".encode("gbk"), "not UTF-8 at byte 22"),
        (b"a" * (1 << 20) + b"\xff", "not UTF-8 at byte 1048576"),
        (b"a" * ((1 << 20) - 1) + b"\xe4\xff", "not UTF-8 at byte 1048575"),
    ],
)
def test_what_is_no_text_in_utf8_is_named_with_its_byte(tmp_path, raw, said):
    assert said in str(refused(put(tmp_path, raw)))


def test_all_rows_of_another_length_are_numbered_and_their_values_not_told(tmp_path):
    text = TEXT + '3\n\n4,5\n6,7,secret\n"8,9\n'
    [fault] = refused(put(tmp_path, text)).faults
    assert fault.rule == "wrong_length"
    assert "row 3 (1), 5 (3), 6 (1)" in fault.message
    assert "secret" not in fault.message


def test_a_quote_that_is_never_closed_in_a_large_file_is_told(tmp_path):
    assert "never closed" in str(refused(put(tmp_path, TEXT + '3,"' + "x\n" * BLOCK)))


@pytest.mark.parametrize("raw", [b"", b"PAR1", b"no parquet at all"])
def test_what_is_no_parquet_is_refused(tmp_path, raw):
    assert "t.parquet cannot be read" in str(refused(put(tmp_path, raw, "t.parquet")))


def test_text_of_parquet_that_is_not_utf8_is_named_by_column(tmp_path):
    offsets = pa.py_buffer(np.arange(3, dtype="i4").tobytes())
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xff\xfe")])
    pq.write_table(pa.table({"good": ["a", "b"], "bad": broken}), tmp_path / "t.parquet")
    [fault] = refused(tmp_path / "t.parquet").faults
    assert (fault.path, fault.rule) == ("t.parquet:bad", "not_utf8")


def test_a_column_that_stands_twice_in_parquet_is_left_for_the_check(tmp_path):
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "t.parquet")
    assert read_file(tmp_path / "t.parquet", "t").column_names == ["a", "a"]


def test_the_first_rows_are_read_alone(tmp_path):
    pq.write_table(pa.table({"a": range(1000)}), tmp_path / "t.parquet")
    assert head_of(tmp_path / "t.parquet", "t", ",", 10)["a"].to_pylist() == list(range(10))
    assert head_of(put(tmp_path, TEXT), "t", ",", 1).num_rows == 1


def test_files_of_rows_are_known_by_their_ending(tmp_path):
    names = ("a.csv", "a.csv.gz", "a.parquet", "a.txt", "plan.json")
    assert [is_table(tmp_path / n) for n in names] == [True, True, True, False, False]
