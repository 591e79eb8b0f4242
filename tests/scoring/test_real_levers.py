"""On real borrowers: of every pair of values of two levers none is cheaper than the plan found."""

from __future__ import annotations

import itertools
from importlib.resources import files
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pyarrow.parquet as pq
import pytest

from domain.policy import LeverRule
from events.given import read_given
from features.given import GivenCatalogue
from scoring.booster import booster_text
from scoring.counterfactuals import Limits, plans
from scoring.levers import levers_of, options, ranges
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer

pytestmark = pytest.mark.realdata

COLUMNS = {
    "revolving_utilisation": "RevolvingUtilizationOfUnsecuredLines",
    "past_due_90_count": "NumberOfTimes90DaysLate",
    "debt_ratio": "DebtRatio",
    "monthly_income": "MonthlyIncome",
    "open_credit_lines": "NumberOfOpenCreditLinesAndLoans",
}
NAMES = tuple(COLUMNS)


def test_no_pair_of_values_is_cheaper_than_the_plan(data_folder: Path):
    toml = files("events.readers.tables").joinpath("give_me_some_credit.toml")
    catalogue = GivenCatalogue(read_given(toml.read_text("utf-8")))
    table = pq.read_table(data_folder / "give_me_some_credit/give_me_some_credit.parquet")
    columns = [table[c].to_numpy(zero_copy_only=False).astype(float) for c in COLUMNS.values()]
    X, good = np.column_stack(columns)[:30_000], 1.0 - table["SeriousDlqin2yrs"].to_numpy()[:30_000]
    monotone = catalogue.monotone("credit", NAMES)
    settings = {
        "objective": "binary", "num_leaves": 7, "min_data_in_leaf": 100, "verbose": -1,
        "monotone_constraints": list(monotone), "num_threads": 1,
    }  # fmt: skip
    booster = lgb.train(settings, lgb.Dataset(X, good, feature_name=list(NAMES)), 60)
    scorer = Scorer(
        target="credit", features=NAMES, booster_text=booster_text(booster), horizon_days=720,
        calibration=Calibration(1.0, 0.0), scale=PointScale(0.0), currency=None, monotone=monotone,
    )  # fmt: skip
    rules = [LeverRule(feature="debt_ratio", low=0, high=1)]
    levers = levers_of(catalogue, ranges(NAMES, X[:2000]), rules)
    assert [v.feature for v in levers] == ["revolving_utilisation", "debt_ratio"]
    found = {"plan": 0, "none": 0}
    points = scorer.points(X)
    for number, which in enumerate(np.flatnonzero(points < 600)[:12]):
        row = dict(zip(NAMES, X[which].tolist(), strict=True))
        wanted = int(points[which]) + 40 + 30 * number
        answer = plans(scorer, catalogue, row, wanted, levers, Limits(levers=2, plans=1))
        tried = [options(catalogue, row, v) for v in levers]
        each = [[(0.0, row[o.lever.feature]), *zip(o.costs, o.values, strict=True)]
                for o in tried if o is not None]  # fmt: skip
        every = list(itertools.product(*each))
        rows = np.tile(X[which], (len(every), 1))
        for place, option in enumerate(o for o in tried if o is not None):
            rows[:, NAMES.index(option.lever.feature)] = [e[place][1] for e in every]
        costs = np.array([sum(c for c, _ in e) for e in every])[scorer.points(rows) >= wanted]
        assert answer.proved or answer.plans
        assert [p.cost for p in answer.plans] == pytest.approx(costs[costs.argsort()[:1]])
        found["plan" if answer.plans else "none"] += 1
    assert all(found.values()), found
