"""The whole chain on public data reaches figures that others published or measured."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from domain.workspace import Workspace
from events.ingest import ingest
from events.readers import SOURCES
from training.baselines import PEERS
from training.options import RunOptions
from training.run import run

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

YARDSTICK = {
    ("taiwan_credit_default", "credit"): 0.783,
    ("berka", "credit"): 0.931,
    ("online_retail_ii", "churn"): 0.764,
    ("give_me_some_credit", "credit"): 0.860,
    ("av_bank_churn", "churn"): 0.838,
    ("bankchurners", "churn"): 0.993,
}
"""AUC that others reach on the same set: the README of the data says how. There is none for
`credit_card_approval`; it is held against its baselines alone."""
OPTIONS = RunOptions(trials=2, baselines=("lightgbm",))
TARGETS = {
    "taiwan_credit_default": {"credit"},
    "berka": {"credit"},
    "credit_card_approval": {"credit"},
    "online_retail_ii": {"value", "churn"},
    "give_me_some_credit": {"credit"},
    "av_bank_churn": {"churn"},
    "bankchurners": {"churn"},
}


@pytest.fixture(scope="module")
def results(data_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """The JSON of a run of two trials, by source; each is run once, when it is first asked for."""
    home = tmp_path_factory.mktemp("yardsticks") / "home"

    @cache
    def of(source: str) -> dict[str, Any]:
        workspace = Workspace(home, source)
        dataset, _ = ingest(SOURCES[source], data_folder / source, workspace.dataset)
        result = run(dataset, workspace, OPTIONS, lambda *_: None)
        found: dict[str, Any] = json.loads(json.dumps(result.to_dict()))
        return found

    return of


@pytest.mark.parametrize(("source", "target"), YARDSTICK)
def test_the_interval_of_the_auc_reaches_the_yardstick(results, source, target):
    test = results(source)["targets"][target]["test"]
    low, high = test["intervals"]["auc"]
    assert low <= test["auc"] <= high
    assert high >= YARDSTICK[source, target]
    assert low <= YARDSTICK[source, target] + 0.05, "far above the yardstick: look for a leak"


@pytest.mark.parametrize("source", TARGETS)
def test_the_json_has_the_agreed_layout(results, source):
    found = results(source)
    assert found["source"] == source
    learnt = {t for t, r in found["targets"].items() if "skipped" not in r}
    assert learnt == TARGETS[source]
    assert set(found["targets"]) == {"value", "churn", "credit"}
    for target in learnt:
        mine = found["targets"][target]
        test = mine["test"]
        assert mine["verdict"] in ("passed", "partly judged", "failed")
        assert len(test["intervals"][mine["metric"]]) == 2
        assert test["rows"] > test["events"] > 0
        assert "regression" in test["baseline"]
        assert test["calibration_error"] >= 0
        assert mine["seconds"] > 0


TWICE = ("taiwan_credit_default", "berka")
"""Here persons stand twice: the same bills a month apart, accounts that share most amounts."""


@pytest.mark.parametrize("source", TARGETS)
def test_no_leak_is_found_in_public_data(results, source):
    found = results(source)["leakage"]
    told = [f["where"] for f in found["told"]]
    assert (found["alarms"], told) == ([], ["histories"] * (source in TWICE))
    assert found["figures"]["canary"]["moved"] == 0
    for target in TARGETS[source]:
        assert 0.6 < found["figures"][target]["highest_single_auc"]["auc"] < 0.9


GIVEN = {
    ("give_me_some_credit", "credit"): 45_232,
    ("av_bank_churn", "churn"): 8_615,
    ("bankchurners", "churn"): 3_102,
}
"""Ready-made feature tables, with the test rows of the published split."""


@pytest.mark.parametrize(("source", "target"), GIVEN)
def test_a_given_table_is_split_as_published_and_beats_a_regression(results, source, target):
    test = results(source)["targets"][target]["test"]
    assert test["rows"] == GIVEN[source, target]
    assert set(test["baseline"]) == {"regression", "lightgbm"}, "no rule of ours knows its columns"
    assert test["differences"]["regression"]["auc"][1] > 0


RULED = [*(found for found in YARDSTICK if found not in GIVEN), ("credit_card_approval", "credit")]


@pytest.mark.parametrize(("source", "target"), RULED)
def test_the_model_ranks_better_than_every_simple_rule(results, source, target):
    test = results(source)["targets"][target]["test"]
    rules = {name: figure for name, figure in test["baseline"].items() if name not in PEERS}
    assert rules
    assert test["auc"] > max(rules.values())


def test_spend_is_ranked_better_than_by_the_last_period(results):
    test = results("online_retail_ii")["targets"]["value"]["test"]
    gap, low, _ = test["differences"]["last period"]["spearman"]
    assert test["spearman"] == pytest.approx(test["baseline"]["last period"] + gap)
    assert low > 0
    assert test["baseline"]["last period"] == pytest.approx(0.522, abs=0.01)


def test_the_test_rows_of_the_retailer_are_those_of_the_published_split(results):
    """5,431 rows by gross purchases in 180 days; the reader and the windows must find the same."""
    assert results("online_retail_ii")["targets"]["churn"]["test"]["rows"] == 5431


def test_the_test_rows_of_taiwan_are_those_of_the_published_split(results):
    assert results("taiwan_credit_default")["targets"]["credit"]["test"]["rows"] == 8975


@pytest.mark.parametrize(("source", "target"), [*RULED, *GIVEN])
def test_good_and_bad_outcomes_are_each_covered(results, source, target):
    found = results(source)["targets"][target]["test"]["coverage"]
    assert {"all", "good"} <= {*found}
    for name in {"all", "good", "bad"} & {*found}:
        assert found[name]["interval"][1] >= 0.9, name
    assert found["all"]["unsure"] < 1


def test_the_interval_of_spend_loses_coverage_as_time_goes_on_and_says_so(results):
    """Learnt on months before June 2011: in September more is missed than in June."""
    value = results("online_retail_ii")["targets"]["value"]
    june, september = (value[f"test_2011_{m}_01"]["coverage"]["all"] for m in ("06", "09"))
    assert june["interval"][1] >= 0.9
    assert 0.75 < september["coverage"] < june["coverage"]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("online_retail_ii", "churn"),
        ("online_retail_ii", "value"),
        ("taiwan_credit_default", "credit"),
    ],
)
def test_the_tuned_model_is_surely_better_than_lightgbm_with_its_defaults(results, source, target):
    found = results(source)["targets"][target]
    gap, low, _ = found["test"]["differences"]["lightgbm"][found["metric"]]
    assert gap > low > 0


def test_a_season_learnt_the_year_before_calibrates_the_retailer(results):
    """Without it: error .109 in September, amounts that sum to .61 of the truth there."""
    targets = results("online_retail_ii")["targets"]
    assert targets["churn"]["test_2011_09_01"]["calibration_error"] < 0.05
    assert 0.8 < targets["value"]["test_2011_09_01"]["sum_ratio"] < 1.25
    for target in ("churn", "value"):
        gates = {g["gate"]: g["result"] for g in targets[target]["gates"]}
        assert gates["calibrated"] == "passed"
