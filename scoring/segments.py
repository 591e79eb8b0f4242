"""Segments and baselines: everything that is fitted beside the scorers, as one JSON object.

Enters: feature values under their names, NaN where missing; or the JSON of a bundle. Leaves: for
each customer the RFM scores, the cluster and what a model of buying expects, each a function of
the row alone (I4). It fits nothing, see `training/segments.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError

from domain.decision import BuyingBaseline, RfmScores, Segments, canonical_json
from domain.errors import BundleError, InputError, broken
from domain.policy import Labelled
from domain.segments import RFM_SEGMENTS, rfm_segment
from scoring.buy_till_die import BgNbd, GammaGamma
from scoring.clusters import Clusters
from scoring.rfm import RFM_FEATURES, Rfm

BUYING_FEATURES = (
    "active_days_ever", "purchase_span_days", "purchase_tenure_days", "spend_sum_ever",
)  # fmt: skip
LONGEST_DAYS, LARGEST_AMOUNT = 36_525.0, 1e15
"""Longer histories and larger sums are nobody's: they have no baseline."""
DIGITS = 1e-9
"""Golden answers may differ by so much: libraries of mathematics round the last digit otherwise."""
Floats = NDArray[np.float64]
Row = tuple[Segments | None, BuyingBaseline | None]


@dataclass(frozen=True)
class Fitted:
    """What was fitted on one source; None what could not be. `horizon_days` is the baseline's.

    Raises:
        InputError: amounts without purchases, or no horizon.
    """

    horizon_days: int
    currency: str
    rfm: Rfm | None = None
    clusters: Clusters | None = None
    buying: BgNbd | None = None
    spending: GammaGamma | None = None

    def __post_init__(self) -> None:
        if self.horizon_days < 1 or (self.spending is not None and self.buying is None):
            raise InputError("a baseline needs a horizon, and amounts need purchases beside them")

    @property
    def names(self) -> tuple[str, ...]:
        """Every feature that is read."""
        used = [
            *(RFM_FEATURES if self.rfm else ()),
            *(self.clusters.features if self.clusters else ()),
            *(BUYING_FEATURES if self.buying else ()),
        ]
        return tuple(dict.fromkeys(used))

    def rows(self, names: Sequence[str], values: Floats) -> list[Row]:
        """Segments and baseline of each row of `values` (n, k), columns as in `names`."""
        of = {n: np.ascontiguousarray(values[:, j]) for j, n in enumerate(names)}
        nobody = np.zeros((len(values), 3), dtype=np.int64)
        scores, numbers = nobody, nobody[:, 0]
        if self.rfm is not None:
            scores = self.rfm.scores(_take(of, RFM_FEATURES))
        if self.clusters is not None:
            numbers = self.clusters.numbers(_take(of, self.clusters.features))
        segments = [
            self._segments(*row) for row in zip(scores.tolist(), numbers.tolist(), strict=True)
        ]
        if self.buying is None:
            return [(found, None) for found in segments]
        histories = _take(of, BUYING_FEATURES).tolist()
        return [(s, self.baseline(*h)) for s, h in zip(segments, histories, strict=True)]

    def baseline(
        self, active_days: float, span_days: float, age: float, spend: float
    ) -> BuyingBaseline | None:
        """What to expect of one history; None where it is missing or nobody's."""
        x = active_days - 1.0
        if self.buying is None or not (
            0.0 <= span_days <= age <= LONGEST_DAYS and 0.0 <= x <= age + 1.0 and x.is_integer()
        ):
            return None
        history = (x, span_days, age)
        purchases = self.buying.purchases(*history, self.horizon_days)
        amount = None
        if self.spending is not None and abs(spend) <= LARGEST_AMOUNT:
            amount = purchases * self.spending.mean(active_days, spend / active_days)
        return BuyingBaseline(
            p_alive=self.buying.p_alive(*history),
            p_no_purchase=self.buying.p_no_purchase(*history, self.horizon_days),
            purchase_days=purchases,
            amount=amount,
            currency=self.currency,
            horizon_days=self.horizon_days,
        )

    def _segments(self, scores: list[int], number: int) -> Segments | None:
        rfm = None
        if scores[0]:
            recency, frequency, money = scores
            label = _label(rfm_segment(*scores))
            rfm = RfmScores(recency=recency, frequency=frequency, money=money, segment=label)
        cluster = self.clusters.labels[number - 1] if self.clusters is not None and number else None
        return None if rfm is None and cluster is None else Segments(rfm=rfm, cluster=cluster)


@cache
def _label(name: str) -> Labelled:
    zh, en = RFM_SEGMENTS[name]
    return Labelled(name=name, zh=zh, en=en)


def tags(segments: Segments | None) -> list[Labelled]:
    """The segments as tags: `rfm_<segment>` and `cluster_<number>`."""
    if segments is None:
        return []
    found = [] if segments.cluster is None else [segments.cluster]
    if segments.rfm is None:
        return found
    label = segments.rfm.segment
    return [label.model_copy(update={"name": f"rfm_{label.name}"}), *found]


@dataclass(frozen=True)
class _File:
    """`segments.json`: what was fitted, and golden rows with their answers."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    format: Literal[1]
    fitted: Fitted
    names: tuple[str, ...]
    rows: tuple[tuple[float | None, ...], ...]
    answers: tuple[tuple[dict[str, Any] | None, dict[str, Any] | None], ...]


def segments_json(fitted: Fitted, X: Floats) -> dict[str, Any]:
    """What was fitted and its answers on golden rows (n, k) of `fitted.names`, as plain JSON."""
    return {
        "format": 1,
        "fitted": asdict(fitted),
        "names": list(fitted.names),
        "rows": [[None if np.isnan(v) else v for v in row] for row in X.tolist()],
        "answers": _answers(fitted, fitted.names, X),
    }


def read_segments(content: Mapping[str, Any] | None) -> Fitted | None:
    """The checked parameters of a bundle's `segments.json`; None where a bundle has none.

    Raises:
        BundleError: keys missing, unknown or of the wrong kind, parameters that are none, or golden
            rows that are not repeated.
    """
    if content is None:
        return None
    try:
        file = TypeAdapter(_File).validate_json(canonical_json(content))
    except ValidationError as e:
        raise broken("segments.json", e) from None
    except (InputError, ValueError) as e:
        raise BundleError(f"segments.json: {e}; train again") from None
    rows = [[np.nan if v is None else v for v in row] for row in file.rows]
    if file.names != file.fitted.names or any(len(row) != len(file.names) for row in rows):
        raise BundleError("segments.json: its golden rows have other columns: train again")
    found = _answers(file.fitted, file.names, np.array(rows).reshape(-1, len(file.names)))
    if not _same(found, [list(pair) for pair in file.answers]):
        raise BundleError("segments.json: its golden rows are not repeated: use another bundle")
    return file.fitted


def _answers(fitted: Fitted, names: Sequence[str], X: Floats) -> list[list[Any]]:
    return [
        [None if part is None else part.model_dump(mode="json") for part in row]
        for row in fitted.rows(names, X)
    ]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return {*a} == {*b} and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= DIGITS * max(1.0, abs(a))
    return bool(a == b)


def _take(of: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    return np.column_stack([of[n] for n in names])
