"""Fixtures of every room: the folder of real data, real servers, quiet telemetry, one thread."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

from domain.errors import NotFoundError
from domain.settings import CLOSED
from serving.print_pdf import browser
from tests.servers import MissingServerError, postgres_server, redis_server

os.environ.update(CLOSED)
os.environ.setdefault("FEAST_USAGE", "false")
os.environ.setdefault("LOKY_MAX_CPU_COUNT", str(os.cpu_count()))

COSTLY = ("trained", "bank", "spark")
"""Fixtures of a session that take long to make, the one of the longest tests first: the tests of
each run in one process. Spark's workers find the kernels that the others compiled."""
DATA = Path(os.environ.get("TIERLINE_DATA", Path(__file__).parents[1] / "../shared/data")).resolve()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of public data sets; skips, with a reason, where it is not on this machine."""
    if not DATA.is_dir():
        pytest.skip(
            f"no public data sets: set TIERLINE_DATA (looked for {DATA.name}/ beside the project)"
        )
    return DATA


@pytest.fixture(scope="session")
def redis_address() -> Iterator[str]:
    """The address of a real Redis; skips, with a reason, where none is installed, but in CI."""
    yield from _served(redis_server())


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """The address of a real PostgreSQL; skips where none is installed, but never in CI."""
    yield from _served(postgres_server())


@pytest.fixture(scope="session")
def java() -> str:
    """The program `java`; skips where none is installed, but never in CI."""
    return shutil.which("java") or _absent("no Java here: apt-get install default-jre-headless")


@pytest.fixture(scope="session")
def spark(java: str) -> Iterator[Any]:
    """Two worker processes of one core and 1024 MB; Java compiles for a short life, in half the
    time."""
    os.environ.update(
        SPARK_LOCAL_IP="127.0.0.1", SPARK_LOCAL_HOSTNAME="localhost", PYSPARK_PYTHON=sys.executable
    )
    from pyspark.sql import SparkSession

    short_lived = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .appName("tierline")
        .config("spark.driver.extraJavaOptions", short_lived)
        .config("spark.executor.extraJavaOptions", short_lived)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", str(Path(__file__).parents[1]))
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "500")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """An installed Chromium; skips where there is none, but never in CI."""
    try:
        return browser()
    except NotFoundError as e:
        _absent(str(e))


def required(library: str) -> ModuleType:
    """A library that tests need and the product does not; skips without it, but never in CI."""
    if not find_spec(library):
        _absent(f"no {library}: make test installs it, or uv pip install '.[peers]'")
    return import_module(library)


def _absent(said: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"CI installs its servers, and yet: {said}")
    pytest.skip(said)


def _served(server: AbstractContextManager[str]) -> Iterator[str]:
    try:
        address = server.__enter__()
    except MissingServerError as e:
        _absent(str(e))
    try:
        yield address
    finally:
        server.__exit__(None, None, None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests of a module run in one process, first those of modules that share what takes long, then
    those of modules with slow ones: nobody waits for a long group at the end."""
    shared: dict[str, str] = {}
    for item in items:
        for name, [*_, found] in item._fixtureinfo.name2fixturedefs.items():
            if name in COSTLY and found.scope == "session":
                shared[_module(item)] = name
    for item in items:
        item.add_marker(pytest.mark.xdist_group(shared.get(_module(item), _module(item))))
    slow = {_module(item) for item in items if item.get_closest_marker("slow")}

    def turn(item: pytest.Item) -> tuple[int, bool]:
        module = _module(item)
        return [*COSTLY, None].index(shared.get(module)), module not in slow

    items.sort(key=turn)


def _module(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A test on real data may be skipped only where there is none: a false pass is no pass."""
    report = yield
    if report.skipped and item.get_closest_marker("realdata") and DATA.is_dir():
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped although the public data sets are there"
    return report
