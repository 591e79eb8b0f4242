"""The push path: a million shuffled events against one sorted run, and the time of one event.

    python -m experiments.bench.push [--quick]

Enters: nothing. Leaves: figures, and as the last line one JSON object: events, customers, values
that differ from the sorted run (0 is the promise), seconds and events a second of pushing in
batches, and the median and worst time until one pushed event stands online.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

import click

from tests.features.push_world import World, differences, transactions, world


@click.command()
@click.option("--events", default=1_000_000, show_default=True)
@click.option("--customers", default=4_000, show_default=True)
@click.option("--batches", default=4, show_default=True)
@click.option("--quick", is_flag=True, help="60,000 events of 400 customers")
def main(events: int, customers: int, batches: int, quick: bool) -> None:
    """Measure the push path on SQLite."""
    events, customers = (60_000, 400) if quick else (events, customers)
    with tempfile.TemporaryDirectory() as folder:
        made = world(Path(folder), {"transactions": transactions(1, events, customers)}, days=30)
        began, pushed = time.perf_counter(), 0
        for table, rows in made.batches(2, batches):
            told = made.push.accept(table, rows)
            pushed += rows.num_rows
            print(f"{told.new:,} new, {told.repeated:,} again, {told.customers:,} customers")
        seconds = time.perf_counter() - began
        differ = differences(made)
        single = _single(made)
    told_all = {
        "events": events,
        "pushed": pushed,
        "customers": customers,
        "values_that_differ": differ,
        "push_seconds": round(seconds, 2),
        "events_a_second": round(pushed / seconds),
        "one_event_ms_median": round(statistics.median(single) * 1e3, 1),
        "one_event_ms_worst": round(max(single) * 1e3, 1),
    }
    print(json.dumps(told_all))


def _single(made: World) -> list[float]:
    """Seconds of pushing one event, of customers one after another."""
    made.push.warm()
    rows = made.late["transactions"]
    took = []
    for i in range(40):
        began = time.perf_counter()
        made.push.accept("transactions", rows.slice(i, 1))
        took.append(time.perf_counter() - began)
    return took


if __name__ == "__main__":
    main()
