"""`berka`: the loans of 1997-98 with their whole history, and nothing of how they ended."""

from __future__ import annotations

import pytest

from features.offers import OFFERS
from tests.events.readers.reader_world import ask, taken

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def dataset(data_folder, tmp_path_factory):
    return taken("berka", data_folder, tmp_path_factory.mktemp("berka") / "out")[0]


def test_there_are_354_loans_of_which_30_are_bad(dataset):
    assert dataset.tables["loans"].rows == 354
    assert ask(dataset, "SELECT count(*), count(*) FILTER (is_bad) FROM outcomes") == [(354, 30)]
    assert dataset.tables["transactions"].rows == 30_200


def test_no_transaction_comes_after_its_loan(dataset):
    later = "SELECT count(*) FROM transactions t JOIN loans l USING (customer_id) "
    assert ask(dataset, later + "WHERE t.happened_at > l.happened_at") == [(0,)]


def test_an_outcome_is_known_when_the_loan_ends_and_no_feature_reads_it(dataset):
    early = "SELECT count(*) FROM outcomes WHERE known_at <= decided_at"
    assert ask(dataset, early) == [(0,)]
    assert "outcomes" not in OFFERS
    assert not {"status", "is_bad"} & set(dataset.table("loans").column_names)
