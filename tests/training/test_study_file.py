"""Study files: the examples, every fault at once, the features chosen, the plan changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import InputError
from events.readers import SOURCES
from features.catalogue import CATALOGUE
from tests.training.fit_world import PLAN
from training.study_file import BudgetFile, Chosen, StudyFile, read_study

EXAMPLES = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))
FAULTY = """
source = "Bank"
target = "chrun"
learner = "forest"
metrc = "auc"
seed = -1
[as_of]
train = ["2011-13-01", "2011-01-01"]
test = []
[space]
num_leaves = [9, 3]
feature_fraction = [0.5, 1.5]
leaves = [1, 2]
[budget]
trials = 0
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "study.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.stem)
def test_every_example_is_a_study_of_a_known_source(file):
    study = read_study(file)
    assert study.source in SOURCES
    assert study.mark
    assert study.features.of(CATALOGUE, study.target)


def test_there_are_examples():
    assert len(EXAMPLES) >= 3


def test_all_faults_come_at_once_each_with_its_path(tmp_path):
    with pytest.raises(InputError, match="breaks rules") as said:
        read_study(written(tmp_path, FAULTY))
    assert {f.path for f in said.value.faults} == {
        "source", "target", "learner", "metrc", "seed", "as_of.train.0", "as_of.test",
        "space.num_leaves", "space.feature_fraction", "space.leaves", "budget.trials",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('source = "bank"\ntarget = "churn"\nmetric = "l2"', "metric: .*auc or average_precision"),
        ('source = "bank"\ntarget = "value"\nmetric = "auc"', "metric: .*l2 or l1"),
        ('source = "bank"\ntarget = "churn"\nbudget = {}', "budget: .*trials, minutes or both"),
        (
            'source = "bank"\ntarget = "churn"\nlearner = "xgboost"',
            "learner: LightGBM alone is tuned",
        ),
        (
            'source="bank"\ntarget="churn"\n[as_of]\ntrain=[2011-05-01]\ntest=[2011-04-01]',
            "as_of: 2011-04-01 does not come after 2011-05-01",
        ),
        ("source =", "is not TOML"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read_study(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.toml cannot be read"):
        read_study(tmp_path / "nowhere.toml")


def test_dates_may_be_toml_dates_texts_or_instants(tmp_path):
    text = 'source="bank"\ntarget="churn"\n[as_of]\ntrain=[2011-03-01, "2011-04-01"]\n'
    text += "test=[2011-09-01T00:00:00Z]"
    study = read_study(written(tmp_path, text))
    days = [datetime(2011, month, 1, tzinfo=UTC) for month in (3, 4, 9)]
    assert [*study.as_of.train, *study.as_of.test] == days


def study(**fields: object) -> StudyFile:
    return StudyFile.model_validate({"source": "bank", "target": "churn", **fields})


def test_source_target_seed_and_budget_alone_are_the_default_study():
    assert study().mark == study(budget={"minutes": 3}, seed=5, season="smooth").mark == ""
    marks = {study(**f).mark for f in (
        {"second": "explain_us"}, {"metric": "auc"}, {"features": {"themes": ["recency"]}},
        {"space": {"num_leaves": [2, 3]}}, {"split": "time"}, {"calibration": "latest"},
    )}  # fmt: skip
    assert len(marks) == 6
    assert "" not in marks


def test_features_are_chosen_by_theme_and_pattern():
    allowed = CATALOGUE.for_target("churn")
    by_hand = [
        n for n in allowed
        if (CATALOGUE[n].theme == "recency" or n.startswith("purchase_count"))
        and not n.endswith("365d")
    ]  # fmt: skip
    chosen = Chosen(themes=("recency",), keep=("purchase_count*",), drop=("*365d",))
    assert list(chosen.of(CATALOGUE, "churn")) == by_hand
    assert 5 < len(by_hand) < len(allowed)
    assert Chosen().of(CATALOGUE, "churn") == allowed


def test_a_protected_feature_cannot_be_chosen():
    protected = [f.name for f in CATALOGUE.features if f.protected]
    assert protected
    with pytest.raises(InputError, match=r"features\.keep\.0"):
        Chosen(keep=(protected[0],)).of(CATALOGUE, "credit")


def test_features_that_are_not_there_are_all_named():
    with pytest.raises(InputError) as said:
        Chosen(themes=("recency", "zodiac"), keep=("sun_*",), drop=("moon",)).of(CATALOGUE, "churn")
    assert [f.path for f in said.value.faults] == ["features.themes.1", "features.keep.0",
                                                   "features.drop.0"]  # fmt: skip
    with pytest.raises(InputError, match="no feature is left"):
        Chosen(drop=("*",)).of(CATALOGUE, "churn")


GRID = {"train": ["2011-01-01"], "test": ["2011-06-01"]}


def test_dates_and_split_of_the_study_take_the_place_of_the_plan():
    timed = PLAN.model_copy(update={"split": "time"})
    found = study(as_of=GRID).plan(timed)
    assert [t.month for t in (*found.train_as_of, *found.test_as_of)] == [1, 6]
    assert study().plan(timed) == timed
    outcomes = PLAN.targets["churn"].model_copy(update={"label": "outcomes"})
    own = PLAN.model_copy(update={"targets": {"churn": outcomes}})
    assert study(split="folds").plan(own).split == "folds"
    with pytest.raises(InputError) as said:
        study(split="time", as_of=GRID, season="smooth", calibration="latest").plan(own)
    assert [f.path for f in said.value.faults] == ["as_of", "calibration", "season", "split"]
    with pytest.raises(InputError, match="allow time only"):
        study(split="customer").plan(timed)
    with pytest.raises(InputError, match="bank has no credit: take churn"):
        study(target="credit").plan(own)


def test_dates_without_a_gap_of_the_horizon_are_refused_before_features_are_computed():
    timed = PLAN.model_copy(update={"split": "time"})
    days = timed.targets["churn"].horizon_days
    first = datetime(2011, 6, 1, tzinfo=UTC)
    for gap, fits in ((days, True), (days - 1, False)):
        asked = study(as_of={"train": [first - timedelta(days=gap)], "test": [first]})
        if fits:
            assert asked.plan(timed).test_as_of == (first,)
            continue
        with pytest.raises(InputError, match="reaches past the first test at 2011-06-01"):
            asked.plan(timed)


def test_calibration_and_season_of_the_study_take_the_place_of_the_plans():
    timed = PLAN.model_copy(update={"split": "time", "season": "smooth"})
    found = study(calibration="latest", season="year_before").plan(timed)
    assert (found.calibration, found.season) == ("latest", "year_before")
    assert study().plan(timed).season == "smooth"
    assert study(season="none").plan(timed).season == "none"


def test_a_budget_of_minutes_alone_has_no_trials():
    assert BudgetFile(minutes=2).trials is None
    assert study().search.budget.trials == 20
