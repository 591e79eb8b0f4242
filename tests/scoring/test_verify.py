"""The throw-away process sees no secret of its parent and limits itself."""

from __future__ import annotations

import subprocess

import pytest

from domain.errors import BundleError
from scoring import verify
from scoring.golden import make_golden
from scoring.verify import _environment, rehearse


def job(kit, **scorers) -> dict:
    rows = kit.rows(3, 1)
    return {
        f"{name}.lgb.txt": {
            "text": scorer.booster_text,
            "scorer": scorer.fields(),
            "golden": make_golden(scorer, rows),
        }
        for name, scorer in scorers.items()
    }


@pytest.fixture(autouse=True)
def _nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_PASSED", set())


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What went into throw-away processes, which run as ever."""
    found, run = [], subprocess.run

    def watched(*command, **how):
        found.append(how["input"])
        return run(*command, **how)

    monkeypatch.setattr(verify.subprocess, "run", watched)
    return found


def test_scorers_that_repeat_their_golden_predictions_pass_and_are_tried_once(
    kit, scorers, tries
) -> None:
    for _ in range(2):
        rehearse(job(kit, **scorers))
    assert len(tries) == 1
    for change in ({"seconds": 110}, {"megabytes": 4095}):
        rehearse(job(kit, **scorers), **change)
    assert len(tries) == 3


def test_what_fails_is_tried_and_refused_each_time_also_after_its_like_passed(
    kit, scorers, tries
) -> None:
    given = job(kit, **scorers)
    rehearse(given)
    given["churn.lgb.txt"]["golden"]["points"][0] += 1
    for _ in range(2):
        with pytest.raises(BundleError, match="golden predictions are not repeated"):
            rehearse(given)
    assert len(tries) == 3


def test_the_file_that_was_open_is_named_and_not_its_neighbour(kit, scorers) -> None:
    given = job(kit, **scorers)
    given["churn.lgb.txt"]["text"] = given["churn.lgb.txt"]["text"][:900]
    with pytest.raises(BundleError, match=r"^churn\.lgb\.txt ended"):
        rehearse(given)


def test_it_is_given_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERLINE_TOKEN", "very secret")
    assert "very secret" not in _environment().values()
