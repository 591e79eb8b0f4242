"""What must be fitted beside the scorers: RFM cuts, clusters, and models of buying.

Enters: the features of the learning customers as of the latest training as_of. Leaves: `Fitted`
for the bundle, and for the card what it was fitted on, how well, and what was left out and why.

The cohort is everybody among the customers the scorers learn from who had bought by then, one row
a customer: quintiles and centres are to part the whole book, and a model of who leaves must not be
shown only those who stayed. Nobody of calibration or the unseen is in it; nothing after that
as_of is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from domain.asof import iso
from domain.errors import NotEnoughDataError
from domain.workspace import Workspace
from events.dataset import Dataset
from features.given import catalogue_of, everybody
from features.store import matrix, open_room
from scoring.buy_till_die import GammaGamma
from scoring.clusters import TRAITS, Clusters, signed_log
from scoring.golden import draw_rows
from scoring.rfm import RFM_FEATURES, Cuts, Rfm
from scoring.segments import BUYING_FEATURES, Fitted, segments_json
from training.buy_till_die import fit_bg_nbd, fit_gamma_gamma, rounded
from training.people import persons
from training.splits import learners
from training.targets import grids, why_skipped

Floats = NDArray[np.float64]
Part = Literal["rfm", "clusters", "buying", "spending"]
CLUSTER_FEATURES = tuple(TRAITS)
NAMES = tuple(dict.fromkeys((*RFM_FEATURES, *CLUSTER_FEATURES, *BUYING_FEATURES)))
LEAST_CUSTOMERS = 100
CLUSTERS, STARTS = 5, 10
RANKED_BY = "spend_sum_365d"
"""Clusters are numbered by its rising mean."""
QUINTILES = (0.2, 0.4, 0.6, 0.8)
GOLDEN_ROWS = 20
T = TypeVar("T")


@dataclass(frozen=True)
class Learnt:
    """What was fitted (None: nothing), and what the card says of it."""

    fitted: Fitted | None
    told: dict[str, Any]
    golden: Floats | None = None

    @property
    def beside(self) -> dict[str, dict[str, Any]]:
        """What stands in the bundle beside the scorers."""
        if self.fitted is None or self.golden is None:
            return {}
        return {"segments": segments_json(self.fitted, self.golden)}


def cohort(dataset: Dataset) -> pa.Table | None:
    """Requests (customer_id, as_of) of the learning customers known at the latest training as_of.

    None where nobody plans to learn from purchases.
    """
    train, _ = grids(dataset)
    if not train or all(why_skipped(dataset, t) is not None for t in ("value", "churn")):
        return None
    known = everybody(dataset, max(train))
    who = persons(dataset, known["customer_id"].to_pylist())
    return known.filter(pa.array(learners(who, dataset.plan)))


def learn(dataset: Dataset, workspace: Workspace, seed: int) -> Learnt:
    """Everything fitted on the cohort, over features already kept."""
    asked = cohort(dataset)
    if asked is None:
        return Learnt(
            None, _nothing(f"{dataset.source} learns no value and no churn from purchases")
        )
    room = open_room(workspace, os.environ, catalogue_of(dataset))
    X = matrix(room.historical(asked, NAMES), NAMES)
    plan = dataset.plan
    days = next(plan.targets[t].horizon_days for t in ("churn", "value") if t in plan.targets)
    found = fit(X, Fitted(days, plan.currency), seed)
    return replace(found, told={"as_of": iso(max(grids(dataset)[0])), **found.told})


def fit(X: Floats, empty: Fitted, seed: int) -> Learnt:
    """Every part fitted on rows (n, k) of `NAMES`, each customer once; non-buyers are left out."""
    X = X[~np.isnan(X[:, NAMES.index("purchase_recency_days")])]
    if len(X) < LEAST_CUSTOMERS:
        few = f"{len(X)} customers have bought: {LEAST_CUSTOMERS} are the least to fit from"
        return Learnt(None, _nothing(few))
    left_out: dict[Part, str] = {}
    figures: dict[str, float] = {}

    def tried(part: Part, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except NotEnoughDataError as e:
            left_out[part] = str(e)
            return None

    rfm = fit_rfm(_columns(X, RFM_FEATURES))
    clusters = tried("clusters", lambda: fit_clusters(_columns(X, CLUSTER_FEATURES), seed))
    x, t_x, age, spend = _columns(X, BUYING_FEATURES).T
    buying = tried("buying", lambda: fit_bg_nbd(x - 1, t_x, age))
    spending: GammaGamma | None = None
    if buying is None:
        left_out["spending"] = "no purchases were fitted that amounts could go with"
    else:
        spending = tried("spending", lambda: fit_gamma_gamma(x, spend / x))
    if clusters is not None:
        figures["share_told_by_clusters"] = _share_told(clusters, _columns(X, CLUSTER_FEATURES))
    figures["correlation_of_days_and_amount"] = _correlation(x, spend / x)
    fitted = replace(empty, rfm=rfm, clusters=clusters, buying=buying, spending=spending)
    golden = draw_rows(_columns(X, fitted.names), min(GOLDEN_ROWS, len(X)), seed)
    told = {"customers": len(X), "figures": figures, "left_out": dict(left_out)}
    return Learnt(fitted, told, golden)


def fit_rfm(X: Floats) -> Rfm:
    """The quintiles of recency, frequency and money."""

    def cuts(column: Floats) -> Cuts:
        a, b, c, d = np.nanquantile(column, QUINTILES).tolist()
        return a, b, c, d

    recency, frequency, money = X.T
    return Rfm(cuts(recency), cuts(frequency), cuts(money))


def fit_clusters(X: Floats, seed: int) -> Clusters:
    """K-means over standardised signed logs of `CLUSTER_FEATURES`, numbered by rising spend.

    Raises:
        NotEnoughDataError: a feature has one value only, or fewer different rows than clusters.
    """
    logs = np.column_stack([signed_log(column) for column in X.T])
    logs = logs[~np.isnan(logs).any(axis=1)]
    mean, spread = logs.mean(axis=0), logs.std(axis=0)
    if (spread < 1e-9).any() or len(np.unique(logs, axis=0)) < CLUSTERS:
        raise NotEnoughDataError("customers are too much alike to part them")
    model = KMeans(CLUSTERS, n_init=STARTS, random_state=seed).fit((logs - mean) / spread)
    rank = CLUSTER_FEATURES.index(RANKED_BY)
    centres = sorted(model.cluster_centers_.tolist(), key=lambda c: (c[rank], c))
    mean, spread, *centres = (tuple(map(rounded, row)) for row in (mean, spread, *centres))
    return Clusters(CLUSTER_FEATURES, mean, spread, tuple(centres))


def _nothing(why: str) -> dict[str, Any]:
    return {"left_out": {"everything": why}}


def _share_told(clusters: Clusters, X: Floats) -> float:
    """The share of the variance between customers that lies between their clusters."""
    X = X[~np.isnan(X).any(axis=1)]
    logs = np.column_stack([signed_log(column) for column in X.T])
    Z = (logs - np.array(clusters.mean)) / np.array(clusters.spread)
    inside = Z - np.array(clusters.centres)[clusters.numbers(X) - 1]
    return round(1.0 - float((inside**2).sum() / (Z**2).sum()), 4)


def _correlation(days: Floats, amount: Floats) -> float:
    """Of purchase days and mean amount among repeat buyers; Gamma-Gamma takes it for 0."""
    again = days > 1
    if np.unique(days[again]).size < 2 or np.unique(amount[again]).size < 2:
        return 0.0
    return round(float(np.corrcoef(days[again], amount[again])[0, 1]), 4)


def _columns(X: Floats, names: tuple[str, ...]) -> Floats:
    return X[:, [NAMES.index(n) for n in names]]
