from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.profile import CHANGE_SHARE, CORRECTION_SHARE, employed_micros, versions
from tests.events.bank_world import drawn

CONFIG = BankConfig(customers=20_000, seed=3)


@pytest.fixture(scope="module")
def rows():
    d = drawn(CONFIG)
    frame = pd.DataFrame(vars(versions(CONFIG, d.customers, d.months)))
    return frame.assign(join=d.customers.join[frame.who], true_income=d.customers.income[frame.who])


def test_everybody_has_a_first_version_from_joining(rows):
    first = rows.drop_duplicates("who")
    assert len(first) == CONFIG.customers
    assert (first.happened == first["join"]).all()
    assert (first.known == first["join"]).all()


def test_corrections_keep_the_instant_and_are_known_up_to_sixty_days_later(rows):
    mends = rows[rows.duplicated(["who", "happened"])]
    assert len(mends) / CONFIG.customers == pytest.approx(CORRECTION_SHARE, rel=0.2)
    delay = (mends.known - mends.happened) / MICROS_PER_DAY
    assert 0 < delay.min() < delay.max() < 61
    assert (mends.income == mends.true_income).all()
    wrong = rows[rows.duplicated(["who", "happened"], keep="last")]
    assert (wrong.income != wrong.true_income).mean() > 0.99


def test_a_tenth_changes_later_and_earns_more(rows):
    changes = rows[rows.happened > rows["join"]]
    assert len(changes) / CONFIG.customers == pytest.approx(CHANGE_SHARE, rel=0.1)
    assert (changes.income >= changes.true_income * 1.02).all()
    assert (changes.known == changes.happened).all()
    assert changes.happened.max() <= drawn(CONFIG).months.starts[-1]


def test_rows_are_sorted_by_customer_and_time(rows):
    order = np.lexsort((rows.known, rows.happened, rows.who))
    assert np.array_equal(order, np.arange(len(rows)))


def test_work_begins_at_a_midnight():
    assert (employed_micros(drawn(CONFIG).customers) % MICROS_PER_DAY == 0).all()
