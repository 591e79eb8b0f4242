"""Shared studies: real processes on real storages, one of them killed; budgets and addresses."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from domain.errors import InputError, StoreError
from tests.training.test_journal import room
from training import kept as keeping
from training.kept import Budget, Kept, keep, where, work

ROOT = Path(__file__).parents[2]
TRIALS = 12
WORKER = """
import sys, time
from training.kept import Budget, keep, work

address, role = sys.argv[1:]
mine = []

def objective(trial):
    mine.append(trial.number)
    while len(trial.study.get_trials(deepcopy=False)) < 2:  # until the other is at work too
        time.sleep(0.01)
    x, y = trial.suggest_float("x", -1, 1), trial.suggest_float("y", -1, 1)
    if role == "hangs" and len(mine) == 3:
        print("hangs", flush=True)
        time.sleep(600)
    return ((x - 0.3) ** 2 + (y + 0.2) ** 2,)

kept = keep("shared", address, ["minimize"])
first = [{"x": 0.0, "y": 0.0}, {"x": 0.5, "y": 0.5}]
work(kept, Budget(12), 5, first, objective, lambda t: print(t.number, flush=True))
"""


def worker(address: str, role: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, address, role],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(params=["sqlite", "journal", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_address"))
    return where(request.param, tmp_path)


def test_two_workers_do_every_trial_once_although_one_is_killed_within_one(address):
    with worker(address, "hangs") as killed, worker(address, "lives") as lives:
        try:
            done = [killed.stdout.readline().strip() for _ in range(3)]
            assert done[2] == "hangs"
            seen = [int(lives.stdout.readline()) for _ in range(TRIALS - 3)]
            begun = keep("shared", address, ["minimize"]).trials()
            [under_way] = [t for t in begun if t.state is TrialState.RUNNING]
            killed.kill()
            rest, errors = lives.communicate(timeout=60)
        finally:
            killed.kill()
            lives.kill()
    assert lives.returncode == 0, errors
    assert [int(n) for n in rest.split()] == [under_way.number]
    assert sorted([*map(int, done[:2]), *seen, under_way.number]) == list(range(TRIALS))
    trials = keep("shared", address, ["minimize"]).trials()
    assert [t.number for t in trials] == list(range(TRIALS))
    assert {t.state for t in trials} == {TrialState.COMPLETE}
    assert trials[under_way.number].params == under_way.params
    assert [t.params for t in trials[:2]] == [{"x": 0.0, "y": 0.0}, {"x": 0.5, "y": 0.5}]


def bowl(trial: optuna.Trial) -> tuple[float]:
    return ((trial.suggest_float("x", -1, 1) - 0.3) ** 2,)


def done_by(kept: Kept, trials: int, objective=bowl) -> list[dict[str, float]]:
    work(kept, Budget(trials), 5, [{"x": 0.0}, {"x": 0.5}], objective)
    return [t.params for t in kept.trials()]


@settings(deadline=None, max_examples=20)
@given(failing=st.sets(st.integers(0, 13), max_size=6))
def test_a_worker_that_fails_in_trials_ends_with_the_trials_of_one_that_never_did(failing):
    expected = done_by(keep("s", None, ["minimize"]), 14)
    kept, left = keep("s", None, ["minimize"]), set(failing)

    def objective(trial: optuna.Trial) -> tuple[float]:
        found = bowl(trial)
        if trial.number in left:
            left.remove(trial.number)
            raise ZeroDivisionError
        return found

    for _ in failing:
        with pytest.raises(ZeroDivisionError):
            done_by(kept, 14, objective)
    assert done_by(kept, 14, objective) == expected
    assert expected[:2] == [{"x": 0.0}, {"x": 0.5}]
    assert len({p["x"] for p in expected}) == 14, "each trial draws anew"


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_a_study_whose_disk_was_full_goes_on_as_if_it_never_had_been(kind, tmp_path):
    address, trials = where(kind, tmp_path), 8
    kept = keep("s", address, ["minimize"])
    assert len(done_by(kept, 3)) == 3
    [file] = [f for f in tmp_path.glob("studies.*") if f.suffix in (".db", ".log")]
    full = file.stat().st_size + 400
    with room(full), pytest.raises(StoreError, match="same command goes on"):
        done_by(keep("s", address, ["minimize"]), 60)
    assert done_by(keep("s", address, ["minimize"]), trials)[:trials] == done_by(
        keep("s", None, ["minimize"]), trials
    )


def test_a_smaller_budget_does_nothing_more_and_a_larger_one_goes_on():
    kept = keep("s", None, ["minimize"])
    assert len(done_by(kept, 4)) == 4
    assert len(done_by(kept, 2)) == 4
    assert len(done_by(kept, 6)) == 6


@pytest.mark.parametrize("stop", [1, 2])
def test_what_a_study_begins_with_is_tried_once_wherever_it_is_stopped(stop):
    kept = keep("s", None, ["minimize"])
    begun = [done_by(kept, trials) for trials in (stop, 5)]
    assert [p["x"] for p in begun[1][:2]] == [0.0, 0.5]
    assert begun[0] == begun[1][:stop]
    assert not {p["x"] for p in begun[1][2:]} & {0.0, 0.5}


def trial_of(seconds: float) -> optuna.trial.FrozenTrial:
    made = optuna.create_trial(value=0.0, params={}, distributions={})
    made.datetime_start = datetime(2026, 1, 1)
    made.datetime_complete = made.datetime_start + timedelta(seconds=seconds)
    return made


def test_minutes_are_those_of_finished_trials_by_all_workers():
    budget = Budget(trials=None, minutes=2.0)
    assert not budget.is_full([trial_of(60), trial_of(59)])
    assert budget.is_full([trial_of(60), trial_of(60)])
    assert budget.progress([trial_of(30)]) == (30, 120)
    assert Budget(3, 2.0).is_full([trial_of(1)] * 3)
    assert Budget(3, 2.0).progress([trial_of(1)] * 2) == (2, 3)


def test_a_study_of_minutes_alone_ends(monkeypatch):
    kept = keep("s", None, ["minimize"])
    monkeypatch.setattr(keeping, "_seconds", lambda known: 25.0 * len(known))
    work(kept, Budget(None, 2.0), 5, [{"x": 0.0}], bowl)
    assert len(kept.trials()) == 5


def test_the_short_addresses_stand_in_the_home(tmp_path):
    assert where("sqlite", tmp_path) == f"sqlite:///{tmp_path}/studies.db"
    assert where("journal", tmp_path) == f"journal:///{tmp_path}/studies.log"
    assert where("postgresql://a@b/c", tmp_path) == "postgresql://a@b/c"


@pytest.mark.parametrize("wrong", ["", "mysql://a@b/c", "redis://a", "postgresql", "studies.db"])
def test_another_address_is_refused_and_not_repeated(tmp_path, wrong):
    with pytest.raises(InputError, match="journal:///FILE") as said:
        where(wrong, tmp_path)
    assert not wrong or wrong not in str(said.value).replace("postgresql://user", "")


def test_a_database_that_does_not_answer_is_named_without_its_password():
    with pytest.raises(StoreError, match="TIERLINE_STUDIES") as said:
        keep("s", "postgresql://u:secret@127.0.0.1:1/db?connect_timeout=2", ["minimize"])
    assert "secret" not in str(said.value)
