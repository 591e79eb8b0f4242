"""The book scored on a cluster: Spark parts the panel, every worker scores with the same bits.

Enters: a Spark frame of the panel, as `features.spark` gives it, and a checked bundle. Leaves: a
frame with the columns of `scoring.book`, its rows in no order. Needs the extra `spark`; nothing
else in Tierline imports this module. The workers need Tierline installed or on their PYTHONPATH,
and no file: the boosters travel as text. Before its first row a worker repeats the bundle's golden
predictions, so a machine that answers otherwise ends the job and never mixes into the book.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from domain.decision import canonical_json
from domain.errors import BundleError
from domain.tiers import Target
from events.schema import INSTANT
from features.views import AS_OF, ENTITY_KEY
from scoring.book import features_of, score_rows
from scoring.bundle import Bundle
from scoring.golden import first_difference
from scoring.scorer import Scorer, scorer_from

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def score_on_spark(panel: DataFrame, bundle: Bundle) -> DataFrame:
    """The scores of every row of a panel.

    The session's time zone (`spark.sql.session.timeZone`) must be UTC.
    """
    scorers = bundle.scorers
    columns = [ENTITY_KEY, AS_OF, *(f"`{name}`" for name in features_of(scorers))]
    wanted = [f"{ENTITY_KEY} string", f"{AS_OF} timestamp"]
    for target, scorer in scorers.items():
        reasons = ", ".join(f"`{name}`: bigint" for name in scorer.features)
        wanted += [f"{target}_points bigint", f"{target}_base bigint"]
        wanted += [f"{target}_reasons struct<{reasons}>"]
    return panel.select(*columns).mapInArrow(_worker(job_of(bundle)), ", ".join(wanted))


def job_of(bundle: Bundle) -> str:
    """What a worker must know of a bundle, as JSON: text, fields and golden answers by target."""
    return canonical_json(
        {
            target: {
                "text": scorer.booster_text,
                "scorer": scorer.fields(),
                "golden": bundle.golden[target],
            }
            for target, scorer in bundle.scorers.items()
        }
    )


@lru_cache(maxsize=1)
def scorers_of(job: str) -> Mapping[Target, Scorer]:
    """The scorers of a job, opened once a worker.

    Raises:
        BundleError: this machine does not repeat the golden predictions.
    """
    scorers: dict[Target, Scorer] = {}
    for target, given in json.loads(job).items():
        scorer = scorer_from(given["scorer"], given["text"])
        found = first_difference(scorer, given["golden"])
        if found is not None:
            raise BundleError(
                f"a worker does not repeat the golden predictions of {target} ({found}): give it "
                "the environment of the lock"
            )
        scorers[target] = scorer
    return scorers


def _worker(job: str) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What runs on the workers."""

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield score_batch(batch, scorers_of(job))

    return work


def score_batch(batch: pa.RecordBatch, scorers: Mapping[Target, Scorer]) -> pa.RecordBatch:
    """The scores of one batch of a panel; null is missing."""
    keys = batch[ENTITY_KEY].cast(pa.string()), batch[AS_OF].cast(INSTANT)
    return score_rows(scorers, *keys, lambda name: batch[name].to_numpy(zero_copy_only=False))
