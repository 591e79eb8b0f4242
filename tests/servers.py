"""Real servers for tests and benchmarks: Redis and PostgreSQL on private ports, in folders of /tmp.

Enters: nothing. Leaves: addresses as the settings take them, while the context lasts. PostgreSQL
refuses to run as root, so there it runs as an unprivileged user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from domain.settings import CLOSED

PATIENCE = 60
PASSWORD = "not: a/secret"
"""With characters that an address must quote."""


class MissingServerError(Exception):
    """A server's program is not installed on this machine."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis with a password, nothing saved; its address."""
    program = shutil.which("redis-server")
    if program is None:
        raise MissingServerError("no redis-server here: apt-get install redis-server")
    port, password = free_port(), "secret"
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        options = {"port": port, "bind": "127.0.0.1", "dir": folder, "requirepass": password}
        command = [program, *(str(w) for k, v in options.items() for w in (f"--{k}", v))]
        command += ["--save", "", "--appendonly", "no"]
        with _running(command, {}):
            _wait(port)
            yield f"redis://127.0.0.1:{port},db=0,password={password}"


@contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL with a password; the address of its database `postgres`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    program = found[-1] if found else shutil.which("postgres")
    if program is None:
        raise MissingServerError("no PostgreSQL here: apt-get install postgresql")
    binaries, port = Path(program).parent, free_port()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    identity = _unprivileged(folder)
    try:
        secret = folder / "secret"
        secret.write_text(PASSWORD, encoding="ascii")
        secret.chmod(0o644)
        data = folder / "data"
        made: list[Path | str] = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "tierline",
            "-A",
            "scram-sha-256",
        ]
        made += ["--pwfile", secret, "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(
            [str(w) for w in made], cwd=folder, check=True, capture_output=True, **identity
        )
        command = [binaries / "postgres", "-D", data, "-p", port, "-k", folder]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        with _running([str(w) for w in command], {"cwd": folder, **identity}):
            _wait(port)
            quoted = PASSWORD.replace(":", "%3A").replace(" ", "%20").replace("/", "%2F")
            address = f"postgresql://tierline:{quoted}@127.0.0.1:{port}/postgres"
            _wait_for_postgres(address)
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def mlflow_server(database: str, folder: Path) -> Iterator[str]:
    """An MLflow server over a PostgreSQL database, its files in a folder; its address."""
    port = free_port()
    store = database.replace("postgresql://", "postgresql+psycopg://", 1)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store]
    command += ["--artifacts-destination", str(folder), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1"]
    closed = {**os.environ, **CLOSED, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with _running(command, {"env": closed, "cwd": folder}):
        _wait(port, 3 * PATIENCE)  # it makes all its tables first
        yield f"http://127.0.0.1:{port}"


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Who may run PostgreSQL, made the owner of its folder; nobody else where we are not root."""
    if os.geteuid() != 0:
        return {}
    names = {p.pw_name for p in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def _running(command: list[str], options: dict[str, Any]) -> Iterator[None]:
    """A process of our own for as long as the context lasts."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL: do not wait for who is connected
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, seconds: int = PATIENCE) -> None:
    for _ in range(seconds * 20):
        with socket.socket() as found:
            if found.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"no server answers on port {port}")


def _wait_for_postgres(address: str) -> None:
    import psycopg

    for _ in range(PATIENCE * 20):
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL does not start")
