"""Every setting of Tierline: one line each, read from the environment, shown in `--help` and docs.

Enters: an environment mapping. Leaves: typed values. It reads no environment by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import InputError


@dataclass(frozen=True)
class Setting:
    """A named value with its default and what it does; a default of "" means unset."""

    name: str
    default: str
    text: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"TIERLINE_{self.name.upper()}"

    def read(self, environ: Mapping[str, str]) -> str:
        """Its value as text: the environment's, else the default."""
        return environ.get(self.variable, self.default)

    def number(self, environ: Mapping[str, str]) -> int:
        """Its value as a whole number.

        Raises:
            InputError: the environment holds something else.
        """
        found = self.read(environ)
        if not found.isdecimal():
            raise InputError(f"{self.variable}={found!r} is not a whole number: give digits only")
        return int(found)


HOME = Setting("home", ".tierline", "folder that holds data, features, bundles, runs and decisions")
SOURCE = Setting("source", "bank", "the source whose bundle decides and is served")
DATA = Setting("data", "../shared/data", "folder of the public data sets")
HOST = Setting("host", "127.0.0.1", "address the service listens on")
PORT = Setting("port", "3000", "port the service listens on")
TOKEN = Setting("token", "", "bearer token the service asks for; unset: none, loopback only")
MAX_BODY_BYTES = Setting("max_body_bytes", "2000000", "largest request body the service reads")
STALE_DAYS = Setting("stale_days", "35", "features older than so many days make an answer stale")
REASONS = Setting("reasons", "5", "reasons listed for each score; the rest is summed as other")
ONLINE = Setting(
    "online",
    "sqlite",
    "online store: sqlite, redis://host:port or postgresql://user:pw@host:port/db",
)
REGISTRY = Setting(
    "registry",
    "file",
    "Feast's registry: file, or postgresql://user:pw@host:port/db that a team shares",
)
DATABASE_PASSWORD = Setting(
    "database_password", "", "password of the database that a mapping names; never written down"
)
TRACKING = Setting(
    "tracking", "sqlite", "MLflow's store: sqlite, or the http(s) address of an MLflow server"
)
STUDIES = Setting(
    "studies",
    "sqlite",
    "where studies stand: sqlite or journal (in the home), sqlite:///FILE, journal:///FILE or "
    "postgresql://user:pw@host:port/db, which several workers share",
)
POLICY = Setting("policy", "", "policy file that decides; unset: the packaged one")
LANG = Setting("lang", "en", "language of the texts in the terminal: en or zh")
SEED = Setting("seed", "20261122", "seed of every random choice")

SETTINGS = (
    POLICY,
    HOME,
    SOURCE,
    DATA,
    HOST,
    PORT,
    TOKEN,
    MAX_BODY_BYTES,
    STALE_DAYS,
    REASONS,
    ONLINE,
    REGISTRY,
    TRACKING,
    STUDIES,
    LANG,
    DATABASE_PASSWORD,
    SEED,
)

CLOSED = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "BENTOML_DO_NOT_TRACK": "true",
}
"""What the environment of every process of ours says, whatever it said before: MLflow reads no
pickle, and nobody is told that we run."""
