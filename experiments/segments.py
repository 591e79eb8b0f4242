"""What the segments say on public data: the tables of docs/segments.md.

    python -m experiments.segments

Enters: `online_retail_ii` in the folder of public data sets, and CDNOW where the extra `bench` is
installed (the package lifetimes ships it). Leaves: the generated part of the page: for each segment
its share, and what its customers did in the 90 days to come; the models of buying against what
came; the parameters of CDNOW beside the published ones.
"""

from __future__ import annotations

import csv
import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from domain.segments import RFM_SEGMENTS
from domain.settings import DATA
from domain.workspace import Workspace
from events.dataset import Dataset
from events.ingest import ingest
from events.readers import SOURCES
from features.panel import compute
from features.panel_files import matrix
from scoring.segments import Fitted
from training import metrics
from training.buy_till_die import fit_bg_nbd, fit_gamma_gamma
from training.segments import NAMES, Learnt, cohort, fit
from training.targets import grids, labels

PAGE = Path(__file__).parents[1] / "docs/segments.md"
BEGIN, END = "<!-- generated: segments -->", "<!-- /generated -->"
SOURCE = "online_retail_ii"
PUBLISHED = {
    "r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426, "p": 6.25, "q": 3.74, "v": 15.44,
}  # fmt: skip
HEAD = ("segment", "test rows", "share", "bought again", "mean spend in 90 days", "share of spend")
Floats = NDArray[np.float64]


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
def main(data: str) -> None:
    """Fit the segments of the retailer and write docs/segments.md."""
    with tempfile.TemporaryDirectory() as folder:
        dataset, _ = ingest(
            SOURCES[SOURCE], Path(data) / SOURCE, Workspace(Path(folder), SOURCE).dataset
        )
        lines = [BEGIN, "", *retailer(dataset), "", *cdnow(), "", END]
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(before + "\n".join(lines) + rest.partition(END)[2], encoding="utf-8")


def learnt(dataset: Dataset) -> Learnt:
    """What a run would fit on the data set, without keeping its features."""
    asked = cohort(dataset)
    if asked is None:
        raise click.ClickException(f"{dataset.source} has no purchases to learn from")
    return fit(matrix(compute(dataset, asked), NAMES), Fitted(90, dataset.plan.currency), 20261122)


def to_come(dataset: Dataset) -> tuple[Floats, Floats, Floats]:
    """The test rows: features (n, k) of `NAMES`, spend in the horizon, and whether they bought."""
    test = grids(dataset)[1]
    value, churn = (labels(dataset, t, test) for t in ("value", "churn"))
    if not value.select(["customer_id", "as_of"]).equals(churn.select(["customer_id", "as_of"])):
        raise click.ClickException("value and churn have other cohorts: compare them apart")
    panel = compute(dataset, value.select(["customer_id", "as_of"]))
    return matrix(panel, NAMES), value["y"].to_numpy(), churn["y"].to_numpy()


def retailer(dataset: Dataset) -> Iterator[str]:
    """Segments, clusters and buying model on test rows that nothing was fitted on."""
    found = learnt(dataset)
    fitted = found.fitted
    if fitted is None or fitted.rfm is None or fitted.clusters is None or fitted.spending is None:
        raise click.ClickException(f"left out: {found.told['left_out']}")
    X, spend, bought = to_come(dataset)
    rows = fitted.rows(NAMES, X)
    names = np.array([s.rfm.segment.name if s and s.rfm else "" for s, _ in rows])
    numbers = np.array([s.cluster.en if s and s.cluster else "" for s, _ in rows])
    yield f"Fitted on {found.told['customers']:,} customers; {len(X):,} test rows of two dates."
    yield ""
    yield from _table("RFM", [n for n in RFM_SEGMENTS if (names == n).any()], names, spend, bought)
    yield ""
    yield from _table("cluster", sorted({*numbers}), numbers, spend, bought)
    yield ""
    told = np.array([(b.p_no_purchase, b.amount) if b else (None, None) for _, b in rows], float)
    none, amount = told.T
    tier = fitted.rfm.scores(X[:, :3]).sum(axis=1).astype(np.float64)
    yield "| on the same rows | buying model | RFM tier | recency |"
    yield "|---|---|---|---|"
    for name, measure, truth, model in (
        ("churn, AUC", metrics.auc, bought, -none),
        ("value, Spearman", metrics.spearman, spend, amount),
    ):
        figures = [measure(truth, s)(np.ones(len(X))) for s in (model, tier, -X[:, 0])]
        yield f"| {name} | " + " | ".join(f"{v:.3f}" for v in figures) + " |"
    yield ""
    yield (
        f"The mean chance of no purchase is {none.mean():.3f}, seen were {1 - bought.mean():.3f}; "
        f"the expected spend sums to {amount.sum() / spend.sum():.2f} of what came."
    )


def cdnow() -> Iterator[str]:
    """The parameters of CDNOW beside the published ones."""
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise click.ClickException("CDNOW comes with the extra `bench`: install it")
    file = Path(spec.origin).parent / "datasets/cdnow_customers_summary_with_transactions.csv"
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    x, t_x, age, mean = (np.array([float(r[k]) for r in rows]) for k in ("x", "t_x", "T", "zbar"))
    m, g = fit_bg_nbd(x, t_x, age), fit_gamma_gamma(x[x > 0], mean[x > 0])
    ours = {"r": m.r, "alpha": m.alpha, "a": m.a, "b": m.b, "p": g.p, "q": g.q, "v": g.v}
    yield "| CDNOW | " + " | ".join(PUBLISHED) + " |"
    yield "|---" * (1 + len(PUBLISHED)) + "|"
    yield "| published | " + " | ".join(f"{v:g}" for v in PUBLISHED.values()) + " |"
    yield "| fitted here | " + " | ".join(f"{ours[n]:.4g}" for n in PUBLISHED) + " |"


def _table(
    kind: str, names: list[str], of: NDArray[np.str_], spend: Floats, bought: Floats
) -> Iterator[str]:
    yield "| " + " | ".join((kind, *HEAD[1:])) + " |"
    yield "|---" * len(HEAD) + "|"
    for name in names:
        mine = of == name
        yield (
            f"| {name} | {mine.sum():,} | {mine.mean():.0%} | {bought[mine].mean():.0%} | "
            f"{spend[mine].mean():,.0f} | {spend[mine].sum() / spend.sum():.0%} |"
        )


if __name__ == "__main__":
    main()
