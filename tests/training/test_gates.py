"""Each gate beyond ranking and calibration passes, and fails alone."""

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
            "difference": {"auc": [0.2, 0.1, 0.3]},
            "ratio": {"favourable": [0.7, 0.6, 0.8]},
            "too_small": [],
        },
        "thin_file": {
            "difference": {"auc": [0.9, 0.8, 1.0]},
            "ratio": {"favourable": [0.1, 0.0, 0.2]},
            "too_small": ["thin"],
        },
    },
    "ratio_counts": True,
}
NAMES = [
    "not worse than the live bundle",
    "monotone",
    "stable",
    "groups of gender: difference",
    "groups of gender: ratio",
]


def gates(found: dict) -> dict[str, bool]:
    return {name: passed for name, passed, _ in further_gates(found, LIMITS)}


def test_at_the_limit_every_gate_passes_and_a_thin_file_has_none():
    assert gates(GOOD) == dict.fromkeys(NAMES, True)


@pytest.mark.parametrize(
    ("gate", "path", "value"),
    [
        (NAMES[0], ("champion", "difference"), [-0.02, -0.03, -0.001]),
        (NAMES[1], ("monotone", "broken"), 1),
        (NAMES[2], ("stability", "score", "psi"), 0.2601),
        (NAMES[3], ("groups", "gender", "difference", "auc"), [0.2, 0.101, 0.3]),
        (NAMES[4], ("groups", "gender", "ratio", "favourable"), [0.7, 0.6, 0.799]),
    ],
)
def test_beyond_its_limit_a_gate_fails_alone(gate, path, value):
    found = copy.deepcopy(GOOD)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert gates(found) == {**dict.fromkeys(NAMES, True), gate: False}


def test_without_a_champion_folds_or_bands_their_gates_are_not_asked():
    found = {**GOOD, "champion": None, "stability": {"score": None}, "ratio_counts": False}
    assert [*gates(found)] == [NAMES[1], NAMES[3]]
    silent = {**GOOD, "champion": {"bundle": "b" * 64, "because": "it has no scorer"}}
    assert NAMES[0] not in gates(silent)


def test_a_gate_says_its_figure():
    said = {name: figure for name, _, figure in further_gates(GOOD, LIMITS)}
    assert said[NAMES[1]] == "0 violations in 20 trees, 1 features directed"
    assert said[NAMES[4]] == "favourable 0.700 [0.600, 0.800]"


def test_a_group_that_is_too_small_is_named_and_not_passed_in_silence():
    found = copy.deepcopy(GOOD)
    gender = found["groups"]["gender"]
    gender["too_small"] = ["d", "x"]
    said = {name: figure for name, _, figure in further_gates(found, LIMITS)}
    assert [*said] == NAMES
    assert said[NAMES[3]] == "auc 0.200 [0.100, 0.300]; too small to judge: d, x"
    gender.update(difference={}, ratio={})
    told = list(further_gates(found, LIMITS))[3:]
    assert told == [("groups of gender: not judged", True, "too small to judge: d, x")]
