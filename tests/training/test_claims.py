"""Claims: one holder at a time, free again when given back or when the holder is gone."""

from __future__ import annotations

import fcntl
import threading

import pytest

from domain.errors import StoreError
from training.claims import Claims, FileClaims, NoClaims, PostgresClaims


@pytest.fixture(params=["files", "postgresql"])
def two(request, tmp_path) -> tuple[Claims, Claims]:
    """Two workers that share something."""
    if request.param == "files":
        return FileClaims(tmp_path / "c"), FileClaims(tmp_path / "c")
    address = request.getfixturevalue("postgres_address")
    return PostgresClaims(address), PostgresClaims(address)


def test_a_claim_has_one_holder_until_it_is_given_back(two):
    mine, other = two
    give_back = mine.take("study 3")
    assert other.take("study 3") is None
    give_back_other = other.take("study 4")
    give_back()
    give_back_again = other.take("study 3")
    assert mine.take("study 3") is None
    give_back_again()
    give_back_other()


def test_a_database_that_goes_while_somebody_works_is_named(postgres_address):
    import psycopg

    gone = PostgresClaims(postgres_address)
    with psycopg.connect(postgres_address, autocommit=True) as other:
        ended = "SELECT pg_terminate_backend(%s)"
        other.execute(ended, (gone._session.info.backend_pid,))
    with pytest.raises(StoreError, match=r"has gone .*the same command goes on"):
        gone.take("study 3")


def test_a_file_that_was_given_back_between_opening_and_locking_is_no_claim(tmp_path, monkeypatch):
    """Who locks the file that is gone would hold a claim beside the holder of the next one."""
    mine, other = FileClaims(tmp_path), FileClaims(tmp_path)
    give_back, lock = mine.take("study 3"), fcntl.flock

    def late(handle, how):
        monkeypatch.setattr(fcntl, "flock", lock)
        give_back()
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    assert other.take("study 3") is None
    other.take("study 3")()


def test_one_worker_at_a_time_is_alone(two):
    inside, most = [], []

    def work(claims: Claims) -> None:
        for _ in range(20):
            with claims.alone():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    workers = [threading.Thread(target=work, args=(claims,)) for claims in two]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert most == [1] * 40


def test_a_claim_leaves_no_file_behind(tmp_path):
    claims = FileClaims(tmp_path / "c")
    claims.take("a")()
    assert list((tmp_path / "c").iterdir()) == []


def test_where_nobody_shares_everything_is_free():
    claims = NoClaims()
    with claims.alone():
        assert claims.take("a") is not None
        assert claims.take("a") is not None
