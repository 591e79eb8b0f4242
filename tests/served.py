"""The service as `tierline serve` starts it, in processes of its own, to be asked over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from tests.servers import free_port

ROOT = Path(__file__).parents[1]
PATIENCE = 90


@contextmanager
def service(
    home: Path,
    log: Path,
    source: str = "bank",
    root: Path = ROOT,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[tuple[str, subprocess.Popen]]:
    """`tierline serve` of the sources in `root`; its address, which may not be ready yet."""
    port = free_port()
    command = [sys.executable, str(root / "cli.py"), "--home", str(home), "serve",
               "--source", source, "--port", str(port)]  # fmt: skip
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=root, stdout=out, stderr=out,
            env={**environ, "TIERLINE_STALE_DAYS": "100000"},
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    """SIGKILL to the command, the server and its workers, which have a session of their own."""
    try:
        command = psutil.Process(process.pid)
        everybody = [*command.children(recursive=True), command]
    except psutil.NoSuchProcess:
        return
    for each in everybody:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait(timeout=30)
    psutil.wait_procs(everybody, timeout=30)


def wait_until_ready(address: str, process: subprocess.Popen) -> bool:
    """Whether it answers; False as soon as it ended, or after all patience."""
    for _ in range(PATIENCE * 10):
        if process.poll() is not None:
            return False
        if ready(address):
            return True
        time.sleep(0.1)
    return False


def ready(address: str) -> bool:
    """Whether it takes requests now; with no certificates read, which costs more than asking."""
    try:
        return httpx.get(f"{address}/readyz", timeout=2, verify=False).status_code == 200
    except httpx.TransportError:
        return False
