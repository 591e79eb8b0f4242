"""Each gate passes, fails alone, and says where it cannot judge."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from domain.policy import default_policy
from tests.training.test_judge import MADE, amounts, evidence, money, outcomes
from training.gates import Gate, Verdict, first_gates, further_gates
from training.judge import Evidence, Judged

LIMITS = default_policy().limits
GOOD = {
    "champion": {"bundle": "b" * 64, "differences": {"auc": [0.01, -0.01, 0.03]}},
    "monotone": {"trees": 20, "broken": 0, "directions": {"up": 1}},
    "stability": {"score": {"psi": 0.25 + 0.01, "floor": 0.01, "parts": {}}},
    "groups": {
        "gender": {
            "difference": {"auc": [0.1, 0.0, 0.3]},
            "ratio": {"favourable": [0.8, 0.6, 0.9]},
            "too_small": [],
        },
        "vintage": {"difference": {}, "ratio": {}, "too_small": ["2026-04-01"]},
        "thin_file": {
            "difference": {"auc": [0.9, 0.8, 1.0]},
            "ratio": {"favourable": [0.1, 0.0, 0.2]},
            "too_small": ["thin"],
        },
    },
    "ratio_counts": True,
    "tiers": {"differences": {"RFM tier": {"quadratic_kappa": [0.1, 0.01, 0.2]}}},
    "noise": {"test": {"quadratic_kappa": 0.09}},
}
NAMES = [
    "not worse than the champion",
    "tiers better than RFM tier",
    "monotone",
    "stable",
    "groups of gender: difference",
    "groups of gender: ratio",
]


def gates(found: dict) -> dict[str, str]:
    return {gate.name: gate.outcome for gate in further_gates(found, "auc", LIMITS)}


def test_at_the_limit_every_gate_passes_and_a_thin_file_has_none():
    assert gates(GOOD) == dict.fromkeys(NAMES, "passed")


@pytest.mark.parametrize(
    ("gate", "path", "value"),
    [
        (NAMES[0], ("champion", "differences", "auc"), [-0.02, -0.03, -0.001]),
        (NAMES[1], ("tiers", "differences", "RFM tier", "quadratic_kappa"), [0.1, 0.0, 0.2]),
        (NAMES[1], ("noise", "test", "quadratic_kappa"), 0.1),
        (NAMES[2], ("monotone", "broken"), 1),
        (NAMES[3], ("stability", "score", "psi"), 0.2601),
        (NAMES[4], ("groups", "gender", "difference", "auc"), [0.2, 0.101, 0.3]),
        (NAMES[5], ("groups", "gender", "ratio", "favourable"), [0.7, 0.6, 0.799]),
    ],
)
def test_beyond_its_limit_a_gate_fails_alone(gate, path, value):
    found = copy.deepcopy(GOOD)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert gates(found) == {**dict.fromkeys(NAMES, "passed"), gate: "failed"}


def test_without_a_champion_folds_or_bands_their_gates_are_not_asked():
    found = {**GOOD, "champion": None, "stability": {"score": None}, "ratio_counts": False}
    found["tiers"] = None
    assert [*gates(found)] == [NAMES[2], NAMES[4]]
    silent = {**GOOD, "champion": {"bundle": "b" * 64, "because": "it has no scorer"}}
    assert NAMES[0] not in gates(silent)


def test_a_gate_says_its_figure():
    said = {name: figure for name, _, figure in further_gates(GOOD, "auc", LIMITS)}
    assert said[NAMES[2]] == "0 violations in 20 trees, 1 features directed"
    assert said[NAMES[5]] == "favourable 0.800 [0.600, 0.900]"


def test_a_group_that_is_too_small_is_named_and_not_passed_in_silence():
    found = copy.deepcopy(GOOD)
    gender = found["groups"]["gender"]
    gender["too_small"] = ["d", "x"]
    said = {name: figure for name, _, figure in further_gates(found, "auc", LIMITS)}
    assert [*said] == NAMES
    assert said[NAMES[4]] == "auc 0.100 [0.000, 0.300]; too small to judge: d, x"
    gender.update(difference={}, ratio={})
    told = list(further_gates(found, "auc", LIMITS))[4:]
    assert told == [(name, "not judged", "too small to judge: d, x") for name in NAMES[4:]]


@pytest.mark.parametrize(
    ("kind", "measure", "figures", "outcome"),
    [
        ("difference", "auc", [0.1, 0.09, 0.3], "passed"),
        ("difference", "auc", [0.101, 0.1, 0.3], "not judged"),
        ("difference", "auc", [0.3, 0.101, 0.4], "failed"),
        ("ratio", "favourable", [0.8, 0.1, 0.9], "passed"),
        ("ratio", "favourable", [0.799, 0.7, 0.8], "not judged"),
        ("ratio", "favourable", [0.5, 0.4, 0.799], "failed"),
    ],
)
def test_a_figure_beyond_its_limit_is_never_passed_and_fails_where_chance_cannot_explain_it(
    kind, measure, figures, outcome
):
    found = copy.deepcopy(GOOD)
    found["groups"]["gender"][kind][measure] = figures
    name = f"groups of gender: {kind}"
    assert gates(found) == {**dict.fromkeys(NAMES, "passed"), name: outcome}
    said = next(g.figure for g in further_gates(found, "auc", LIMITS) if g.name == name)
    assert ("too few rows to tell" in said) == (outcome == "not judged")


def test_where_nobody_is_favoured_there_is_no_ratio_to_judge():
    found = copy.deepcopy(GOOD)
    found["groups"]["gender"]["ratio"] = {}
    assert list(further_gates(found, "auc", LIMITS))[-1] == (
        NAMES[5], "not judged", "nobody is favoured"
    )  # fmt: skip


def failed(judged: Judged) -> list[str]:
    found = Verdict(tuple(first_gates(judged, ["rule"], LIMITS)))
    names = [gate.name for gate in found.gates]
    assert names == ["better than rule", "not worse than peer", "calibrated"]
    wrong = [gate.name for gate in found.gates if gate.outcome != "passed"]
    assert found.word == ("failed" if wrong else "passed")
    assert found.having("failed") == tuple(wrong)
    return wrong


def test_a_verdict_with_a_gate_that_is_not_judged_is_neither_passed_nor_failed():
    passed, failed, open_ = (Gate(o, o, "") for o in ("passed", "failed", "not judged"))
    assert Verdict((passed, passed)).word == "passed"
    assert Verdict((passed, open_)).word == "partly judged"
    assert Verdict((failed, open_)).word == "failed"
    assert Verdict((passed, open_)).having("not judged") == ("not judged",)


@pytest.mark.parametrize("make", MADE)
def test_a_good_model_passes_every_gate(make):
    said, drawn = make
    assert failed(said(drawn(2), seed=1)) == []


def swapped(found: Evidence, **others: np.ndarray) -> Evidence:
    return Evidence(
        found.y, found.score, found.predicted, {**found.baselines, **others}, found.customers
    )


@pytest.mark.parametrize("make", MADE)
def test_a_model_no_better_than_a_rule_fails_that_gate(make):
    said, drawn = make
    found = drawn(2)
    assert failed(said(swapped(found, rule=found.score), seed=1)) == ["better than rule"]
    slight = found.score + 0.01 * np.random.default_rng(1).normal(size=len(found.y))
    assert failed(said(swapped(found, rule=slight), seed=1)) == ["better than rule"]


@pytest.mark.parametrize("make", MADE)
def test_a_model_clearly_worse_than_its_peer_fails_that_gate(make):
    said, drawn = make
    found = drawn(2)
    rng = np.random.default_rng(1)
    worse = Evidence(
        found.y, found.score + rng.normal(size=len(found.y)), found.predicted,
        {"rule": rng.normal(size=len(found.y)), "peer": found.score}, found.customers,
    )  # fmt: skip
    assert failed(said(worse, seed=1)) == ["not worse than peer"]


def test_shifted_probabilities_fail_the_calibration_gate_alone():
    judged = outcomes(evidence(2, shift=0.6), seed=1)
    assert failed(judged) == ["calibrated"]
    said = [*first_gates(judged, ["rule"], LIMITS)][-1].figure
    figures = judged.figures
    error, floor = figures["calibration_error"], figures["calibration_floor"]
    assert said == f"error {error:.3f}, floor {floor:.3f}"


@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_amounts_that_add_up_to_too_little_or_too_much_fail_the_calibration_gate(factor):
    judged = money(amounts(2, factor=factor), seed=1)
    assert failed(judged) == ["calibrated"]
    said = [*first_gates(judged, ["rule"], LIMITS)][-1].figure
    assert said == f"sum ratio {judged.figures['sum_ratio']:.2f}"


def test_a_gate_says_the_gap_with_its_interval():
    judged = outcomes(evidence(2), seed=1)
    gap, low, high = judged.figures["differences"]["rule"]["auc"]
    assert next(first_gates(judged, ["rule"], LIMITS, 0.01)) == (
        "better than rule", "passed", f"{gap:+.4f} [{low:+.4f}, {high:+.4f}], seeds 0.0100",
    )  # fmt: skip


@pytest.mark.parametrize("make", MADE)
def test_a_model_worse_than_its_peer_by_no_more_than_chance_passes(make):
    said, drawn = make
    found = drawn(2)
    draws = np.random.default_rng(1)
    noises = (found.score + 0.02 * draws.normal(size=len(found.y)) for _ in range(50))
    judged = (said(swapped(found, peer=noisy), seed=1) for noisy in noises)
    worse = next(j for j in judged if j.figures["differences"]["peer"][j.metric][0] < 0)
    assert failed(worse) == []


@pytest.mark.parametrize(("noise", "outcome"), [(0.0, "passed"), (0.5, "failed")])
def test_a_gain_within_the_noise_of_the_seed_is_none(noise, outcome):
    judged = outcomes(evidence(2), seed=1)
    gap, low, _ = judged.figures["differences"]["rule"]["auc"]
    assert 0 < low < gap < 0.5
    assert next(first_gates(judged, ["rule"], LIMITS, noise)).outcome == outcome


@pytest.mark.parametrize("floor", [0.0, 0.02])
def test_a_calibration_error_passes_up_to_what_the_policy_adds_to_the_floor(floor):
    most = floor + LIMITS.calibration_tolerance
    for error, outcome in ((most, "passed"), (most + 1e-9, "failed")):
        told = {"differences": {}, "calibration_error": error, "calibration_floor": floor}
        assert next(first_gates(Judged("auc", told), [], LIMITS)).outcome == outcome


def test_a_sum_of_amounts_passes_from_the_least_ratio_to_the_most():
    low, high = LIMITS.sum_ratio
    wanted = {low - 1e-9: "failed", low: "passed", high: "passed", high + 1e-9: "failed"}
    for ratio, outcome in wanted.items():
        told = Judged("spearman", {"differences": {}, "sum_ratio": ratio})
        assert next(first_gates(told, [], LIMITS)).outcome == outcome
