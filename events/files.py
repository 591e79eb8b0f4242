"""One file of rows as it stands: CSV (plain or gzip) or Parquet, read whole or refused by name.

Enters: a path and how its fields are parted. Leaves: an Arrow table, text for every CSV column.
What the columns mean is the mapping's matter, what is in them the check's.

Raises (everywhere): `InputError`, with the file, the row where there is one, and what to do.
"""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from domain.errors import Fault, InputError
from events.shown import shown

ENDINGS = (".csv", ".csv.gz", ".parquet")
BLOCK = 16 << 20
"""The longest row of a CSV file, in bytes."""
_SHOWN_ROWS = 5
_LIKE_NO_CSV = {
    b"\x1f\x8b": "is compressed: name it .csv.gz",
    b"PK\x03\x04": "is an Excel workbook or a zip file: save it as CSV in UTF-8",
    b"PAR1": "is Parquet: name it .parquet",
    b"\xff\xfe": "is UTF-16: save it as UTF-8",
    b"\xfe\xff": "is UTF-16: save it as UTF-8",
}


def is_table(file: Path) -> bool:
    """Whether the name ends like a file that is read here."""
    return file.name.endswith(ENDINGS)


def read_file(file: Path, name: str, delimiter: str = ",") -> pa.Table:
    """The rows of a file; `name` is what messages call it."""
    try:
        if file.suffix == ".parquet":
            return _parquet(file, name)
        _check_text(file, name)
        return _csv(file, name, delimiter)
    except (pa.ArrowException, OSError, EOFError) as e:
        said = str(e).splitlines()[0][:200].replace(str(file), name)
        raise InputError(f"{name} cannot be read: {said}") from None


def head_of(file: Path, name: str, delimiter: str, rows: int) -> pa.Table:
    """The first rows of a file, the rest unread."""
    if file.suffix == ".parquet":
        try:
            for batch in pq.ParquetFile(file).iter_batches(batch_size=rows):
                return pa.Table.from_batches([batch])
            return pq.ParquetFile(file).schema_arrow.empty_table()
        except (pa.ArrowException, OSError) as e:
            said = str(e).splitlines()[0][:200].replace(str(file), name)
            raise InputError(f"{name} cannot be read: {said}") from None
    return read_file(file, name, delimiter).slice(0, rows)


def read_text_head(file: Path, name: str, size: int = 1 << 16) -> str:
    """The beginning of a text file, to see how its fields are parted."""
    try:
        with _open(file) as stream:
            return stream.read(size).decode("utf-8-sig", "ignore")
    except (OSError, EOFError) as e:
        raise InputError(f"{name} cannot be read: {e}") from None


def _parquet(file: Path, name: str) -> pa.Table:
    found = pq.ParquetFile(file).read()
    faults = tuple(
        Fault(f"{name}:{shown(column)}", "not_utf8", "it holds text that is not UTF-8")
        for column, data in zip(found.column_names, found.columns, strict=True)
        if (pa.types.is_string(data.type) or pa.types.is_large_string(data.type))
        and not _is_sound(data)
    )
    if faults:
        raise InputError(f"{name} holds text that is not UTF-8; write these columns anew:", faults)
    return found


def _is_sound(column: pa.ChunkedArray) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _open(file: Path) -> IO[bytes]:
    return gzip.open(file) if file.suffix == ".gz" else file.open("rb")  # type: ignore[return-value]


def _check_text(file: Path, name: str) -> None:
    """Refuse what is not text in UTF-8, with the byte at which it ends to be."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    at = 0
    with _open(file) as stream:
        while True:
            block = stream.read(1 << 20)
            for magic, said in _LIKE_NO_CSV.items():
                if at == 0 and block.startswith(magic):
                    raise InputError(f"{name} {said}")
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as e:
                where = at + e.start - (len(e.object) - len(block))
                raise InputError(f"{name} is not UTF-8 at byte {where}: save it as UTF-8") from None
            at += len(block)
            if not block:
                return


def _csv(file: Path, name: str, delimiter: str) -> pa.Table:
    """The rows as text; rows of another length than the header are told, all at once."""
    odd: list[tuple[int, int, int]] = []

    def note(row: pacsv.InvalidRow) -> str:
        odd.append((row.number or 0, row.expected_columns, row.actual_columns))
        return "skip"

    options = pacsv.ParseOptions(
        delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
    )
    try:
        header = pacsv.open_csv(
            file,
            read_options=pacsv.ReadOptions(block_size=BLOCK),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, invalid_row_handler=note),
        ).schema.names
        text = pacsv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )
        for threads in (True, False):  # rows are numbered when one thread reads
            odd.clear()
            read = pacsv.ReadOptions(block_size=BLOCK, use_threads=threads)
            rows = pacsv.read_csv(
                file, read_options=read, parse_options=options, convert_options=text
            )
            if not odd:
                return rows
    except pa.ArrowInvalid as e:
        if "straddl" in str(e) or ("cannot infer" in str(e) and file.stat().st_size > BLOCK):
            raise InputError(
                f"{name} holds a row of more than {BLOCK >> 20} MB: look for a quote that is "
                "opened and never closed"
            ) from None
        raise
    raise InputError(f"{name} has rows of another length than its header:", (_lengths(name, odd),))


def _lengths(name: str, odd: list[tuple[int, int, int]]) -> Fault:
    first = ", ".join(f"{number - 1} ({found})" for number, _, found in odd[:_SHOWN_ROWS])
    more = f" and {len(odd) - _SHOWN_ROWS:,} more" if len(odd) > _SHOWN_ROWS else ""
    return Fault(
        name,
        "wrong_length",
        f"a row has {odd[0][1]} fields, these have another number of them: row {first}{more}; "
        "look for a delimiter or a quote inside a value",
    )
