from __future__ import annotations

import numpy as np
from scipy.stats import kstest

from events.bank.streams import Idea, hashed_uniforms, stream


def test_a_stream_is_its_name():
    again = [stream(7, 20_000, Idea.LIFE, 3).random(5) for _ in range(2)]
    assert np.array_equal(*again)


def test_streams_of_other_names_differ_and_do_not_go_together():
    names = [(7, 0, Idea.LIFE, 3), (8, 0, Idea.LIFE, 3), (7, 20_000, Idea.LIFE, 3)]
    names += [(7, 0, Idea.MONEY, 3), (7, 0, Idea.LIFE, 4)]
    drawn = np.array([stream(*name).standard_normal(20_000) for name in names])
    together = np.corrcoef(drawn) - np.eye(len(names))
    assert np.abs(together).max() < 5 / np.sqrt(20_000)


def test_hashed_uniforms_are_uniform_and_do_not_go_together():
    keys = np.arange(50_000)
    first, second = hashed_uniforms((1, 2), keys), hashed_uniforms((1, 3), keys)
    assert kstest(first, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(50_000)
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 5 / np.sqrt(50_000)
    assert first.min() >= 0
    assert first.max() < 1


def test_a_hashed_uniform_depends_on_its_key_only():
    keys = np.array([5, 900_001, 77])
    together = hashed_uniforms((1,), keys)
    alone = [hashed_uniforms((1,), keys[i : i + 1])[0] for i in range(3)]
    assert together.tolist() == alone
