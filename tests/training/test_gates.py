"""Each gate beyond ranking and calibration passes, fails alone, and says where it cannot judge."""

from __future__ import annotations

import copy

import pytest

from domain.policy import default_policy
from training.gates import further_gates

LIMITS = default_policy().limits
GOOD = {
    "champion": {"bundle": "b" * 64, "figure": 0.8, "difference": [0.01, -0.01, 0.03]},
    "monotone": {"trees": 20, "broken": 0, "directions": {"up": 1}},
    "stability": {"score": {"psi": 0.25, "floor": 0.01, "parts": {}}},
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
    "tiers": {"better_than": {"RFM tier": [0.1, 0.01, 0.2]}},
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
    return {gate.name: gate.outcome for gate in further_gates(found, LIMITS)}


def test_at_the_limit_every_gate_passes_and_a_thin_file_has_none():
    assert gates(GOOD) == dict.fromkeys(NAMES, "passed")


@pytest.mark.parametrize(
    ("gate", "path", "value"),
    [
        (NAMES[0], ("champion", "difference"), [-0.02, -0.03, -0.001]),
        (NAMES[1], ("tiers", "better_than", "RFM tier"), [0.1, 0.0, 0.2]),
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
    said = {name: figure for name, _, figure in further_gates(GOOD, LIMITS)}
    assert said[NAMES[2]] == "0 violations in 20 trees, 1 features directed"
    assert said[NAMES[5]] == "favourable 0.800 [0.600, 0.900]"


def test_a_group_that_is_too_small_is_named_and_not_passed_in_silence():
    found = copy.deepcopy(GOOD)
    gender = found["groups"]["gender"]
    gender["too_small"] = ["d", "x"]
    said = {name: figure for name, _, figure in further_gates(found, LIMITS)}
    assert [*said] == NAMES
    assert said[NAMES[4]] == "auc 0.100 [0.000, 0.300]; too small to judge: d, x"
    gender.update(difference={}, ratio={})
    told = list(further_gates(found, LIMITS))[4:]
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
    said = next(g.figure for g in further_gates(found, LIMITS) if g.name == name)
    assert ("too few rows to tell" in said) == (outcome == "not judged")


def test_where_nobody_is_favoured_there_is_no_ratio_to_judge():
    found = copy.deepcopy(GOOD)
    found["groups"]["gender"]["ratio"] = {}
    assert list(further_gates(found, LIMITS))[-1] == (
        NAMES[5], "not judged", "nobody is favoured"
    )  # fmt: skip
