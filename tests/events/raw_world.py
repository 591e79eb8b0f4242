"""Folders of raw CSV files, small and right, for tests to spoil."""

from __future__ import annotations

from pathlib import Path

from domain.asof import parse_instant
from domain.plan import StudyPlan, TargetPlan
from events.dataset import Dataset
from events.ingest import Report, ingest
from events.readers import SOURCES

NOW = parse_instant("2025-01-01")
CUSTOMERS = (
    "customer_id,happened_at,known_at,birth_on,dependants\n"
    "c1,2024-01-01T00:00:00Z,2024-01-01T00:00:00Z,1980-05-06,2\n"
)
HEAD = "customer_id,happened_at,known_at,event_id,kind,amount\n"
PLAN = StudyPlan(
    split="customer", split_key="raw:1", currency="EUR",
    targets={"value": TargetPlan(horizon_days=30)},
)  # fmt: skip


def line(
    event: str, *, customer: str = "c1", at: str = "2024-03-01T10:00:00Z", known: str = "",
    kind: str = "purchase", amount: str = "10.5",
) -> str:  # fmt: skip
    """One transaction, right unless something is given."""
    return f"{customer},{at},{known or at},{event},{kind},{amount}\n"


def good(count: int = 40) -> str:
    """So many right transactions: enough that a few bad ones are no fifth."""
    return "".join(line(f"g{i}", customer=f"c{i % 7}") for i in range(count))


def folder(root: Path, transactions: str | bytes = "", *, customers: str = CUSTOMERS) -> Path:
    """A folder with both tables and a plan."""
    root.mkdir(parents=True, exist_ok=True)
    data = transactions if isinstance(transactions, bytes) else transactions.encode()
    (root / "transactions.csv").write_bytes(data)
    (root / "customers.csv").write_text(customers, encoding="utf-8")
    (root / "plan.json").write_text(PLAN.model_dump_json(), encoding="utf-8")
    return root


def take(data: Path, out: Path) -> tuple[Dataset, Report]:
    """The folder taken in on the first of January 2025."""
    return ingest(SOURCES["folder"], data, out, now=NOW)
