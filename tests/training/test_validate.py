"""What a report holds of the bank that was trained, against the rows and scorers themselves."""

from __future__ import annotations

import json

import numpy as np
import pytest

from domain.policy import default_policy
from domain.tiers import TARGETS
from scoring.card import read_card
from training.tier_figures import tier_figures

POLICY = default_policy()


def near(value: float, rel: float = 1e-5):
    """Figures stand in the card to six digits."""
    return pytest.approx(value, rel=rel)


@pytest.fixture(scope="module", params=TARGETS)
def case(request, trained, materials):
    """Target, what was found, the material, scorer, and what is predicted for the test rows."""
    target = request.param
    made = materials(target)
    result = trained.result.targets[target]
    X = made.problem.X[made.split.test]
    said = result.scorer.amount(X) if target == "value" else 1 - result.scorer.p_bad(X)
    return target, result.validation, made, result.scorer, said


def test_it_stands_in_the_card_as_plain_finite_json(trained, case):
    target, found, *_ = case
    card = read_card(trained.result.bundle.card)
    kept = card.targets[target].figures["validation"]
    assert kept == json.loads(json.dumps(found, allow_nan=False))
    assert card.policy.gates == POLICY.limits
    assert card.policy.hash == POLICY.hash
    assert card.policy.effective_at == POLICY.effective_at
    assert card.policy.costs == POLICY.costs


def test_nobody_stands_in_two_parts_and_every_row_in_one(case):
    _, found, made, scorer, _ = case
    learnt = found["learnt"]
    assert {*learnt["shared_customers"].values()} == {0}
    names = np.asarray(made.customers)
    for part in ("fit", "calibration", "test", "test_unseen"):
        rows = getattr(made.split, part)
        assert learnt["parts"][part]["rows"] == len(rows)
        assert learnt["parts"][part]["customers"] == len({*names[rows]})
    assert learnt["gap_days"] >= scorer.horizon_days


def test_the_profit_of_acting_on_everybody_is_the_mean_gain(case):
    target, found, made, *_ = case
    y, costs = made.problem.y[made.split.test], POLICY.costs[target]
    each = [
        (costs.share * v if target == "value" else costs.good if v else costs.bad) - costs.cost
        for v in y
    ]
    curve = found["profit"]["curve"]
    assert curve[0] == {"share": 0.0, "profit": 0.0, "interval": [0.0, 0.0]}
    assert curve[-1]["profit"] == near(sum(each) / len(y))
    assert all(r["interval"][0] <= r["profit"] <= r["interval"][1] for r in curve)
    assert found["profit"]["best"]["profit"] == max(r["profit"] for r in curve)


def test_the_first_tenth_holds_more_of_what_is_sought_than_the_last(case):
    target, found, made, _, said = case
    y = made.problem.y[made.split.test]
    sought = y if target == "value" else 1 - y
    rows = found["gains"]
    assert rows[0]["lift"] > 1.2 > 0.8 > rows[-1]["lift"]
    assert all(r["interval"][0] <= r["captured"] <= r["interval"][1] for r in rows)
    assert rows[-1]["interval"] == [1.0, 1.0]
    first = np.argsort(-said if target == "value" else said, kind="stable")[: rows[0]["rows"]]
    assert rows[0]["mean"] == near(sought[first].mean(), 0.05)


def test_the_card_tells_how_much_of_what_period_each_table_holds(trained):
    card = read_card(trained.result.bundle.card)
    assert {*card.tables} == {*card.data} == {*trained.dataset.tables}
    for name, told in card.tables.items():
        moments = trained.dataset.table(name)["happened_at"].to_pylist()
        assert (told.rows, told.first, told.last) == (len(moments), min(moments), max(moments))


def test_reliability_of_each_part_adds_up_to_its_means(trained, case):
    target, found, _, _, _ = case
    parts = trained.result.targets[target].parts
    assert {*parts} == {*found["noise"]}
    for part in parts.values():
        tenths = part.figures["reliability"]
        rows = sum(r["rows"] for r in tenths)
        assert rows == part.figures["rows"]
        apart = (r["rows"] * abs(r["predicted"] - r["seen"]) for r in tenths)
        error = sum(apart) / rows
        assert error == near(part.figures["calibration_error"])
        assert ("calibration_floor" in part.figures) == (target != "value")


def test_directions_are_those_of_the_scorer_and_proved(case):
    _, found, _, scorer, _ = case
    assert found["monotone"]["broken"] == 0
    assert found["monotone"]["trees"] == scorer.booster.num_trees()
    ways = {n: w for n, w in zip(scorer.features, scorer.monotone, strict=True) if w}
    assert found["monotone"]["directions"] == ways


def test_stability_tells_every_feature(case):
    _, found, made, scorer, _ = case
    assert {*found["stability"]["features"]} == {*scorer.features}
    before, after = len(made.split.calibration), len(made.split.test)
    assert found["stability"]["score"]["floor"] == near(9 * (1 / before + 1 / after))


def test_groups_tell_the_protected_attributes_and_the_favoured_share(case):
    target, found, made, scorer, _ = case
    assert "gender" in found["groups"]
    assert "vintage" in found["groups"], "this bank has several test dates"
    told = found["groups"]["gender"]["by_group"]
    points = scorer.points(made.problem.X[made.split.test])
    bad = "e" if target == "credit" else POLICY.cuts[target][0].name
    liked = np.array([POLICY.held(target, int(p)).name != bad for p in points])
    shares = sum(g["favourable"][0] * g["rows"] for g in told.values())
    rows = sum(g["rows"] for g in told.values())
    if rows == len(liked):
        assert shares / rows == near(liked.mean())
    assert rows > 0.9 * len(liked)


def test_tiers_are_told_of_amounts_only(case):
    target, found, made, *_ = case
    assert (found["tiers"] is not None) == (target == "value")
    if target == "value":
        assert sum(map(sum, found["tiers"]["table"])) == len(made.split.test)


def test_suggested_cuts_are_no_worse_on_who_calibrates_and_their_figures_are_of_the_test(case):
    target, found, made, scorer, said = case
    if target != "value":
        return
    better, own = found["tiers"]["suggested"], made.split.calibration
    cuts, y = POLICY.steps["value"], made.problem.y
    points = scorer.points(made.problem.X[own])

    def worth(bounds: tuple[int, ...]) -> float:
        told = tier_figures(y[own], points, scorer.scale, cuts, bounds)
        return told["macro_f1"] + told["quadratic_kappa"]

    assert worth(tuple(better["bounds"])) >= worth(cuts.bounds)
    place = np.searchsorted(better["bounds"], scorer.scale.points(np.log(said)), side="right")
    assert np.bincount(place, minlength=3).tolist() == np.sum(better["table"], axis=0).tolist()
    rows = [np.sum(t["table"], axis=1).tolist() for t in (found["tiers"], better)]
    assert rows[0] == rows[1], "the truth stands where the policy puts it"


def test_every_gate_of_the_policy_has_its_figure(trained, case):
    target, *_ = case
    names = [g for g, _, _ in trained.result.targets[target].verdict.gates]
    assert {"calibrated", "monotone", "stable", "groups of gender: difference"} <= {*names}
    assert ("groups of gender: ratio" in names) == (target == "credit")
