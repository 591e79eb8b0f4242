"""The same person under several ids: found whatever else differs, and nobody by chance."""

from __future__ import annotations

import string

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.twins import case_tells, codes_of, plain_id, same_ids, twins


def people(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    income = np.round(np.exp(rng.normal(10, 0.7, n)), 0)
    return {
        "income": income,
        "limit": np.round(income * 0.3, 0),
        "born": rng.integers(0, 20_000, n).astype(float),
        "since": rng.integers(0, 5_000, n).astype(float),
        "children": rng.integers(0, 4, n).astype(float),
        "owns": rng.integers(0, 2, n).astype(float),
        "visits": rng.poisson(3, n).astype(float),
    }


def table_of(columns: dict[str, np.ndarray]) -> pa.Table:
    return pa.table({k: pa.array(v, from_pandas=True) for k, v in columns.items()})


@pytest.mark.parametrize("copies", [12, 300])
def test_copies_with_other_unrelated_columns_are_found_and_nobody_else(copies):
    rng = np.random.default_rng(copies)
    columns = people(rng, 3000)
    of = rng.permutation(3000)[:copies]
    both = {k: np.concatenate([v, v[of]]) for k, v in columns.items()}
    both["visits"][3000:] += 1
    both["owns"][3000:] = 1 - both["owns"][3000:]
    sides = np.repeat([0, 1], [3000, copies])
    found = {tuple(p) for p in twins(codes_of(table_of(both)), sides).tolist()}
    true = {(int(o), 3000 + i) for i, o in enumerate(of)}
    assert len(found & true) >= 0.95 * copies
    assert len(found - true) <= 0.1 * copies


@pytest.mark.parametrize("seed", range(5))
def test_strangers_are_nobodys_twins(seed):
    rng = np.random.default_rng(seed)
    table = table_of(people(rng, 3000))
    assert len(twins(codes_of(table), rng.integers(0, 2, 3000))) <= 1


def test_rows_that_agree_in_what_most_have_are_strangers():
    """Thousands of rows of zeros and missing values are equal, and tell nothing."""
    rng = np.random.default_rng(1)
    n = 4000
    empty = rng.random(n) < 0.5
    columns = {f"c{i}": np.where(empty, 0.0, rng.normal(size=n).round(2)) for i in range(6)}
    columns["income"] = np.where(empty, np.nan, rng.normal(size=n))
    assert len(twins(codes_of(table_of(columns)), rng.integers(0, 2, n))) == 0


def test_only_pairs_on_different_sides_are_told():
    rng = np.random.default_rng(2)
    columns = {k: np.concatenate([v, v]) for k, v in people(rng, 500).items()}
    assert len(twins(codes_of(table_of(columns)), np.zeros(1000, dtype=np.int64))) == 0
    found = twins(codes_of(table_of(columns)), np.repeat([0, 1], 500))
    assert found.tolist() == [[i, 500 + i] for i in range(500)]


@pytest.mark.parametrize("names", [(), ("born",), ("born", "since")])
def test_too_few_columns_tell_nobody(names):
    columns = people(np.random.default_rng(1), 200)
    table = table_of({n: columns[n] for n in names} or {"one": np.ones(200)})
    assert len(twins(codes_of(table), np.repeat([0, 1], 100))) == 0


def test_another_name_of_a_column_tells_nothing_more():
    """Ten names of one column and two coarse ones are three columns, too little for anybody."""
    rng = np.random.default_rng(4)
    n = 2000
    born = rng.integers(0, 300, n).astype(float)
    columns = {f"born_{i}": born * (i + 1) for i in range(10)}
    columns |= {"owns": rng.integers(0, 2, n).astype(float), "kind": rng.integers(0, 3, n) * 1.0}
    assert len(twins(codes_of(table_of(columns)), rng.integers(0, 2, n))) == 0


def test_one_id_written_in_many_ways_is_one_and_other_ids_stay_others():
    for text in ("C001", "c-001 ", "C1", " c 1", "C_01", "#C001", "Ｃ００１", "C\u2013001"):
        assert plain_id(text) == plain_id("c1"), text
    others = (
        "1-23",
        "12-3",
        "123",
        "C10",
        "C100",
        "CD1",
        "1C",
        "0",
        "客户1",
        "客户10",
        "C1-0",
        "का",
        "कि",
    )
    assert len({plain_id(t) for t in others}) == len(others)


def walked(text: str) -> list[str]:
    """The letters and numbers of an id, one character after the other."""
    found, last = [], ""
    for c in text.lower():
        if c.isdigit() and last.isdigit():
            found[-1] = str(int(found[-1]) * 10 + int(c))
        elif c.isalnum():
            found.append(str(int(c)) if c.isdigit() else c)
        last = c
    return found


@given(st.lists(st.tuples(st.text("aB01- _", max_size=4), st.integers(0, 2)), max_size=25))
def test_same_ids_are_those_that_a_look_at_every_pair_finds(rows):
    ids, sides = [r[0] for r in rows], np.array([r[1] for r in rows], dtype=np.int64)
    every = range(len(rows))
    twinned = {
        a for a in every for b in every
        if sides[a] != sides[b] and walked(ids[a]) == walked(ids[b]) != []
    }  # fmt: skip
    found = same_ids(ids, sides)
    assert set(found.ravel().tolist()) == twinned
    assert all(sides[a] != sides[b] and walked(ids[a]) == walked(ids[b]) for a, b in found)


def test_case_counts_where_ids_are_drawn_from_small_and_great_letters():
    rng = np.random.default_rng(8)
    letters = np.array([*string.ascii_letters, *string.digits[1:]])
    ids = sorted({"".join(t) for t in rng.choice(letters, (40_000, 4))})
    folded = len({i.casefold() for i in ids})
    assert folded < len(ids)
    assert len(same_ids(ids, rng.integers(0, 2, len(ids)))) == 0
    for plain in ("C{:04d}", "CustId{:04d}", "cust-{:04d}"):
        some = [plain.format(i) for i in range(300)]
        assert not case_tells([*some, *(i.upper() for i in some)])
        twice = [*some, *(i.swapcase() for i in some[:50])]
        assert len(same_ids(twice, np.repeat([0, 1], [300, 50]))) == 100
