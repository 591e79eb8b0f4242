"""A proposal reads what can be read in one way only, and leaves the rest for a human."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest

from events.propose import propose


def table(**columns) -> pa.Table:
    return pa.table({n: pa.chunked_array([v]) for n, v in columns.items()})


def bookings(times, amounts=("1", "2", "3"), **more) -> pa.Table:
    return table(客户号=["a", "b", "c"], 交易时间=list(times), 流水号=["1", "2", "3"],
                 交易金额=list(amounts), **more)  # fmt: skip


ISO = ["2024-01-01T00:00:00Z"] * 3


def test_chinese_names_and_codes_are_known():
    made = propose("交易流水", bookings(ISO, 类型=["消费", "退款", "奇怪"], 备注=["x", "y", "z"]))
    assert made is not None
    assert made.table == "transactions"
    assert made.columns == {
        "customer_id": "客户号", "happened_at": "交易时间", "event_id": "流水号",
        "kind": "类型", "amount": "交易金额",
    }  # fmt: skip
    assert made.values == {"kind": {"消费": "purchase", "退款": "refund", "奇怪": ""}}
    assert made.ignore == ("备注",)
    assert any("1 codes of 类型 are not known" in n for n in made.notes)


@pytest.mark.parametrize(
    ("times", "form", "zone"),
    [
        (["31.12.2023 14:30", "01.02.2024 09:00"], "%d.%m.%Y %H:%M", True),
        (["12/31/2023", "02/01/2024"], "%m/%d/%Y", True),
        (["31/12/2023", "01/02/2024"], "%d/%m/%Y", True),
        (["2023年12月31日", "2024年02月01日"], "%Y年%m月%d日", True),
        (["20231231", "20240201"], "%Y%m%d", True),
        (["2023-12-31 14:30:00", "2024-02-01"], None, True),
        (["2023-12-31T14:30:00Z", "2024-02-01T00:00:00+08:00"], None, False),
    ],
)
def test_the_format_of_times_is_found_by_what_stands_there(times, form, zone):
    made = propose("transactions", bookings([*times, None]))
    assert made is not None
    assert made.formats == ({"happened_at": form} if form else {})
    assert made.needs_zone == zone
    assert not [n for n in made.notes if "formats" in n]


def test_day_and_month_that_could_be_either_are_left_open():
    made = propose("transactions", bookings(["03/04/2024", "05/06/2024", "07/08/2024"]))
    assert made is not None
    assert not made.formats
    assert any("%d/%m/%Y or %m/%d/%Y" in n for n in made.notes)


@pytest.mark.parametrize(
    ("amounts", "decimal", "thousands", "asks"),
    [
        (["1.5", "2", "3"], ".", "", False),
        (["1,5", "2,25", "3"], ",", "", False),
        (["1,234.50", "2.5", "3"], ".", ",", False),
        (["1.234,50", "2,5", "3"], ",", ".", False),
        (["1 234,50", "2,5", "3"], ",", " ", False),
        (["1,234", "5,678", "3"], ".", "", True),
        (["1.234", "5.678", "3"], ".", "", True),
    ],
)
def test_separators_are_found_or_asked_for(amounts, decimal, thousands, asks):
    made = propose("transactions", bookings(ISO, amounts))
    assert made is not None
    assert (made.decimal, made.thousands) == (decimal, thousands)
    assert any("set decimal and thousands" in n for n in made.notes) == asks


def test_a_column_of_another_content_is_not_taken_by_its_name():
    rows = table(customer=["a"], date=["soon"], amount=["much"], created_at=["2024-01-01"])
    made = propose("x", rows)
    assert made is not None
    assert made.columns["happened_at"] == "created_at"
    assert "amount" not in made.columns


def test_typed_times_need_a_zone_where_they_have_none():
    made = propose("orders", bookings([datetime(2024, 1, 1)] * 3))
    assert made is not None
    assert made.needs_zone


@pytest.mark.parametrize("rows", [table(a=[1]), table(customer_id=["a"]), pa.table({})])
def test_a_table_without_customer_and_time_is_none_of_ours(rows):
    assert propose("transactions", rows) is None


def test_statements_are_told_from_transactions():
    rows = table(卡号=["1"], 客户号=["a"], 账单日=["2024-01-31"], 逾期天数=[0], 状态=["逾期"],
                 信用额度=[1.0], 账单金额=[2.0])  # fmt: skip
    made = propose("table1", rows)
    assert made is not None
    assert made.table == "statements"
    assert made.values == {"status": {"逾期": "past_due"}}
