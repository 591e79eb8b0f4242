"""The engine: rows of anybody in any order become the events of the customers asked for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from features import kernel
from features.declare import Take
from features.engine import Book, Requests
from features.programs import compile_takes
from tests.features.panel_world import at, requests, row, table_of
from tests.features.test_panel import catalogue_of

T = "transactions"
[COUNTS] = compile_takes(catalogue_of([Take("count", T), Take("sum", f"{T}.amount", scale=0.5)]))


def test_requests_are_coded_in_the_order_of_their_ids():
    found = Requests.of(requests([("b", 1), ("a", 2), ("b", 3)]))
    assert found.ids.to_pylist() == ["a", "b"]
    assert found.codes.tolist() == [1, 0, 1]
    assert found.as_of.tolist() == [1, 2, 3]


def test_a_book_holds_the_rows_of_its_customers_by_customer():
    rows = [row(c, d, amount=1.0) for c, d in (("z", 1), ("a", 2), ("q", 3), ("a", 1))]
    book = Book.of(COUNTS, table_of(T, rows), pa.array(["a", "z"]))
    assert book.codes.tolist() == [0, 0, 1]
    assert book.table["customer_id"].to_pylist() == ["a", "a", "z"]


def test_some_customers_of_a_book_give_what_the_whole_book_gives():
    rows = [row(f"c{i % 5}", i, amount=float(i)) for i in range(40)]
    book = Book.of(COUNTS, table_of(T, rows), pa.array([f"c{i}" for i in range(5)]))
    moments = np.full(5, at(30.0))
    whole = book.engine(0, 5).run(np.arange(5), moments)
    some = book.engine(2, 4).run(np.arange(2), moments[:2])
    for name, values in some.items():
        assert values.tolist() == whole[name][2:4].tolist()
    assert whole["f1"][0] == sum(i for i in range(0, 31, 5)) / 2


def test_the_kernel_is_compiled_once_whoever_owns_the_instants_that_are_asked():
    book = Book.of(COUNTS, table_of(T, [row("a", 1, amount=1.0)]), pa.array(["a"]))
    mine = np.full(1, at(30.0))
    given = pa.array([at(30.0)]).to_numpy()
    assert mine.flags.writeable and not given.flags.writeable
    for moments in (mine, given):
        book.engine(0, 1).run(np.zeros(1, np.int64), moments)
    assert len(kernel.walk.signatures) == 1
