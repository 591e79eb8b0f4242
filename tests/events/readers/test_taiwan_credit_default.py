"""`taiwan_credit_default`: a row becomes six statements in their months, and a label apart."""

from __future__ import annotations

import duckdb
import pytest

from tests.events.readers.reader_world import ask, taken

pytestmark = pytest.mark.realdata
NAME = "taiwan_credit_default"


@pytest.fixture(scope="module")
def dataset(data_folder, tmp_path_factory):
    return taken(NAME, data_folder, tmp_path_factory.mktemp("taiwan") / "out")[0]


def test_thirty_thousand_holders_six_months_each(dataset):
    assert dataset.tables["customers"].rows == 30_000
    assert dataset.tables["statements"].rows == 180_000
    [[share]] = ask(dataset, "SELECT avg(is_bad::INT) FROM outcomes")
    assert share == pytest.approx(0.2212, abs=5e-5)


def test_each_month_holds_its_own_columns(dataset, data_folder):
    file = data_folder / NAME / f"{NAME}.parquet"
    for month, pay, other in ((9, 0, 1), (8, 2, 2), (4, 6, 6)):
        expected = duckdb.sql(
            f"SELECT sum(BILL_AMT{other}), sum(PAY_AMT{other}), sum(30 * greatest(PAY_{pay}, 0)) "
            f"FROM '{file}'"
        ).fetchall()[0]
        found = ask(
            dataset,
            "SELECT sum(bill), sum(paid), sum(days_past_due) FROM statements "
            f"WHERE month(happened_at) = {month}",
        )[0]
        assert found == pytest.approx(expected)


def test_every_statement_closes_before_the_decision_and_the_label_comes_after(dataset):
    assert ask(
        dataset,
        "SELECT (SELECT max(known_at) FROM statements) < (SELECT min(decided_at) FROM outcomes), "
        "(SELECT bool_and(known_at > decided_at) FROM outcomes)",
    ) == [(True, True)]
