"""Groups as of each row, and figures by group, against slow loops and scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from domain.asof import MICROS_PER_DAY, NEVER
from domain.policy import default_policy
from scoring.points import PointScale
from tests.training.test_judge import amounts, evidence
from training.groups import AGES, Placed, by_group, groups_of, vintages
from training.matrix import labelled
from training.tier_figures import places, tier_figures, true_places

CUTS = default_policy().steps["value"]
ATTRIBUTES = {"birth_on", "gender", "marital", "dependants"}


def test_each_row_has_the_group_that_was_known_at_its_as_of(trained):
    rows = labelled(trained.dataset)[0]["churn"]
    rows = rows.take(pa.array(range(0, rows.num_rows, 29)))
    customers = rows["customer_id"].to_pylist()
    as_of = rows["as_of"].cast("int64").to_numpy()
    found = groups_of(trained.dataset, customers, as_of)
    assert {*found} == ATTRIBUTES
    held = trained.dataset.table("customers").to_pylist()
    seen = set()
    for place, (customer, at) in enumerate(zip(customers, rows["as_of"].to_pylist(), strict=True)):
        versions = [
            v for v in held
            if v["customer_id"] == customer and v["happened_at"] <= at and v["known_at"] <= at
            and (v["superseded_at"] is None or at < v["superseded_at"])
        ]  # fmt: skip
        last = max(versions, key=lambda v: v["happened_at"])
        assert found["gender"][place] == (last["gender"] or "")
        children = last["dependants"]
        assert found["dependants"][place] == ("" if children is None else f"{children:g}")
        years = (at.date() - last["birth_on"]).days / 365.25
        above = [a for a in AGES if a <= years]
        assert found["birth_on"][place].startswith(f"{above[-1]}-" if above else "<") or (
            years >= AGES[-1] and found["birth_on"][place] == f">= {AGES[-1]}"
        )
        seen.add(len(versions))
    assert max(seen) > 1, "no customer changed: the test compares nothing"


def test_nobody_is_grouped_before_anything_is_known(trained):
    customer = trained.dataset.table("customers", ["customer_id"])["customer_id"][0].as_py()
    found = groups_of(
        trained.dataset, [customer, "nobody", customer], np.array([0, NEVER - 1, NEVER - 1])
    )
    assert found["gender"].tolist()[:2] == ["", ""]
    assert found["gender"][2] != ""


def test_a_source_without_customers_has_no_groups(trained):
    bare = replace(trained.dataset, tables={})
    assert groups_of(bare, ["a"], np.array([0])) == {}


def thirds(n: int) -> np.ndarray:
    return np.array(["a", "b", "c"])[np.arange(n) % 3]


def test_figures_by_group_are_those_of_scikit_learn():
    made, liked = evidence(1), np.arange(1500) % 4 > 0
    found = by_group(made, Placed(liked), {"third": thirds(1500)}, 1, is_amount=False)["third"]
    rates = {}
    for name, told in found["by_group"].items():
        rows = thirds(1500) == name
        y, p = made.y[rows], made.predicted[rows]
        assert told["auc"][0] == pytest.approx(roc_auc_score(y, made.score[rows]))
        assert told["auc"][1] < told["auc"][0] < told["auc"][2]
        assert told["predicted_to_seen"][0] == pytest.approx((1 - p).mean() / (1 - y).mean())
        assert told["favourable"][0] == pytest.approx(liked[rows].mean())
        assert (told["rows"], told["events"]) == (rows.sum(), (y == 0).sum())
        assert told["seen"] == pytest.approx((1 - y).mean())
        rates[name] = told["favourable"][0]
    gap = max(rates.values()) - min(rates.values())
    assert found["difference"]["favourable"][0] == pytest.approx(gap)
    least = min(rates.values()) / max(rates.values())
    assert found["ratio"]["favourable"][0] == pytest.approx(least)


def test_an_amount_is_ranked_by_spearman():
    made = amounts(1)
    found = by_group(made, Placed(made.y > 0), {"third": thirds(1500)}, 1, is_amount=True)["third"]
    rows = thirds(1500) == "b"
    told = found["by_group"]["b"]
    assert told["spearman"][0] == pytest.approx(spearmanr(made.y[rows], made.score[rows])[0])
    assert told["predicted_to_seen"][0] == pytest.approx(
        made.predicted[rows].sum() / made.y[rows].sum()
    )


def test_like_groups_differ_by_chance_and_an_unlike_one_beyond_it():
    made = evidence(2, n=3000)
    names = thirds(3000)
    liked = np.ones(3000, bool)
    alike = by_group(made, Placed(liked), {"third": names}, 1, is_amount=False)["third"]
    gap, low, _ = alike["difference"]["auc"]
    assert gap > 0
    assert low == 0
    score = np.where(names == "c", np.random.default_rng(1).normal(size=3000), made.score)
    unlike = by_group(
        replace(made, score=score), Placed(liked), {"third": names}, 1, is_amount=False
    )
    assert unlike["third"]["difference"]["auc"][1] > 0.1


def test_small_groups_are_told_as_too_small_and_unknown_ones_not_at_all():
    made, liked = evidence(1), np.ones(1500, bool)
    names = np.where(np.arange(1500) < 49, "few", np.where(np.arange(1500) < 600, "some", ""))
    found = by_group(made, Placed(liked), {"a": names}, 1, is_amount=False)["a"]
    assert [*found["by_group"]] == ["some"]
    assert (found["too_small"], found["difference"], found["ratio"]) == (["few"], {}, {})
    alone = np.where(names == "some", "some", "")
    assert by_group(made, Placed(liked), {"a": alone}, 1, is_amount=False) == {}
    names = np.where(np.arange(1500) < 200, "few", names)
    names = np.where(np.arange(1500) > 1400, "one", names)
    told = by_group(made, Placed(liked), {"a": names}, 1, is_amount=False)["a"]["by_group"]
    assert {*told} == {"few", "some", "one"}
    good = replace(made, y=np.where(names == "one", 1.0, made.y))
    found = by_group(good, Placed(liked), {"a": names}, 1, is_amount=False)["a"]
    assert {*found["by_group"]} == {"few", "some"}
    assert found["too_small"] == ["one"]
    left = by_group(
        good, Placed(liked), {"a": np.where(names == "one", "", names)}, 1, is_amount=False
    )
    assert found == {**left["a"], "too_small": ["one"]}, "what is too small moves no figure"


def test_everybody_stands_beside_the_groups_and_tiers_agree_as_in_the_whole_table():
    made = amounts(1)
    scale, cuts = PointScale(anchor_margin=float(np.log(made.y.mean()))), CUTS
    points = scale.points(np.log(made.predicted))
    placed = Placed(made.y > 0, true_places(made.y, scale, cuts), places(points, cuts.bounds), 3)
    found = by_group(made, placed, {"third": thirds(1500)}, 1, is_amount=True)["third"]
    parts = {"overall": np.ones(1500, bool)} | {n: thirds(1500) == n for n in "abc"}
    for name, told in {"overall": found["overall"], **found["by_group"]}.items():
        rows = parts[name]
        whole = tier_figures(made.y[rows], points[rows], scale, cuts)
        for measure in ("quadratic_kappa", "macro_f1"):
            value, low, high = told[measure]
            assert value == pytest.approx(whole[measure])
            assert low < value < high
    assert {*found["difference"]} == {*found["by_group"]["a"]} - {"rows", "events", "seen"}


def test_a_measure_that_one_group_lacks_is_not_compared():
    made = amounts(1)
    tiers = np.where(thirds(1500) == "a", 0, np.arange(1500) // 3 % 3)
    placed = Placed(made.y > 0, tiers, tiers, 3)
    found = by_group(made, placed, {"third": thirds(1500)}, 1, is_amount=True)["third"]
    assert "quadratic_kappa" not in found["by_group"]["a"], "all stand in one tier"
    assert "quadratic_kappa" in found["by_group"]["b"]
    assert "quadratic_kappa" not in found["difference"]


def test_a_group_of_which_nobody_is_favoured_has_a_ratio_with_an_upper_limit():
    made, names = evidence(1), thirds(1500)
    found = by_group(made, Placed(names != "a"), {"third": names}, 1, is_amount=False)["third"]
    value, low, high = found["ratio"]["favourable"]
    assert value == low == 0 < high < 0.05
    none = by_group(made, Placed(names == ""), {"third": names}, 1, is_amount=False)["third"]
    assert "favourable" not in none["ratio"]


def test_the_vintage_of_a_row_is_its_date():
    days = [date(2026, 4, 1), date(2025, 12, 31), date(2026, 4, 1)]
    as_of = np.array([(d - date(1970, 1, 1)).days * MICROS_PER_DAY for d in days])
    assert vintages(as_of).tolist() == ["2026-04-01", "2025-12-31", "2026-04-01"]
