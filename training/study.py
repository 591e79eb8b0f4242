"""Run a study: one call behind `tierline tune FILE`, `mlflow run -e tune`, and Python.

Enters: a study, a workspace whose features are kept. Leaves: the winner, the study in its storage,
its progress and plots in MLflow. Several processes may run one study at the same time.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
from optuna.trial import FrozenTrial, TrialState

from domain.decision import content_hash
from domain.errors import Fault, InputError, NotEnoughDataError
from domain.workspace import Workspace
from events.dataset import Dataset, open_dataset
from features.given import catalogue_of
from training.edited import note_file
from training.fit import Material
from training.front import draw_study
from training.kept import Kept
from training.matrix import Told, ensure_features, material
from training.splits import percents
from training.study_file import StudyFile
from training.targets import grids, labels, why_skipped
from training.track import Tracker, origin_of
from training.tune import RULES, Best, inner_folds, make_study, tune


@dataclass(frozen=True)
class Asked:
    """A study with its data set, as it came and with the study's dates and split in its plan.

    `storage`: where studies are kept [`studies.db` in the home]; `anew`: the file may say something
    else than its last study, although that is not finished.
    """

    study: StudyFile
    source: Dataset
    dataset: Dataset
    workspace: Workspace
    storage: str | None
    anew: bool = False

    @property
    def name(self) -> str:
        """The study's name: who learns what from which data and features, under which rules."""
        data = content_hash({n: t.sha256 for n, t in self.dataset.tables.items()})
        catalogue = catalogue_of(self.dataset).hash[:12]
        what = f"{self.study.source}-{self.study.target}-{data[:12]}-{catalogue}"
        return f"{what}-{self.study.seed}-{RULES}{self.study.mark}"

    def kept(self, made: Material) -> Kept:
        """The study in its storage.

        Raises:
            InputError: its file was edited before the last study of it was finished.
        """
        address = self.storage or self.workspace.studies_url
        is_amount = made.problem.is_amount
        kept = make_study(self.name, address, self.study.search, is_amount=is_amount)
        note_file(kept, self.study, anew=self.anew)
        return kept


def ask(
    study: StudyFile, dataset: Dataset, workspace: Workspace, storage: str | None = None
) -> Asked:
    """The study on a data set.

    Raises:
        InputError: another source, a target, date or split that the source does not have.
    """
    if study.source != workspace.source:
        told = f"the study is about {study.source}, the workspace holds {workspace.source}"
        raise InputError("the study does not fit its source:", (Fault("source", "n/a", told),))
    planned = replace(dataset, plan=study.plan(dataset.plan))
    return Asked(study, dataset, planned, workspace, storage)


def material_of(asked: Asked, rows: pa.Table | None, told: Told) -> Material:
    """The matrix of a study; `rows`: its labelled rows where they are known already.

    Raises:
        NotEnoughDataError: the source cannot have the target, or too few rows of it.
        InputError: features that are not there.
    """
    study, dataset = asked.study, asked.dataset
    reason = why_skipped(dataset, study.target)
    if reason is not None:
        raise NotEnoughDataError(f"{reason}: take another target, or bring the table")
    names = study.features.of(catalogue_of(dataset), study.target)
    if rows is None or study.as_of is not None:
        train, test = grids(dataset)
        rows = labels(dataset, study.target, (*train, *test))
    if study.as_of is not None:
        ensure_features(asked.source, asked.workspace, study.target, rows, told)
    return material(dataset, asked.workspace, study.target, rows, study.seed, names)


def run_study(
    study: StudyFile,
    home: Path,
    told: Told,
    storage: str | None = None,
    *,
    anew: bool = False,
) -> Best:
    """The winner of a study over the data set and the features that stand in Tierline's home.

    Raises:
        InputError: the study does not fit its source; or its file was edited before the last study
            of it was finished, and it is not to begin `anew`.
        NotEnoughDataError: too few rows to learn from.
        NotFoundError: no data set or no features yet.
    """
    workspace = Workspace(home, study.source)
    asked = ask(study, open_dataset(workspace.dataset), workspace, storage)
    asked = replace(asked, anew=anew)
    made = material_of(asked, None, told)
    with Tracker(workspace, study.target, origin_of(asked.dataset, None)) as tracker:
        tracker.data(asked.dataset, made.split)
        return tune_study(asked, made, tracker, told)


def tune_study(asked: Asked, made: Material, tracker: Tracker, told: Told) -> Best:
    """The winner, with every trial, the best figure so far and the plots in MLflow."""
    search, kept = asked.study.search, asked.kept(made)
    plan, is_amount = asked.dataset.plan, made.problem.is_amount
    places = percents(f"{plan.split_key}:validation", made.customers)
    fit = made.split.fit
    folds = inner_folds(places, fit, search.folds(made.problem, fit))
    first_of = max if search.directions(is_amount=is_amount)[0] == "maximize" else min

    def tell() -> float | None:
        known = kept.trials()
        best = first_of(
            (t.values[0] for t in known if t.state is TrialState.COMPLETE), default=None
        )
        said = "" if best is None else f": best {asked.study.figure} {best:.4f}"
        told(f"tune {made.target}{said}", *search.budget.progress(known))
        return best

    def each(trial: FrozenTrial) -> None:
        tracker.trial(trial)
        if (best := tell()) is not None:
            tracker.best(best, trial.number)

    tell()

    winner = tune(made.problem, folds, kept, search, each)
    with tempfile.TemporaryDirectory() as folder:
        tracker.files(draw_study(kept.study, asked.study.figure, Path(folder)), "study")
    return winner
