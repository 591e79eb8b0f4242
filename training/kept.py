"""Where studies are kept, and how several workers share one without losing or doubling a trial.

Enters: the address of `TIERLINE_STUDIES`, a budget. Leaves: trials that were done, numbered from 0
without a gap. Optuna keeps them; whoever may do one is settled by `training.claims`, because its
own heartbeat needs minutes of grace and is not there for journal files. A trial that is under way
without a living worker is taken up by the next, under its own number and with the parameters that
it drew.
"""

from __future__ import annotations

import time
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import OperationalError

from domain.errors import InputError
from training.claims import Claims, FileClaims, NoClaims, PostgresClaims
from training.journal import WholeLines, unwritable

ALLOWED = "sqlite, journal, sqlite:///FILE, journal:///FILE or postgresql://user:pw@host:port/db"
BUSY_SECONDS = 60
WAIT_SECONDS = 0.2
Direction = Literal["minimize", "maximize"]
Objective = Callable[[optuna.Trial], Sequence[float]]
Told = Callable[[FrozenTrial], None]


def quiet(_: FrozenTrial) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Kept:
    """A study where it is kept, and the claims of those who work on it."""

    study: optuna.Study
    claims: Claims

    def trials(self) -> list[FrozenTrial]:
        """All trials by number."""
        return self.study.get_trials(deepcopy=False)


@dataclass(frozen=True)
class Budget:
    """Trials and minutes of a study in all, by all its workers; at least one of them is given.

    Minutes are the work of its finished trials. They depend on the machine, and so does the winner.
    """

    trials: int | None = 20
    minutes: float | None = None

    def is_full(self, known: Sequence[FrozenTrial]) -> bool:
        """Whether no further trial may begin."""
        if self.trials is not None and len(known) >= self.trials:
            return True
        return self.minutes is not None and _seconds(known) >= 60 * self.minutes

    def is_done(self, known: Sequence[FrozenTrial]) -> bool:
        """Whether it is full and nobody is at work any more."""
        return self.is_full(known) and all(t.state.is_finished() for t in self.inside(known))

    def inside(self, known: Sequence[FrozenTrial]) -> Sequence[FrozenTrial]:
        """The trials that belong to it."""
        return known[: self.trials]

    def progress(self, known: Sequence[FrozenTrial]) -> tuple[int, int]:
        """How far it is and where it ends: trials, or seconds where only minutes are given."""
        if self.trials is not None:
            done = sum(t.state.is_finished() for t in self.inside(known))
            return done, self.trials
        total = int(60 * (self.minutes or 0))
        return min(int(_seconds(known)), total), total


def _seconds(known: Sequence[FrozenTrial]) -> float:
    return sum(t.duration.total_seconds() for t in known if t.duration is not None)


def where(address: str, home: Path) -> str:
    """The full address of a setting: `sqlite` and `journal` stand in Tierline's home.

    Raises:
        InputError: another kind of address.
    """
    kind, _, rest = address.partition("://")
    if kind in ("sqlite", "journal") and not rest:
        name = {"sqlite": "studies.db", "journal": "studies.log"}[kind]
        return f"{kind}:///{(home / name).resolve()}"
    if kind not in ("sqlite", "journal", "postgresql") or len(rest) < 2:
        raise InputError(f"TIERLINE_STUDIES names no place we know: give {ALLOWED}")
    return address


def keep(name: str, address: str | None, directions: Sequence[Direction]) -> Kept:
    """The study of a name, taken up where it stands; None keeps it in memory for this process.

    Raises:
        InputError: the address is none, or its driver is not installed.
        StoreError: the database does not answer.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    claims = _claims(address)
    # two workers that begin would both make the tables
    with _told_of_storage(), claims.alone():
        study = optuna.create_study(
            study_name=name,
            storage=_storage(address) if address else None,
            load_if_exists=address is not None,
            directions=directions,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=50),
        )
    return Kept(study, claims)


def _claims(address: str | None) -> Claims:
    if address is None:
        return NoClaims()
    if address.startswith("postgresql://"):
        if find_spec("psycopg") is None:
            raise InputError(
                "postgresql needs a driver that is not installed: pip install 'tierline[postgres]',"
                " or set TIERLINE_STUDIES=sqlite"
            )
        return PostgresClaims(address)
    path = _path(address)
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileClaims(path.with_name(f"{path.name}.claims"))


def _storage(address: str) -> BaseStorage:
    kind = address.partition("://")[0]
    if kind == "journal":
        return JournalStorage(WholeLines(_path(address)))
    busy = {"connect_args": {"timeout": BUSY_SECONDS}} if kind == "sqlite" else None
    storage = RDBStorage(address.replace("postgresql://", "postgresql+psycopg://", 1), busy)
    weakref.finalize(storage, storage.engine.dispose)
    return storage


def _path(address: str) -> Path:
    return Path(address.partition(":///")[2])


def work(
    kept: Kept,
    budget: Budget,
    seed: int,
    first: Sequence[dict[str, Any]],
    objective: Objective,
    told: Told = quiet,
) -> None:
    """Do trials until the budget is full and nobody is at work any more.

    `first`: the parameters of trial 0 and of those after it. Each later trial draws from a seed of
    its own number, so that a study that one worker did, stopped or not, is always the same. What
    `objective` raises ends this worker; its trial is taken up again by whoever comes next.

    Raises:
        StoreError: no room is left where the study is kept, or its database is gone.
    """
    with _told_of_storage():
        while not budget.is_done(kept.trials()):
            taken = _take(kept, budget, seed, first)
            if taken is None:
                time.sleep(WAIT_SECONDS)
                continue
            trial, give_back = taken
            try:
                values, state = _try(objective, trial)
                with kept.claims.alone():
                    done = kept.study.tell(trial, values, state, skip_if_finished=True)
            finally:
                give_back()
            told(done)


@contextmanager
def _told_of_storage() -> Iterator[None]:
    """What a database says of itself, in our words."""
    try:
        yield
    except (StorageInternalError, OperationalError) as e:
        found = e.__cause__ if isinstance(e, StorageInternalError) else e
        said = str(getattr(found, "orig", None) or type(e).__name__)
        raise unwritable(said.splitlines()[0]) from None


def _try(
    objective: Objective, trial: optuna.Trial
) -> tuple[Sequence[float] | None, TrialState | None]:
    """The values of a trial, or that it was pruned."""
    try:
        return objective(trial), None
    except optuna.TrialPruned:
        return None, TrialState.PRUNED


def _take(
    kept: Kept, budget: Budget, seed: int, first: Sequence[dict[str, Any]]
) -> tuple[optuna.Trial, Callable[[], None]] | None:
    """A trial whose worker is gone, else a new one inside the budget, with its claim."""
    with kept.claims.alone():
        known, study = kept.trials(), kept.study
        for trial in budget.inside(known):
            if trial.state is TrialState.RUNNING:
                give_back = _claim(kept, trial.number)
                if give_back is not None:
                    study.sampler = _sampler(seed, trial.number)
                    return optuna.Trial(study, trial._trial_id), give_back
        waiting = [t.number for t in known if t.state is TrialState.WAITING]
        if not waiting and budget.is_full(known):
            return None
        if not waiting and len(known) < len(first):
            study.enqueue_trial(first[len(known)])
        number = waiting[0] if waiting else len(known)
        give_back = _claim(kept, number)
        if give_back is None:  # its worker was killed this moment and is not yet cleared away
            return None
        study.sampler = _sampler(seed, number)
        return study.ask(), give_back


def _claim(kept: Kept, number: int) -> Callable[[], None] | None:
    return kept.claims.take(f"{kept.study.study_name} {number}")


def _sampler(seed: int, number: int) -> optuna.samplers.TPESampler:
    """Draws of several parameters together, in the groups that trials share."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(seed=seed + number, multivariate=True, group=True)
