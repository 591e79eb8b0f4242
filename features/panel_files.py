"""Panels on disk: one Parquet file a theme, checked, all or nothing, and read by the last row.

Enters: panels of the window engine, in parts. Leaves: files in a folder, and the latest row of
every customer, some customers at a time. The files of a panel hold the same customers and as_of in
the same order. It knows no Feast and no online store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.errors import InputError, NotFoundError
from events.schema import INSTANT
from features.catalogue import Catalogue
from features.views import AS_OF, COMPUTED_AT, ENTITY_KEY, panel_file, themes

HASH_FILE = "panel.sha256"
GROUP_ROWS = 131_072
"""Rows a group of a panel's files: what writing holds in memory."""
PART_ROWS = 50_000
"""Rows of a panel that are decoded at a time."""
BUFFER = 65_536
"""Bytes of each column that are read at a time."""


@dataclass(frozen=True)
class LatestRows:
    """The latest row of some customers: who, as of when (micros), and the values of each theme."""

    customers: Sequence[str]
    as_of: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]


def checked(parts: Iterable[pa.Table], catalogue: Catalogue) -> Iterator[pa.Table]:
    """The parts' rows by customer and as_of, with `computed_at`; NaN becomes null.

    Raises:
        InputError: columns that are not the catalogue's, a missing key or instant, a customer
            twice at one as_of, a value that is not finite, or parts that do not follow each other.
    """
    before: tuple[str, int] | None = None
    for part in parts:
        rows = _checked(part, catalogue)
        if rows.num_rows:
            if before is not None and _key(rows, 0) <= before:
                raise InputError(
                    "a part of the panel goes back behind the part before it: give the parts by "
                    "customer and as_of, or the panel as one table"
                )
            before = _key(rows, rows.num_rows - 1)
        yield rows


def _key(rows: pa.Table, place: int) -> tuple[str, int]:
    return rows[ENTITY_KEY][place].as_py(), rows[AS_OF][place].cast(pa.int64()).as_py()


def _checked(panel: pa.Table, catalogue: Catalogue) -> pa.Table:
    wanted = {ENTITY_KEY, AS_OF, *catalogue.names}
    given = panel.column_names
    absent = [n for n in catalogue.names if n not in given]
    unknown = [n for n in given if n not in wanted]
    if absent or unknown or len(given) != len(set(given)):
        raise InputError(
            f"the panel lacks {absent[:5]} and has {unknown[:5]} that the catalogue does not "
            "know: compute it with this catalogue"
        )
    rows = keys_of(panel)
    pairs = rows.group_by([ENTITY_KEY, AS_OF]).aggregate([]).num_rows
    if pairs != rows.num_rows:
        raise InputError(
            f"{rows.num_rows - pairs} rows of the panel repeat a customer and as_of: Feast "
            "would take any of them; ask for each pair once"
        )
    rows = rows.append_column(COMPUTED_AT, rows[AS_OF])
    endless = []
    for name in catalogue.names:
        column = pc.cast(panel[name], pa.float64())
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
        endless += [name] if pc.any(pc.is_inf(column)).as_py() else []
        rows = rows.append_column(name, column)
    if endless:
        raise InputError(f"features {endless[:5]} are infinite: mend how they are computed")
    return rows.sort_by([(ENTITY_KEY, "ascending"), (AS_OF, "ascending")])


def write_files(rows: Iterable[pa.Table], folder: Path, catalogue: Catalogue) -> int:
    """One file a theme, and the hash over all of them: the same rows give the same bytes, however
    they are parted. How many rows they are; `GROUP_ROWS` of them are in memory at a time."""
    keys = [(ENTITY_KEY, pa.string()), (AS_OF, INSTANT), (COMPUTED_AT, INSTANT)]
    files, written = {}, 0
    with ExitStack() as stack:
        for theme, found in themes(catalogue).items():
            file = panel_file(folder, theme)
            schema = pa.schema([*keys, *((f.name, pa.float64()) for f in found)])
            files[file] = stack.enter_context(pq.ParquetWriter(file, schema))
        for group in _groups(rows):
            for out in files.values():
                out.write_table(group.select(out.schema.names), row_group_size=GROUP_ROWS)
            written += group.num_rows
    digest = hashlib.sha256(catalogue.hash.encode())
    for file in files:
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    (folder / HASH_FILE).write_text(digest.hexdigest() + "\n", encoding="ascii")
    return written


def _groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, `GROUP_ROWS` at a time, the last time fewer, in one chunk."""
    held: list[pa.Table] = []
    for part in parts:
        held.append(part)
        while sum(t.num_rows for t in held) >= GROUP_ROWS:
            table = pa.concat_tables(held)
            yield table.slice(0, GROUP_ROWS).combine_chunks()
            held = [table.slice(GROUP_ROWS)]
    if any(t.num_rows for t in held):
        yield pa.concat_tables(held).combine_chunks()


def panel_hash(folder: Path) -> str:
    """The hash over the files of a panel, as it was when they were written.

    Raises:
        NotFoundError: the panel has none.
    """
    file = folder / HASH_FILE
    if not file.is_file():
        raise NotFoundError("the panel in use has no hash: run `tierline features` again")
    return file.read_text(encoding="ascii").strip()


def last_as_of(folder: Path, theme: str) -> tuple[int, tuple[str, ...]]:
    """The last as_of (micros) of a panel, and who stands in it."""
    rows = pq.read_table(panel_file(folder, theme), columns=[ENTITY_KEY, AS_OF])
    last = pc.max(rows[AS_OF])
    today = rows.filter(pc.equal(rows[AS_OF], last))
    return int(last.cast(pa.int64()).as_py()), tuple(today[ENTITY_KEY].to_pylist())


def columns_at(
    folder: Path, catalogue: Catalogue, as_of: int, theme: str | None
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Every feature, or those of a theme, over the rows at an as_of (micros); a theme is in memory
    at a time."""
    moment = pc.field(AS_OF) == pa.scalar(as_of, pa.int64()).cast(INSTANT)
    for name, found in themes(catalogue).items():
        if theme in (None, name):
            names = [f.name for f in found]
            rows = pq.read_table(panel_file(folder, name), columns=names, filters=moment)
            yield from zip(names, matrix(rows, names).T, strict=True)


def latest_rows(
    folder: Path, catalogue: Catalogue, as_of: int, part: int = PART_ROWS
) -> Iterator[LatestRows]:
    """The last row of every customer that is not later than `as_of` (micros), some at a time.

    `part`: so many rows of the panel are decoded at a time.
    """
    grouped = {theme: [f.name for f in found] for theme, found in themes(catalogue).items()}
    read = {"buffer_size": BUFFER, "pre_buffer": False}  # or whole columns of a group are held
    files = {theme: pq.ParquetFile(panel_file(folder, theme), **read) for theme in grouped}
    first = next(iter(grouped))
    keys = files[first].read(columns=[ENTITY_KEY, AS_OF])
    at = keys[AS_OF].cast(pa.int64()).to_numpy()
    chosen = _last(keys[ENTITY_KEY], at <= as_of)
    parts = [files[t].iter_batches(part, columns=names) for t, names in grouped.items()]
    begin = 0
    for batches in zip(*parts, strict=True):
        end = begin + batches[0].num_rows
        rows = chosen[(chosen >= begin) & (chosen < end)]
        if rows.size:
            take = pa.array(rows - begin)
            values = {
                theme: matrix(pa.table(batch.take(take)), grouped[theme])
                for theme, batch in zip(grouped, batches, strict=True)
            }
            customers = keys[ENTITY_KEY].take(pa.array(rows)).to_pylist()
            yield LatestRows(customers, at[rows], values)
        begin = end


def keys_of(rows: pa.Table) -> pa.Table:
    """The columns `customer_id` and `as_of` in the types of the tables, none missing.

    Raises:
        InputError: a column or a value of them is missing.
    """
    for name in (ENTITY_KEY, AS_OF):
        if name not in rows.column_names or rows[name].null_count:
            raise InputError(f"every row needs {name}: give customer_id and as_of")
    return pa.table(
        {
            ENTITY_KEY: pc.cast(rows[ENTITY_KEY], pa.string()),
            AS_OF: pc.cast(rows[AS_OF], INSTANT),
        }
    )


def matrix(rows: pa.Table, names: Sequence[str]) -> NDArray[np.float64]:
    """The named columns as (n, k) float64, NaN where a value is missing."""
    out = np.full((rows.num_rows, len(names)), np.nan)
    for i, name in enumerate(names):
        out[:, i] = rows[name].to_numpy(zero_copy_only=False)
    return out


def _last(customers: pa.ChunkedArray, counts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The place of the last row that counts, for every customer that has one; rows by customer."""
    places = np.flatnonzero(counts)
    ids = customers.take(pa.array(places)).combine_chunks()
    ids = ids.chunk(0) if isinstance(ids, pa.ChunkedArray) and ids.num_chunks else ids
    if not len(ids):
        return places
    other = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1))
    is_last = np.append(other.to_numpy(zero_copy_only=False).astype(bool), True)
    return np.asarray(places[is_last])
