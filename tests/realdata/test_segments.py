"""On the public retailer: quintiles, segments in the order of what they spend next, buyers ranked.

Fitted on learning customers at the last training as_of, looked at on test rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from domain.workspace import Workspace
from events.ingest import ingest
from events.readers import SOURCES
from experiments.segments import SOURCE, learnt, to_come
from features.panel import compute
from features.panel_files import matrix
from training.segments import NAMES, cohort

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


@pytest.fixture(scope="module")
def dataset(data_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("segments")
    return ingest(SOURCES[SOURCE], data_folder / SOURCE, Workspace(folder, SOURCE).dataset)[0]


@pytest.fixture(scope="module")
def fitted(dataset):
    found = learnt(dataset)
    assert found.told["left_out"] == {}
    return found.fitted


@pytest.fixture(scope="module")
def to_judge(dataset, fitted):
    X, spend, bought = to_come(dataset)
    return fitted.rows(NAMES, X), spend, bought


def test_recency_and_money_part_the_learning_customers_into_fifths(dataset, fitted):
    X = matrix(compute(dataset, cohort(dataset)), NAMES)[:, :3]
    scores = fitted.rfm.scores(X[~np.isnan(X[:, 0])])
    for place in (0, 2):
        assert np.bincount(scores[:, place])[1:] / len(scores) == pytest.approx(0.2, abs=0.01)


def test_segments_and_clusters_spend_next_in_the_expected_order(to_judge):
    rows, spend, _ = to_judge
    names = np.array([s.rfm.segment.name for s, _ in rows])
    mean = {name: spend[names == name].mean() for name in {*names}}
    assert mean["champions"] > 2 * mean["loyal"] > 4 * mean["hibernating"]
    assert mean["loyal"] > mean["potential_loyal"] > mean["about_to_sleep"]
    assert mean["cannot_lose"] > mean["at_risk"] > mean["hibernating"]
    numbers = np.array([int(s.cluster.name.removeprefix("cluster_")) for s, _ in rows])
    assert spend[numbers == 5].mean() > 2 * spend[numbers == 4].mean()
    assert spend[numbers == 4].mean() > 2 * spend[numbers == 3].mean()


def test_the_buying_model_ranks_who_comes_back_and_is_nearly_calibrated(to_judge):
    """The yardstick is 0.769, of a BG/NBD with its parameters fitted otherwise."""
    rows, spend, bought = to_judge
    none = np.array([b.p_no_purchase for _, b in rows])
    assert 0.75 <= roc_auc_score(bought, -none) <= 0.80
    assert none.mean() == pytest.approx(1 - bought.mean(), abs=0.05)
    amount = np.array([b.amount for _, b in rows])
    assert 0.7 <= amount.sum() / spend.sum() <= 1.2
