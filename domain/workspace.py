"""Where things stand on disk for one source: paths only, nothing is opened or made here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from domain.errors import InputError
from domain.settings import TRACKING


@dataclass(frozen=True)
class Workspace:
    """One source's folder inside Tierline's home; runs and studies are shared by all sources.

    `tracking`: where MLflow keeps runs and bundles, by default as the environment says.
    """

    home: Path
    source: str
    tracking: str = field(default_factory=lambda: TRACKING.read(os.environ))

    @property
    def root(self) -> Path:
        """Everything of this source."""
        return self.home / self.source

    @property
    def dataset(self) -> Path:
        """Checked tables."""
        return self.root / "dataset"

    @property
    def features(self) -> Path:
        """Feast: panels, registry, online store."""
        return self.root / "features"

    @property
    def parts(self) -> Path:
        """Finished parts of a panel that is being computed."""
        return self.root / "parts"

    @property
    def bundles(self) -> Path:
        """Bundles, one folder a content hash."""
        return self.root / "bundles"

    @property
    def deployments(self) -> Path:
        """The append-only log of what was live when."""
        return self.root / "deployments.jsonl"

    @property
    def trainings(self) -> Path:
        """The append-only log of who trained which bundle."""
        return self.root / "trainings.jsonl"

    @property
    def approvals(self) -> Path:
        """The append-only log of who signed which report."""
        return self.root / "approvals.jsonl"

    @property
    def reports(self) -> Path:
        """Reports of bundles, one file a hash."""
        return self.root / "reports"

    @property
    def policies(self) -> Path:
        """Policies that decided here, one file a hash."""
        return self.root / "policies"

    @property
    def certificates(self) -> Path:
        """Certificates of parity, one file a hash."""
        return self.root / "certificates"

    @property
    def arrivals(self) -> Path:
        """Events that were pushed since the data set was made."""
        return self.root / "arrivals.db"

    @property
    def decisions(self) -> Path:
        """The decision record."""
        return self.root / "decisions.db"

    @property
    def tracking_uri(self) -> str:
        """MLflow's backend, shared by all sources.

        Raises:
            InputError: neither `sqlite` nor an address of a server; or one with a password in it.
        """
        if self.has_server:
            return self.tracking
        return f"sqlite:///{(self.home / 'mlflow.db').resolve()}"

    @property
    def has_server(self) -> bool:
        """Whether an MLflow server keeps the runs, and says where their files stand.

        Raises:
            InputError: as `tracking_uri`.
        """
        if self.tracking == TRACKING.default:
            return False
        if re.fullmatch(r"https?://[^@\s]+", self.tracking):
            return True
        raise InputError(
            f"{TRACKING.variable} names neither {TRACKING.default} nor http(s)://host:port: give "
            "one of them, user and password in MLFLOW_TRACKING_USERNAME and _PASSWORD"
        )

    @property
    def artifacts_uri(self) -> str:
        """MLflow's artifacts on this machine, shared by all sources."""
        return (self.home / "mlartifacts").resolve().as_uri()

    @property
    def studies_url(self) -> str:
        """Optuna's storage, shared by all sources."""
        return f"sqlite:///{(self.home / 'studies.db').resolve()}"
