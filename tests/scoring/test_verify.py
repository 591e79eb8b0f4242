"""The throw-away process sees no secret of its parent and limits itself."""

from __future__ import annotations

import pytest

from domain.errors import BundleError
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


def test_scorers_that_repeat_their_golden_predictions_pass(kit, scorers) -> None:
    rehearse(job(kit, **scorers))


def test_the_file_that_was_open_is_named_and_not_its_neighbour(kit, scorers) -> None:
    given = job(kit, **scorers)
    given["churn.lgb.txt"]["text"] = given["churn.lgb.txt"]["text"][:900]
    with pytest.raises(BundleError, match=r"^churn\.lgb\.txt ended"):
        rehearse(given)


def test_it_is_given_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERLINE_TOKEN", "very secret")
    assert "very secret" not in _environment().values()
