"""From somebody's tables to a mapping file: sample, propose, write, and check the sample.

Enters: a file, a folder of files, or the address of a database. Leaves: `mapping.toml`, and the
first faults that the check finds in the sample under that mapping. The tables are only read, no
value of a row is told, no password is written.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from domain.errors import Fault, InputError
from events import database
from events.check import check_table
from events.files import head_of, is_table, read_text_head
from events.mapping import FILE, FolderMapping, ours, read_mapping
from events.propose import Proposal, propose
from events.schema import TABLES
from events.shown import shown

SAMPLE = 10_000
DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Sample:
    """The first rows of one table of theirs, and where it stands."""

    name: str
    rows: pa.Table
    file: str | None = None
    delimiter: str = ","


@dataclass(frozen=True)
class Connected:
    """What became of each table, the mapping as text, and the faults of the sample."""

    found: tuple[tuple[str, str | None], ...]
    text: str
    faults: tuple[Fault, ...]


def connect(place: str, out: Path | None, *, force: bool = False, rows: int = SAMPLE) -> Connected:
    """Write the proposed mapping of a file, a folder or a database, and check a sample with it.

    Raises:
        InputError: nothing to read, no table of ours in it, or a mapping that stands there already.
    """
    address = place if database.is_address(place) else None
    folder = _folder(place, address, out)
    file = folder / FILE
    if file.exists() and not force:
        raise InputError(f"{file} stands there already: give --force to write it anew")
    samples = list(_of_database(address, rows) if address else _of_files(Path(place), rows))
    chosen: dict[str, tuple[Sample, Proposal]] = {}
    found: list[tuple[str, str | None]] = []
    for sample in samples:
        made = propose(sample.name.rpartition(".")[2], sample.rows)
        taken = made is not None and (
            made.table not in chosen or chosen[made.table][1].fit < made.fit
        )
        if made is not None and taken:
            chosen[made.table] = (sample, made)
        found.append((sample.name, made.table if made is not None and taken else None))
    if not chosen:
        raise InputError(
            "no table holds a customer and a time under a name we know: write the mapping by hand, "
            "docs/data.md shows one"
        )
    text = mapping_text(list(chosen.values()), address)
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return Connected(tuple(found), text, _faults(read_mapping(folder), chosen))


def _folder(place: str, address: str | None, out: Path | None) -> Path:
    if address is not None:
        if out is None:
            raise InputError("a database has no folder: say with --out where the mapping goes")
        return out
    path = Path(place)
    if not path.exists():
        raise InputError(f"no file and no folder {shown(path.name)}: give one, or an address")
    home = path if path.is_dir() else path.parent
    if out is not None and out.resolve() != home.resolve():
        raise InputError("the mapping stands beside the files it maps: leave --out away")
    return home


def _of_files(path: Path, rows: int) -> Iterator[Sample]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    for file in (f for f in files if f.is_file() and is_table(f)):
        delimiter = "," if file.suffix == ".parquet" else _delimiter(file)
        data = head_of(file, file.name, delimiter, rows)
        yield Sample(file.name.partition(".")[0], data, file.name, delimiter)


def _delimiter(file: Path) -> str:
    """The sign that parts the fields of a CSV file, by its first lines."""
    head = "\n".join(read_text_head(file, file.name).splitlines()[:20])
    try:
        return csv.Sniffer().sniff(head, DELIMITERS).delimiter
    except csv.Error:
        return max(DELIMITERS, key=head.partition("\n")[0].count)


def _of_database(address: str, rows: int) -> Iterator[Sample]:
    with database.opened(address) as connection:
        for name in database.tables(connection):
            yield Sample(name, database.rows(connection, name, rows))


def mapping_text(chosen: list[tuple[Sample, Proposal]], address: str | None) -> str:
    """The mapping file, with what a human has to look at as comments."""
    lines = ["# Proposed by `tierline connect`: read it, mend it, then run `tierline check`."]
    if any(p.needs_zone for _, p in chosen):
        lines.append('zone = "UTC"   # some times name no zone: is it this one?')
    if address is not None:
        lines.append(f"database = {_s(database.without_password(address))}")
    for sample, made in chosen:
        lines += ["", f"[{made.table}]", *(f"# look: {n}" for n in made.notes)]
        source = sample.file
        lines.append(f"file = {_s(source)}" if source else f"table = {_s(sample.name)}")
        lines += _lines(sample, made)
    return "\n".join(lines) + "\n"


def _lines(sample: Sample, made: Proposal) -> Iterator[str]:
    plain = (
        ("delimiter", sample.delimiter, ","),
        ("decimal", made.decimal, "."),
        ("thousands", made.thousands, ""),
    )
    yield from (f"{key} = {_s(value)}" for key, value, default in plain if value != default)
    if made.sql is not None:
        plain_sql = "'''" not in made.sql and made.sql.replace("\n", "").isprintable()
        yield f"sql = '''{made.sql}'''" if plain_sql else f"sql = {_s(made.sql)}"
    if made.ignore:
        yield f"ignore = [{', '.join(map(_s, made.ignore))}]"
    tables = (("columns", made.columns), ("formats", made.formats), ("constants", made.constants))
    for key, pairs in tables:
        if pairs:
            yield f"{key} = {{ {', '.join(f'{k} = {_s(v)}' for k, v in pairs.items())} }}"
    for column, codes in made.values.items():
        yield f"[{made.table}.values.{column}]"
        yield from (f"{_s(theirs)} = {_s(means)}" for theirs, means in codes.items())


def _s(text: str | None) -> str:
    """A text as TOML writes it, which is as JSON does."""
    return json.dumps(text or "", ensure_ascii=False).replace("\x7f", "\\u007f")


def _faults(
    mapping: FolderMapping, chosen: dict[str, tuple[Sample, Proposal]]
) -> tuple[Fault, ...]:  # fmt: skip
    """What the check says of the sample under the mapping."""
    faults: list[Fault] = []
    now = time.time_ns() // 1000
    for table, (sample, _) in chosen.items():
        name = sample.file or sample.name
        try:
            data = ours(sample.rows, table, mapping.tables[table], mapping.zone, name)
        except InputError as e:
            faults += e.faults or (Fault(name, "mapping", str(e)),)
            continue
        checked = check_table(TABLES[table], data, name, now)
        faults += [*checked.fatal, *checked.faults]
    return tuple(faults)
