from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.trouble import spoil

CONFIG = BankConfig(seed=12, late_share=0.05, correction_share=0.02, duplicate_share=0.03)
KEYS = np.arange(100_000) * 7
HAPPENED = KEYS * 1_000_000


def test_rates_are_as_asked():
    found = spoil(CONFIG, 1, KEYS, HAPPENED)
    late = found.known > HAPPENED[found.row]
    again = np.concatenate([[False], found.row[1:] == found.row[:-1]])
    assert (late & ~again).sum() / len(KEYS) == pytest.approx(0.05, rel=0.05)
    assert (late & again).sum() / len(KEYS) == pytest.approx(0.02, rel=0.1)
    assert (~late & again).sum() / len(KEYS) == pytest.approx(0.03, rel=0.1)
    assert (found.factor != 1).sum() == (late & again).sum()


def test_what_is_known_late_is_known_within_the_days_asked():
    found = spoil(replace(CONFIG, late_days=7), 1, KEYS, HAPPENED)
    delay = (found.known - HAPPENED[found.row]) / MICROS_PER_DAY
    assert delay.min() == 0
    assert delay[delay > 0].min() >= 1 / 24
    assert 6.9 < delay.max() <= 7


def test_a_corrected_row_is_wrong_first_and_true_later():
    found = spoil(CONFIG, 1, KEYS, HAPPENED)
    wrong = np.flatnonzero(found.factor != 1)
    assert (found.row[wrong + 1] == found.row[wrong]).all()
    assert (found.known[wrong + 1] > found.known[wrong]).all()
    assert (found.factor[wrong + 1] == 1).all()
    assert found.factor.mean() == pytest.approx(1, abs=0.01)


def test_no_trouble_asked_leaves_every_row_as_it_was():
    clean = replace(CONFIG, late_share=0, correction_share=0, duplicate_share=0)
    found = spoil(clean, 1, KEYS, HAPPENED)
    assert np.array_equal(found.row, np.arange(len(KEYS)))
    assert np.array_equal(found.known, HAPPENED)
    assert (found.factor == 1).all()


def test_tables_without_an_amount_have_no_corrections():
    assert (spoil(CONFIG, 1, KEYS, HAPPENED, corrects=False).factor == 1).all()


def test_the_fate_of_a_row_depends_on_no_other_row():
    whole = spoil(CONFIG, 1, KEYS, HAPPENED)
    half = spoil(CONFIG, 1, KEYS[::2], HAPPENED[::2])
    kept = whole.row % 2 == 0
    assert np.array_equal(whole.row[kept] // 2, half.row)
    assert np.array_equal(whole.known[kept], half.known)
