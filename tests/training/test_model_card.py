"""The card of a run holds every input and every gate, and accepts nothing that passed."""

from __future__ import annotations

from dataclasses import replace

from scoring.card import Accepted, read_card
from tests.training.conftest import OPTIONS
from training.findings import Leaks
from training.gates import Gate, Verdict
from training.model_card import model_card

WHY = Accepted(by="risk", reason="A pilot of ninety days, watched weekly.")


def carded(trained, gates: list[Gate], **changes):
    """The card of the run, had every target these gates."""
    results = {
        t: replace(r, verdict=Verdict(tuple(gates))) for t, r in trained.result.targets.items()
    }
    options = replace(OPTIONS, accepted=WHY, **changes)
    return read_card(model_card(trained.dataset, results, {}, options, Leaks(()), {"a": 1}))


def test_what_was_not_judged_is_named_and_only_what_failed_is_accepted(trained):
    passed, open_, failed = (Gate(o, o, "") for o in ("passed", "not judged", "failed"))
    for gates, word, accepted in (
        ([passed], "passed", None),
        ([passed, open_], "partly judged", None),
        ([open_, failed], "failed", WHY),
    ):
        card = carded(trained, gates)
        assert {t.verdict for t in card.targets.values()} == {word}
        named = [f"{t}: not judged" for t in card.targets] if open_ in gates else []
        assert list(card.not_judged) == named
        assert card.accepted == accepted


def test_it_names_every_input(trained):
    card = read_card(trained.result.bundle.card)
    assert card.data == {n: t.sha256 for n, t in trained.dataset.tables.items()}
    assert (card.seed, card.lock_hash) == (OPTIONS.seed, None)
    assert card.plan == trained.dataset.plan.model_dump(mode="json")
    assert card.policy.hash == OPTIONS.judged_by(trained.dataset).hash
    assert card.champion is None
    assert card.segments == trained.result.segments
