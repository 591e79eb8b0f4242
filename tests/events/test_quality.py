"""Quality by table and month, held against pandas and a loop over the same rows."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pandas as pd
import pytest

from events.dataset import Dataset
from events.quality import LEAST_ROWS, MAJOR, TableQuality, quality, stability_index
from events.quality_page import page
from tests.events.raw_world import folder, line, take

HEAD = "customer_id,happened_at,known_at,event_id,kind,amount,channel\n"


def row(event: str, at: str, *, known: str = "", amount: str = "10", channel: str = "web") -> str:
    return line(
        event, customer=f"c{hash(event) % 9}", at=at, known=known, amount=amount
    ).strip() + (f",{channel}\n")


def months() -> str:
    """Four months; in the last one amounts grow, the channel goes missing, events come late."""
    rng = np.random.default_rng(5)
    text = ""
    for month in (1, 2, 3, 4):
        for i in range(LEAST_ROWS + 10 * month):
            at = f"2024-{month:02d}-{i % 28 + 1:02d}T10:00:00Z"
            last = month == 4
            known = f"2024-{month:02d}-{i % 28 + 1:02d}T23:00:00Z"
            late = f"2024-{month + 1:02d}-28T10:00:00Z"
            amount = f"{rng.gamma(2, 50) * (4 if last else 1):.2f}"
            channel = "" if last and i % 2 else "web"
            text += row(
                f"m{month}e{i}", at, known=late if last and i % 4 == 0 else known,
                amount=amount, channel=channel,
            )  # fmt: skip
    text += row("m1e0", "2024-01-01T10:00:00Z", known="2024-05-01T00:00:00Z", amount="1")
    text += row("m2e5", "2024-02-06T10:00:00Z", known="2024-02-06T23:00:00Z", amount="2")
    return text + row("bad", "2024-03-01T10:00:00Z", amount="ten")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    root = tmp_path_factory.mktemp("quality")
    return take(folder(root / "raw", HEAD + months()), root / "out")[0]


@pytest.fixture(scope="module")
def found(dataset) -> TableQuality:
    [table] = [t for t in quality(dataset).tables if t.table == "transactions"]
    return table


@pytest.fixture(scope="module")
def frame(dataset) -> pd.DataFrame:
    rows = dataset.table("transactions").to_pandas()
    rows["month"] = rows["happened_at"].dt.strftime("%Y-%m")
    return rows


def test_rows_completeness_and_lateness_are_those_of_pandas(found, frame):
    last = frame[frame["superseded_at"].isna()]
    assert [m.month for m in found.months] == sorted(last["month"].unique())
    for month in found.months:
        rows = last[last["month"] == month.month]
        days = (rows["known_at"] - rows["happened_at"]).dt.total_seconds() / 86400
        assert month.rows == len(rows)
        assert month.customers == rows["customer_id"].nunique()
        assert month.late == pytest.approx((days > 1).mean(), abs=1e-4)
        assert month.lateness_median == pytest.approx(days.median(), abs=1e-4)
        assert month.lateness_most == pytest.approx(days.quantile(0.95), abs=1e-4)
        for column, share in month.complete.items():
            assert share == pytest.approx(rows[column].notna().mean(), abs=1e-4)


def test_corrections_and_the_quarantine_are_counted(found):
    assert [m.corrected for m in found.months] == [1, 0, 0, 0]
    assert found.quarantine == {"duplicate": 1, "wrong_type": 1}
    assert found.duplicates == 1
    assert found.quarantine_months == {"2024-02": {"duplicate": 1}, "2024-03": {"wrong_type": 1}}


def test_every_planted_fault_is_drawn_in_its_month(dataset, found):
    drawn = set(re.findall(r"<title>(.*?)</title>", page(quality(dataset))))
    drift = {m.month: m.drift["amount"] for m in found.months if m.drift}
    assert {
        "2024-02: 1", "duplicate 2024-02: 1", "wrong_type 2024-03: 1", "2024-04: 25.0%",
        "channel 2024-03: 100%", "channel 2024-04: 50%", f"amount 2024-04: {drift['2024-04']:.2f}",
    } <= drawn  # fmt: skip


def by_loop(frame: pd.DataFrame, month: str) -> float:
    """The index of `channel` by the textbook, with half a row more everywhere."""
    last = frame[frame["superseded_at"].isna()].fillna({"channel": ""})
    before = last[last["month"] < month]["channel"]
    now = last[last["month"] == month]["channel"]
    kinds = sorted(set(before) | set(now))
    p = [(before == k).sum() + 0.5 for k in kinds]
    q = [(now == k).sum() + 0.5 for k in kinds]
    return sum(
        (b / sum(q) - a / sum(p)) * math.log((b / sum(q)) / (a / sum(p)))
        for a, b in zip(p, q, strict=True)
    )


def test_drift_is_that_of_a_loop_and_names_the_month_that_changed(found, frame):
    first, *rest = found.months
    assert not first.drift
    for month in rest:
        assert month.drift["channel"] == pytest.approx(by_loop(frame, month.month), abs=1e-4)
    assert {(m, c) for m, c, _ in found.drifted} == {("2024-04", "channel"), ("2024-04", "amount")}
    assert all(v < MAJOR / 2 for m in rest[:2] for v in m.drift.values())


def test_ids_and_dates_do_not_drift(found):
    watched = {c for m in found.months for c in m.drift}
    assert watched == {"kind", "amount", "channel", "category", "items", "balance"}


def test_the_index_of_a_known_example():
    p, q = np.array([1e8, 2e8, 7e8]), np.array([2e8, 2e8, 6e8])
    by_hand = 0.1 * math.log(2) - 0.1 * math.log(6 / 7)
    assert stability_index(p, q) == pytest.approx(by_hand, rel=1e-6)
    assert stability_index(p, p) == 0


def test_no_value_is_told(dataset):
    text = quality(dataset).to_json()
    assert "web" not in text
    assert "ten" not in json.loads(text)["tables"][-1]["quarantine"]
