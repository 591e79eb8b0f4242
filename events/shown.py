"""How names that others wrote are told: short, on one line, nothing invisible.

Enters: names of columns, files and tables as they arrived. Leaves: text for messages. Values of
cells never come here: a message names places, not what stands in them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

MOST_CHARACTERS = 60
MOST_NAMES = 12
_UNSEEN = ("C", "Zl", "Zp")


def shown(name: str) -> str:
    """The name with invisible characters escaped and its end cut where it is long.

    >>> shown("a\\u202eb"), shown("a "), shown(""), len(shown("x" * 1000))
    ('a\\\\u202eb', '"a "', '(no name)', 61)
    """
    short = name[: MOST_CHARACTERS + 1]
    told = "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c).startswith(_UNSEEN) else c
        for c in short
    )
    if not told.strip():
        return "(no name)"
    told = told if told == told.strip() else f'"{told}"'
    return told if len(short) <= MOST_CHARACTERS else told[:MOST_CHARACTERS] + "…"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are.

    >>> listed(["a", "b"]), listed([])
    ('a, b', 'nothing')
    """
    told = ", ".join(shown(n) for n in names[:MOST_NAMES])
    rest = len(names) - MOST_NAMES
    return (told + (f" and {rest:,} more" if rest > 0 else "")) or "nothing"
