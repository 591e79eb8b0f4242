"""The push path: any order, any repeats, any kill: the row is that of one sorted run."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import NotFoundError, StoreError
from features.arrivals import Arrivals
from features.online_config import OnlineConfig
from features.panel import compute, known_customers
from features.push import Pushed, PushPath
from features.store import FeatureRoom
from features.views import layouts
from tests.features.push_world import (
    DAY,
    START,
    World,
    differences,
    seen,
    statements,
    take,
    transactions,
    world,
)
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
NAMES = ("purchase_count_30d", "spend_sum_90d", "days_past_due_last")


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return {"transactions": transactions(1, 4_000, 60), "statements": statements(2, 60)}


@pytest.fixture
def made(tables, tmp_path) -> World:
    return world(tmp_path, tables, days=250)


def push_all(made: World, seed: int, count: int) -> None:
    for table, rows in made.batches(seed, count):
        made.push.accept(table, rows)


def test_shuffled_doubled_events_on_every_server_come_to_the_sorted_run(
    tables, tmp_path, online, project
):
    made = world(tmp_path, tables, days=200, online=online, project=project)
    assert made.late["transactions"].num_rows > 1_000
    push_all(made, seed=3, count=4)
    assert differences(made) == 0
    last = {c: 0 for c in made.whole["transactions"]["customer_id"].to_pylist()}
    for rows in made.whole.values():
        for customer, moment in zip(rows["customer_id"].to_pylist(), seen(rows), strict=True):
            last[customer] = max(last[customer], int(moment))
    ids = sorted(last)
    assert made.push.room.online(ids, NAMES).as_of.tolist() == [last[c] for c in ids]
    made.push.room.served.close()


def test_sixty_thousand_shuffled_events_come_to_the_very_bits_of_the_sorted_run(tmp_path):
    """A million: `python -m experiments.bench.push`."""
    whole = {"transactions": transactions(5, 60_000, 400)}
    made = world(tmp_path, whole, days=30)
    push_all(made, seed=6, count=3)
    assert differences(made) == 0


def test_two_orders_leave_the_same_bytes(tables, tmp_path):
    found = []
    for seed, count in ((1, 2), (2, 5)):
        made = world(tmp_path / str(seed), tables, days=250)
        push_all(made, seed, count)
        store = OnlineConfig().open(made.push.room.root, "push")
        found.append(
            store.read([f"c{i:05d}" for i in range(60)], list(layouts(made.push.room.catalogue)))
        )
    assert found[0] == found[1]
    assert len(found[0]) == 60


def test_an_event_counts_at_once_and_once(made):
    room = made.push.room
    day = START + 401 * DAY
    one = made.whole["transactions"].slice(0, 1).to_pylist()[0]
    one |= {"customer_id": "new", "event_id": "n1", "kind": "purchase", "amount": 12.5}
    rows = pa.Table.from_pylist([one], schema=made.whole["transactions"].schema)
    at = pa.array([day]).cast(rows.schema.field("known_at").type)
    rows = rows.set_column(1, rows.schema.field(1), at).set_column(2, rows.schema.field(2), at)
    assert room.online(["new"], NAMES).as_of.tolist() == [0]
    assert made.push.accept("transactions", rows) == Pushed(new=1, repeated=0, customers=1)
    for _ in range(2):
        told = room.online(["new"], NAMES)
        assert told.values[0, :2].tolist() == [1.0, 12.5]
        assert np.isnan(told.values[0, 2])
        assert told.as_of.tolist() == [day]
        assert made.push.accept("transactions", rows) == Pushed(new=0, repeated=1, customers=1)


def test_a_correction_takes_the_place_of_what_it_corrects(made):
    first = made.late["transactions"].slice(0, 1)
    made.push.accept("transactions", first)
    later = pa.array([START + 420 * DAY]).cast(first.schema.field("known_at").type)
    amended = first.set_column(2, first.schema.field(2), later)
    amended = amended.set_column(5, first.schema.field(5), pa.array([0.25]))
    assert amended.column_names[5] == "amount"
    made.push.accept("transactions", amended)
    made.push.accept("transactions", first)
    whole = pa.concat_tables([made.whole["transactions"].filter(
        pa.array(seen(made.whole["transactions"]) <= made.until)), first, amended])  # fmt: skip
    assert differences(World(made.push, made.root / "again",
                             {**made.whole, "transactions": whole,
                              "statements": made.whole["statements"].filter(
                                  pa.array(seen(made.whole["statements"]) <= made.until))},
                             made.until)) == 0  # fmt: skip


KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow.parquet as pq
from features.arrivals import Arrivals
from features.push import PushPath
from features.store import FeatureRoom
from features.views import layouts

root = Path(sys.argv[1])
room = FeatureRoom(root / "features", project="push")
push = PushPath(room, root / "dataset", Arrivals(root / "arrivals.db"))
if sys.argv[2] == "before":
    room.served.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
else:
    push._arrivals.done = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
push.accept("transactions", pq.read_table(sys.argv[3]))
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_before_or_after_the_row_is_mended_by_the_next(made, tmp_path, when):
    import pyarrow.parquet as pq

    rows = made.late["transactions"]
    pq.write_table(rows, tmp_path / "rows.parquet")
    command = [sys.executable, "-c", KILLED, str(tmp_path / "bank"), when]
    died = subprocess.run(
        [*command, str(tmp_path / "rows.parquet")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr[-2000:]
    customers = set(rows["customer_id"].to_pylist())
    assert made.push.recover() == len(customers)
    assert made.push.recover() == 0
    for table, late in made.late.items():
        made.push.accept(table, late)
    assert differences(made) == 0


def test_bringing_the_panel_online_again_takes_nobody_back_and_forgets_what_it_holds(made):
    push_all(made, seed=4, count=1)
    room = made.push.room
    ids = [f"c{i:05d}" for i in range(60)]
    before = room.online(ids, NAMES)
    bring, meanwhile = made.push._bring, []
    made.push._bring = lambda some: [meanwhile.append(room.online(ids, NAMES).as_of), bring(some)]
    made.push.materialise()
    assert [m.tolist() for m in meanwhile] == [before.as_of.tolist()]
    after = room.online(ids, NAMES)
    assert np.array_equal(before.as_of, after.as_of)
    assert np.array_equal(before.values, after.values, equal_nan=True)
    dataset = take(made.whole, made.root / "bank" / "dataset")
    room.write(compute(dataset, known_customers(dataset, [dataset.data_until]), room.catalogue))
    left = made.push._arrivals.customers()
    made.push.materialise()
    kept = made.push._arrivals.customers()
    assert 0 < len(kept) < len(left)  # known after the last event happened
    assert min(kept.values()) > dataset.data_until
    assert differences(made) == 0


def test_readers_see_whole_customers_while_events_arrive(made):
    """All views of a customer are of one instant at any time."""
    ids = [f"c{i:05d}" for i in range(60)]
    names = made.push.room.catalogue.names
    stop = threading.Event()

    def watch() -> tuple[bool, int]:
        whole, instants = True, set()
        while not stop.is_set():
            found = made.push.room.online(ids, names)
            whole &= bool((found.by_view == found.as_of[:, None]).all())
            instants |= set(found.as_of.tolist())
        return whole, len(instants)

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        push_all(made, seed=9, count=6)
        stop.set()
        whole, instants = watching.result()
    assert whole
    assert instants > 3


def test_pushes_of_two_threads_lose_nothing(made):
    work = list(made.batches(11, 6))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda w: made.push.accept(*w), work))
    assert differences(made) == 0


def test_a_slow_push_does_not_undo_a_later_one_of_the_same_customer(made, monkeypatch):
    mine = made.late["transactions"].sort_by([("customer_id", "ascending")]).slice(0, 2)
    who = mine["customer_id"].to_pylist()
    assert who[0] == who[1]
    rows, began = made.push.rows, threading.Event()

    def slowly(dataset, customers):
        found = rows(dataset, customers)
        if not began.is_set():
            began.set()
            time.sleep(0.7)
        return found

    monkeypatch.setattr(made.push, "rows", slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(made.push.accept, "transactions", mine.slice(0, 1))
        began.wait()
        made.push.accept("transactions", mine.slice(1, 1))
        first.result()
    names = made.push.room.catalogue.names
    online = made.push.room.online(who[:1], names)
    made.push.materialise()
    again = made.push.room.online(who[:1], names)
    assert np.array_equal(online.values, again.values, equal_nan=True)
    assert online.as_of.tolist() == again.as_of.tolist()


FIRST = """
import sys
from pathlib import Path
import pyarrow.parquet as pq
from features import kernel
from features.arrivals import Arrivals
from features.push import PushPath
from features.store import FeatureRoom

root = Path(sys.argv[1])
room = FeatureRoom(root / "bank" / "features", project="push")
push = PushPath(room, root / "bank" / "dataset", Arrivals(root / "bank" / "arrivals.db"))
room.warm()
push.warm()
before = set(sys.modules), len(kernel.walk.signatures), push._base
assert before[1] and before[2] and not push._arrivals.customers()
push.accept("transactions", pq.read_table(root / "late.parquet"))
assert push._arrivals.customers()
new = sorted(set(sys.modules) - before[0])
assert not new and (len(kernel.walk.signatures), push._base) == before[1:], new
"""


def test_once_warm_the_first_event_loads_no_module_no_kernel_and_no_panel(made):
    pq.write_table(made.late["transactions"].slice(0, 1), made.root / "late.parquet")
    done = subprocess.run(
        [sys.executable, "-c", FIRST, str(made.root)],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_warming_without_a_data_set_makes_nothing(tmp_path):
    push = PushPath(FeatureRoom(tmp_path / "features"), tmp_path / "none", Arrivals(tmp_path / "a"))
    push.warm()
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_made_the_events_are_kept(tables, tmp_path):
    made = world(tmp_path, tables, days=250)
    gone = OnlineConfig(f"redis://127.0.0.1:{free_port()}")
    lost = FeatureRoom(made.push.room.root, online=gone, project="push")
    arrivals = Arrivals(tmp_path / "bank" / "arrivals.db")
    with pytest.raises(StoreError):
        PushPath(lost, made.root / "bank" / "dataset", arrivals).accept(
            "transactions", made.late["transactions"].slice(0, 3)
        )
    assert len(arrivals.pending()) > 0
    assert made.push.recover() > 0
    empty = PushPath(FeatureRoom(tmp_path / "none"), Path(tmp_path / "none"), arrivals)
    with pytest.raises(NotFoundError):
        empty.accept("transactions", made.late["transactions"].slice(0, 1))
