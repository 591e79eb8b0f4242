"""What is fitted beside the scorers: JSON and back, strictly; each row alone, bit for bit (I4)."""

from __future__ import annotations

import copy
import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BundleError, InputError
from domain.segments import rfm_segment
from scoring.buy_till_die import BgNbd, GammaGamma
from scoring.clusters import Clusters
from scoring.rfm import Rfm
from scoring.segments import Fitted, read_segments, segments_json, tags

FITTED = Fitted(
    horizon_days=90,
    currency="GBP",
    rfm=Rfm((10.0, 30.0, 60.0, 200.0), (1.0, 2.0, 3.0, 5.0), (50.0, 100.0, 400.0, 900.0)),
    clusters=Clusters(
        ("purchase_recency_days", "spend_sum_365d"), (4.0, 6.0), (1.0, 2.0),
        ((1.0, -1.0), (0.2, 0.1), (-1.0, 1.0)),
    ),
    buying=BgNbd(0.7, 60.0, 0.8, 3.0),
    spending=GammaGamma(2.0, 3.7, 500.0),
)  # fmt: skip
NAMES = FITTED.names
VALUE = st.none() | st.floats(0, 3000) | st.floats(allow_nan=False, allow_infinity=False)


def history(**changes: float) -> np.ndarray:
    """One good customer: six purchase days in 300 days, the last 20 days ago."""
    row = {
        "purchase_recency_days": 20.0, "purchase_count_365d": 7.0, "spend_sum_365d": 600.0,
        "active_days_ever": 6.0, "purchase_span_days": 280.0, "purchase_tenure_days": 300.0,
        "spend_sum_ever": 600.0,
    } | changes  # fmt: skip
    return np.array([[row[n] for n in NAMES]])


def golden(seed: int = 1) -> np.ndarray:
    rows = np.repeat(history(), 12, axis=0) * np.random.default_rng(seed).uniform(0.5, 1, (12, 1))
    rows[:, NAMES.index("active_days_ever")] = np.arange(1.0, 13.0)
    rows[3, 0] = np.nan
    return rows


@pytest.fixture
def content() -> dict:
    return json.loads(json.dumps(segments_json(FITTED, golden())))


def test_a_customer_gets_scores_a_segment_a_cluster_and_what_to_expect():
    [(segments, baseline)] = FITTED.rows(NAMES, history())
    rfm = segments.rfm
    assert (rfm.recency, rfm.frequency, rfm.money) == (4, 5, 4)
    assert rfm.segment.name == rfm_segment(4, 5, 4) == "loyal"
    assert segments.cluster.name == "cluster_3"
    assert [t.name for t in tags(segments)] == ["rfm_loyal", "cluster_3"]
    days = FITTED.buying.purchases(5.0, 280.0, 300.0, 90.0)
    assert baseline.purchase_days == days
    assert baseline.amount == days * FITTED.spending.mean(6.0, 100.0)
    assert baseline.p_no_purchase == FITTED.buying.p_no_purchase(5.0, 280.0, 300.0, 90.0)
    assert (baseline.horizon_days, baseline.currency) == (90, "GBP")


def test_one_who_never_bought_has_neither_segments_nor_a_baseline():
    nobody = np.full((1, len(NAMES)), np.nan)
    assert FITTED.rows(NAMES, nobody) == [(None, None)]
    assert tags(None) == []
    assert FITTED.rows(NAMES, nobody[:0]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"active_days_ever": 0.0},
        {"active_days_ever": 2.5},
        {"active_days_ever": 303.0},
        {"purchase_span_days": 301.0},
        {"purchase_span_days": -1.0},
        {"purchase_tenure_days": 1e6},
        {"purchase_tenure_days": math.nan},
    ],
)
def test_a_history_that_nobody_can_have_has_no_baseline(changes):
    [(_, baseline)] = FITTED.rows(NAMES, history(**changes))
    assert baseline is None


@pytest.mark.parametrize("spend", [math.nan, 1e16, -1e300])
def test_an_amount_that_is_not_known_or_nobodys_is_null(spend):
    [(_, baseline)] = FITTED.rows(NAMES, history(spend_sum_ever=spend))
    assert baseline.amount is None
    assert baseline.purchase_days > 0


@given(st.lists(st.tuples(*[VALUE] * len(NAMES)), min_size=1, max_size=12), st.randoms())
def test_a_row_answers_alike_in_any_company_and_always_finitely(rows, random):
    X = np.array(rows, dtype=np.float64)
    whole = FITTED.rows(NAMES, X)
    order = list(range(len(X)))
    random.shuffle(order)
    assert FITTED.rows(NAMES, X[order]) == [whole[i] for i in order]
    assert FITTED.rows(NAMES[::-1], X[:, ::-1]) == whole
    assert [FITTED.rows(NAMES, row[None])[0] for row in X] == whole
    for segments, baseline in whole:
        for part in (segments, baseline):
            json.dumps(part and part.model_dump(mode="json"), allow_nan=False)


def test_what_was_not_fitted_is_left_out():
    rfm = Fitted(90, "GBP", rfm=FITTED.rfm)
    assert rfm.names == ("purchase_recency_days", "purchase_count_365d", "spend_sum_365d")
    [(segments, baseline)] = rfm.rows(NAMES, history())
    assert (segments.cluster, baseline) == (None, None)
    days = Fitted(90, "GBP", buying=FITTED.buying)
    [(segments, baseline)] = days.rows(NAMES, history())
    assert (segments, baseline.amount) == (None, None)


def test_amounts_without_purchases_and_no_horizon_are_refused():
    with pytest.raises(InputError, match="amounts need purchases"):
        Fitted(90, "GBP", spending=FITTED.spending)
    with pytest.raises(InputError, match="horizon"):
        Fitted(0, "GBP")


@pytest.mark.parametrize(
    "fitted", [FITTED, Fitted(30, "CZK", rfm=FITTED.rfm), Fitted(1, "X", buying=FITTED.buying)]
)
def test_json_brings_every_parameter_back(fitted):
    place = [NAMES.index(n) for n in fitted.names]
    told = json.loads(json.dumps(segments_json(fitted, golden()[:, place])))
    assert read_segments(told) == fitted


def test_a_bundle_without_segments_has_none():
    assert read_segments(None) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("more", 1),
        ("format", 2),
        ("fitted.more", 1),
        ("fitted.rfm.more", 1),
        ("fitted.buying.r", "0.7"),
        ("fitted.buying.r", -0.7),
        ("fitted.buying.r", True),
        ("fitted.spending.q", 0.5),
        ("fitted.rfm.recency", [1.0, 2.0]),
        ("fitted.rfm.money", [4.0, 3.0, 2.0, 1.0]),
        ("fitted.clusters.centres", []),
        ("fitted.clusters.features", ["age", "spend_sum_365d"]),
        ("fitted.horizon_days", 90.5),
        ("fitted.horizon_days", 0),
        ("fitted.buying", None),
        ("names", ["purchase_recency_days"]),
        ("rows", [[1.0]]),
        ("answers", []),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(content, path, value):
    *folders, last = path.split(".")
    place = content
    for folder in folders:
        place = place[folder]
    place[last] = value
    with pytest.raises(BundleError, match=r"segments\.json"):
        read_segments(content)


@pytest.mark.parametrize("key", ["fitted", "rows", "names", "answers", "format"])
def test_a_file_that_lacks_a_key_is_refused(content, key):
    del content[key]
    with pytest.raises(BundleError, match="breaks rules"):
        read_segments(content)


def test_a_number_that_is_not_finite_is_refused(content):
    content["fitted"]["buying"]["r"] = math.nan
    with pytest.raises(BundleError, match="JSON"):
        read_segments(content)


def test_golden_rows_are_repeated_but_for_the_last_digits(content):
    last = copy.deepcopy(content)
    last["answers"][0][1]["purchase_days"] *= 1 + 1e-12
    assert read_segments(last) == FITTED
    other = copy.deepcopy(content)
    other["fitted"]["buying"]["r"] *= 1 + 1e-6
    with pytest.raises(BundleError, match="not repeated"):
        read_segments(other)
    other = copy.deepcopy(content)
    other["answers"][0][0]["rfm"]["recency"] = 1
    with pytest.raises(BundleError, match="not repeated"):
        read_segments(other)


def test_it_stands_in_a_bundle_under_the_hash_of_all(kit, scorers, tmp_path, content):
    from scoring.bundle import load_bundle, write_bundle

    rows = {t: kit.rows(5, 9) for t in scorers}
    card = kit.card("value", "churn")
    plain = write_bundle(tmp_path, scorers, kit.catalogue(), card, rows)
    made = write_bundle(tmp_path, scorers, kit.catalogue(), card, rows, {"segments": content})
    assert made.hash != plain.hash
    assert read_segments(load_bundle(made.path, made.hash).beside["segments"]) == FITTED
    assert read_segments(plain.beside.get("segments")) is None
    file = made.path / "segments.json"
    file.write_text(file.read_text("utf-8").replace("0.7", "0.8", 1), "utf-8")
    with pytest.raises(BundleError, match=r"segments\.json is damaged"):
        load_bundle(made.path, made.hash)


def test_other_cuts_are_another_hash(content):
    other = dataclasses.replace(FITTED, rfm=dataclasses.replace(FITTED.rfm, money=(1, 2, 3, 4.0)))
    assert segments_json(other, golden()) != content
