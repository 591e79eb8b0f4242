"""A study file that was edited before its study was finished: named, with what changed.

Enters: a study where it is kept, its file. Leaves: a note of the file beside the study; an error
where the last study of that file is another and not finished. Trials belong to what the file said:
another search would begin unseen, and what was done would be lost from sight.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import optuna

from domain.errors import Fault, InputError
from training.kept import Budget, Kept
from training.study_file import StudyFile

NOTE = "file"
MAY_CHANGE = ("budget", "season")
"""What changes no trial: a larger budget goes on, a season comes after the search."""


def note_file(kept: Kept, asked: StudyFile, *, anew: bool) -> None:
    """Notes the file beside its study; with `anew` whatever its last study was.

    Raises:
        InputError: the last study of the file is not finished and the file says something else now.
    """
    if not asked.file:
        return
    if not anew:
        _check(kept, asked)
    note = {"name": asked.file, "says": asked.model_dump(mode="json")}
    if kept.study.user_attrs.get(NOTE) != note:
        kept.study.set_user_attr(NOTE, note)


def _check(kept: Kept, asked: StudyFile) -> None:
    """Nothing, where the last study of the file, if another, said the same or is finished."""
    storage, says = kept.study._storage, asked.model_dump(mode="json")
    begun = [
        (s.datetime_start, s.study_name, s._study_id, s.user_attrs[NOTE]["says"])
        for s in optuna.get_all_study_summaries(storage, include_best_trial=False)
        if s.datetime_start and s.user_attrs.get(NOTE, {}).get("name") == asked.file
    ]
    about = [b for b in begun if all(b[3][k] == says[k] for k in ("source", "target"))]
    if not about:
        return
    _, name, number, said = max(about)
    changed = [f for f in _changes(said, says) if f.path.partition(".")[0] not in MAY_CHANGE]
    trials = storage.get_all_trials(number, deepcopy=False)
    budget = Budget(said["budget"]["trials"], said["budget"]["minutes"])
    if name == kept.study.study_name or not changed or budget.is_done(trials):
        return
    done = sum(t.state.is_finished() for t in trials)
    raise InputError(
        f"{asked.file} was edited before its study was finished ({done} trials are done); put back "
        "what changed to go on with it, or begin another by `tierline tune FILE --anew`:",
        tuple(changed),
    )


def _changes(was: Any, now: Any, path: str = "") -> Iterator[Fault]:
    """Every place that says something else, as far down as both have it."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in now:
            yield from _changes(was.get(key), now[key], f"{path}.{key}" if path else key)
    elif was != now:
        yield Fault(path, "edited", f"was {json.dumps(was)}, is {json.dumps(now)}")
