"""The raw tables as Markdown: the generated part of docs/data.md.

Enters: the schemas. Leaves: text. It reads and writes no file.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from events.schema import TABLES, Column

_HEAD = ("column", "type", "unit", "must be there", "allowed", "personal", "says")


def tables_text() -> str:
    """One table of columns for each raw table."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for table in TABLES.values():
        yield f"### `{table.name}`"
        yield ""
        key = ", ".join(f"`{k}`" for k in table.key)
        yield f"{table.text[0].upper()}{table.text[1:]}. An event is named by {key}."
        yield ""
        for row in (_HEAD, tuple("---" for _ in _HEAD), *map(_row, table.columns)):
            yield "| " + " | ".join(row) + " |"
        yield ""


def _row(column: Column) -> tuple[str, ...]:
    allowed = ", ".join(column.allowed)
    if column.minimum is not None or column.maximum is not None:
        low = "" if column.minimum is None else f"from {column.minimum:g}"
        high = "" if column.maximum is None else f"to {column.maximum:g}"
        allowed = f"{low} {high}".strip()
    must = "yes" if column.required else ""
    kind = "instant" if pa.types.is_timestamp(column.type) else str(column.type)
    return (
        f"`{column.name}`", kind, column.unit, must, allowed, column.personal.value, column.text,
    )  # fmt: skip
