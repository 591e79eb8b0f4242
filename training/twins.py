"""The same person under several ids: ids or rows that agree more than chance can explain.

Enters: a table of what is known of each customer, one row each, as codes, or their ids, and the
side each stands on. Leaves: pairs of row numbers on different sides.
Agreeing in a value that a share p of the rows has tells `-log2 p` bits, as in record linkage
(Source: Fellegi and Sunter, 1969); a column that goes with another one tells so much less, by
their rank correlation. Of N pairs chance makes about `N / 2^t` with t bits and more; pairs are
taken from the least t on at which that is at most a twentieth of what is found. A person who
agrees in most columns is found, whatever the others say.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
FALSE_SHARE = 0.05
LEAST_AGREEING = 0.6
"""Of the columns that both rows have a value in."""
LEAST_COLUMNS = 2
LARGEST_BLOCK = 100
MOST_PAIRS = 2_000_000
RANKED_ROWS = 20_000
LEAST_IDS, MIXED, MOST_WAYS = 100, 0.1, 5
_MIXED = re.compile(r"[a-z]\d*[A-Z]")
_PARTS = re.compile(rf"\d+|[^\d\s{re.escape(string.punctuation)}\u2010-\u2015]+")


def plain_id(text: str, *, folds: bool = True) -> str:
    """An id without what a person or a program may write otherwise: case (where it `folds`),
    spaces, punctuation, leading zeros. Two numbers side by side stay two.

    >>> [plain_id(i) for i in ("C001", "c-001 ", "C1", "1-23", "12-3")]
    ['c 1', 'c 1', 'c 1', ' 1 23', ' 12 3']
    """
    text = unicodedata.normalize("NFKC", text)
    parts = _PARTS.findall(text.casefold() if folds else text)
    return "".join(f" {p.lstrip('0') or '0'}" if p.isdecimal() else p for p in parts)


def case_tells(ids: Sequence[str]) -> bool:
    """Whether ids are drawn from small and great letters alike, so that case tells them apart: a
    tenth of them change from small to great within, in many ways."""
    mixed = [i for i in ids if _MIXED.search(i)]
    ways = {"".join("u" if c.isupper() else "l" for c in i if c.isalpha()) for i in mixed}
    return len(ids) >= LEAST_IDS and len(mixed) > MIXED * len(ids) and len(ways) > MOST_WAYS


def same_ids(ids: Sequence[str], sides: Ints) -> Ints:
    """Pairs (m, 2) of places on different sides (n,) whose ids are the same plain one: of everybody
    who has a twin on another side, one pair."""
    folds = not case_tells(ids)
    kinds: dict[str, int] = {"": -1}
    code = [kinds.setdefault(plain_id(i, folds=folds), len(kinds)) for i in ids]
    return across(np.array(code, dtype=np.int64), sides)


def across(code: Ints, sides: Ints) -> Ints:
    """Pairs (m, 2) of places on different sides (n,) of one code; -1 is nobody's. Of everybody who
    has a twin on another side, one pair."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place, kind in enumerate(code.tolist()):
        groups[kind].append(place)
    groups.pop(-1, None)
    pairs = []
    for group in groups.values():
        first = sides[group[0]]
        other = next((p for p in group if sides[p] != first), None)
        if other is not None:
            pairs += [(p, other if sides[p] == first else group[0]) for p in group]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def twins(codes: Ints, sides: Ints) -> Ints:
    """Pairs (m, 2) of row numbers on different sides (n,) that are one person, by `codes_of` what
    is known of each.

    None where the columns tell too little.
    """
    n, k = codes.shape
    if k < LEAST_COLUMNS or n < 2:
        return np.empty((0, 2), dtype=np.int64)
    bits = _bits(codes)
    pairs = candidates(codes)
    pairs = pairs[sides[pairs[:, 0]] != sides[pairs[:, 1]]]
    a, b = codes[pairs[:, 0]], codes[pairs[:, 1]]
    known = (a >= 0) & (b >= 0)
    agree = known & (a == b)
    told = np.where(agree, bits[pairs[:, 0]], 0.0).sum(axis=1)
    enough = (agree.sum(axis=1) >= LEAST_AGREEING * known.sum(axis=1)) & (
        agree.sum(axis=1) >= LEAST_COLUMNS
    )
    pairs, told = pairs[enough], told[enough]
    return np.asarray(pairs[beyond_chance(np.exp2(-told), sides, FALSE_SHARE)])


def codes_of(table: pa.Table) -> Ints:
    """A number for each value of each column, in the order of the values; -1 is no value.

    A column with one value, or another name for one before it, tells nothing and is left out.
    """
    found: list[Ints] = []
    for column in table.columns:
        values = column.combine_chunks()
        kinds = pc.unique(values.drop_null()).sort()
        code = pc.fill_null(pc.index_in(values, value_set=kinds), -1).to_numpy().astype(np.int64)
        if len(kinds) > 1 and not any(np.array_equal(code, other) for other in found):
            found.append(code)
    return np.column_stack(found) if found else np.empty((table.num_rows, 0), dtype=np.int64)


def _bits(codes: Ints) -> Floats:
    """What each value tells (n, k): -log2 of its share, less what the columns before it tell."""
    n = len(codes)
    counts = [np.bincount(c[c >= 0]) for c in codes.T]
    bits = np.column_stack(
        [
            -np.log2(np.maximum(seen, 1)[np.maximum(c, 0)] / n)
            for c, seen in zip(codes.T, counts, strict=True)
        ]
    )
    return np.asarray(bits * own_share(codes, bits.mean(axis=0)))


def own_share(codes: Ints, weight: Floats | None = None) -> Floats:
    """What each column (k,) tells beside the columns before it: 1 less its greatest rank
    correlation with one; those of more weight stand before [those with more values]."""
    k = codes.shape[1]
    some = codes[:: -(-len(codes) // RANKED_ROWS)]
    ranks = np.column_stack([np.unique(c, return_inverse=True)[1] for c in some.T])
    ranks = np.column_stack([_mid_ranks(r) for r in ranks.T])
    alike = np.abs(np.corrcoef(ranks, rowvar=False)) if k > 1 else np.ones((1, 1))
    order = np.argsort(-(codes.max(axis=0) if weight is None else weight), kind="stable")
    own = np.ones(k)
    for place, column in enumerate(order[1:], start=1):
        own[column] = 1.0 - np.nanmax(np.append(alike[column, order[:place]], 0.0))
    return own


def _mid_ranks(codes: Ints) -> Floats:
    counts = np.bincount(codes)
    return np.asarray((np.cumsum(counts) - counts / 2)[codes])


def candidates(codes: Ints) -> Ints:
    """Pairs that share a value of a column, or all values of every other one: each pair once."""
    keys = [codes[:, c] for c in range(codes.shape[1])]
    for part in (codes[:, ::2], codes[:, 1::2]):
        same = np.unique(part, axis=0, return_inverse=True)[1]
        keys.append(np.where((part >= 0).sum(axis=1) > 1, same, -1))
    found = [p for key in keys for p in _pairs(key)]
    pairs = np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)
    flat = np.unique(pairs[:, 0] * len(codes) + pairs[:, 1])
    return np.column_stack([flat // len(codes), flat % len(codes)])


def _pairs(key: Ints) -> Iterator[Ints]:
    """The pairs inside each block of rows with one value, of every so many blocks if too many."""
    counts = np.bincount(key[key >= 0]) if (key >= 0).any() else np.empty(0, dtype=np.int64)
    whole = np.where((counts > 1) & (counts <= LARGEST_BLOCK), counts * (counts - 1) // 2, 0)
    every = max(1, -(-int(whole.sum()) // MOST_PAIRS))
    kept = np.flatnonzero(whole)[::every]
    rows = np.flatnonzero((key >= 0) & np.isin(key, kept))
    rows = rows[np.argsort(key[rows], kind="stable")]
    for step in range(1, LARGEST_BLOCK):
        same = key[rows[:-step]] == key[rows[step:]]
        if not same.any():
            return
        yield np.column_stack([rows[:-step][same], rows[step:][same]])


def beyond_chance(chance: Floats, sides: Ints, false_share: float) -> NDArray[np.bool_]:
    """Which pairs (m,) are taken, given the chance of two strangers to be as near as each: the
    nearest, so many that chance makes at most `false_share` of them, of all pairs on different
    sides (n,)."""
    apart = (len(sides) ** 2 - float((np.bincount(sides).astype(np.float64) ** 2).sum())) / 2
    ordered = np.sort(chance)
    fine = np.flatnonzero(apart * ordered <= false_share * np.arange(1, ordered.size + 1))
    return np.asarray(chance <= (ordered[fine[-1]] if fine.size else -1.0))
