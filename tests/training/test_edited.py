"""Files that were edited while their study was under way, on real storages."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from domain.errors import InputError
from training.edited import note_file
from training.kept import Budget, Kept, keep, where, work
from training.study_file import StudyFile, read_study

FIRST = """
source = "bank"
target = "churn"
[space]
num_leaves = [2, 16]
[budget]
trials = 3
"""


@pytest.fixture(params=["journal", "sqlite"])
def storage(request, tmp_path) -> str:
    return where(request.param, tmp_path)


def begun(storage: str, text: str, trials: int, *, name: str = "a.toml", anew: bool = False):
    """A study of a file in which some trials were done."""
    file = Path(storage.partition(":///")[2]).parent / name
    file.write_text(text, encoding="utf-8")
    asked = read_study(file)
    kept = keep(f"{asked.source} {asked.target} {asked.seed} {asked.mark}", storage, ["minimize"])
    note_file(kept, asked, anew=anew)
    _work(kept, asked, trials)
    return kept


def _work(kept: Kept, asked: StudyFile, trials: int) -> None:
    def bowl(trial: optuna.Trial) -> tuple[float]:
        return (trial.suggest_float("x", -1, 1) ** 2,)

    work(kept, Budget(trials), asked.seed, [], bowl)


EDITED = FIRST.replace("16]", "8]\nmax_depth = [2, 4]").replace('"churn"', '"churn"\nseed = 7')


def test_an_unfinished_study_refuses_an_edited_file_and_names_all_that_changed(storage):
    begun(storage, FIRST, 2)
    with pytest.raises(InputError, match=r"a\.toml was edited .*2 trials are done.*--anew") as said:
        begun(storage, EDITED, 1)
    assert {(f.path, f.message) for f in said.value.faults} == {
        ("seed", "was 20261122, is 7"),
        ("space.num_leaves", "was [2.0, 16.0], is [2.0, 8.0]"),
        ("space.max_depth", "was null, is [2.0, 4.0]"),
    }
    assert len(begun(storage, FIRST, 3).trials()) == 3, "put back it goes on"
    assert len(begun(storage, EDITED, 1).trials()) == 1, "a finished study is edited freely"


def test_anew_begins_another_which_then_is_the_last_one(storage):
    begun(storage, FIRST, 2)
    begun(storage, EDITED, 1, anew=True)
    assert len(begun(storage, EDITED, 2).trials()) == 2
    with pytest.raises(InputError, match="2 trials are done"):
        begun(storage, FIRST, 3)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (FIRST.replace("trials = 3", "trials = 9"), "a.toml"),
        (FIRST.replace('"churn"', '"churn"\nseason = "smooth"'), "a.toml"),
        (EDITED, "b.toml"),
        (FIRST.replace("churn", "credit"), "a.toml"),
        (FIRST.replace('"bank"', '"berka"'), "a.toml"),
    ],
    ids=["budget", "season", "another file", "another target", "another source"],
)
def test_what_is_no_other_search_of_the_same_file_is_not_refused(text, name, tmp_path):
    storage = where("journal", tmp_path)
    begun(storage, FIRST, 2)
    begun(storage, text, 1, name=name)


def test_a_study_that_is_no_file_is_never_refused(tmp_path):
    storage = where("journal", tmp_path)
    begun(storage, FIRST, 2)
    kept = keep("made", storage, ["minimize"])
    note_file(kept, StudyFile(source="bank", target="churn"), anew=False)
    assert not kept.study.user_attrs
