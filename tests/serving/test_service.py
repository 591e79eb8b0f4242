"""The running service: BentoML in a process of its own, asked over HTTP, killed, damaged."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import httpx
import psutil
import pytest

from domain.workspace import Workspace
from serving.record import DecisionLog
from tests.served import PATIENCE, ROOT, kill, ready, service, wait_until_ready


@pytest.fixture(scope="module")
def own(bank, tmp_path_factory) -> Workspace:
    """A workspace that the service of this module writes into."""
    found = Workspace(tmp_path_factory.mktemp("service") / "home", "bank")
    found.root.mkdir(parents=True)
    for name in ("bundles", "features", "dataset"):
        (found.root / name).symlink_to(bank.root / name)
    for file in bank.root.glob("deployments*"):
        (found.root / file.name).write_bytes(file.read_bytes())
    return found


def test_it_answers_tells_how_it_is_and_loses_nothing_when_killed(own, customers, tmp_path):
    told: list[str] = []

    def ask(address: str) -> None:
        with httpx.Client(base_url=address, timeout=30) as client:
            for i in range(500):
                body = {"customer_ids": [customers[i % 50]], "purpose": "crm"}
                try:
                    answer = client.post("/v1/decisions", json=body)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    told.extend(d["decision_id"] for d in answer.json()["decisions"])

    with service(own.home, tmp_path / "log") as (address, process):
        assert wait_until_ready(address, process), (tmp_path / "log").read_text()
        assert httpx.get(f"{address}/livez").status_code == 200
        answer = httpx.post(
            f"{address}/v1/decisions", json={"customer_ids": [customers[0]], "purpose": "crm"}
        )
        [made] = answer.json()["decisions"]
        assert httpx.get(f"{address}/v1/decisions/{made['decision_id']}").json() == made
        assert httpx.get(f"{address}/v1/decisions/{customers[0]}").status_code == 404
        bad = httpx.post(
            f"{address}/v1/decisions", content=b"{", headers={"content-type": "application/json"}
        )
        assert (bad.status_code, bad.json()["error"]["code"]) == (400, "not_json")
        metrics = httpx.get(f"{address}/metrics").text
        assert 'tierline_decisions_total{status="' in metrics
        assert httpx.get(f"{address}/docs").json()["error"]["code"] == "no_route"
        assert customers[0] not in metrics
        threads = [threading.Thread(target=ask, args=(address,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        while len(told) < 25:
            time.sleep(0.05)
        kill(process)
        for thread in threads:
            thread.join()
    log = DecisionLog(own.decisions)
    assert log.verify() >= len(told) + 1
    for decision_id in [made["decision_id"], *told]:
        assert log.get(decision_id).decision.decision_id == decision_id
    said = (tmp_path / "log").read_text()
    assert "POST /v1/decisions 200" in said
    assert "GET /v1/decisions/{decision_id} 404" in said
    assert customers[0] not in said


def test_a_signal_to_the_command_ends_the_server_and_its_workers(own, tmp_path):
    with service(own.home, tmp_path / "log") as (address, process):
        assert wait_until_ready(address, process), (tmp_path / "log").read_text()
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers
        process.terminate()
        process.wait(timeout=60)
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not alive
        assert not ready(address)


def test_a_damaged_bundle_never_serves(bank, own, tmp_path):
    damaged = Workspace(tmp_path / "home", "bank")
    damaged.root.mkdir(parents=True)
    for name in ("features", "dataset"):
        (damaged.root / name).symlink_to(bank.root / name)
    for file in bank.root.glob("deployments*"):
        (damaged.root / file.name).write_bytes(file.read_bytes())
    [bundle] = bank.bundles.iterdir()
    copy = damaged.bundles / bundle.name
    copy.mkdir(parents=True)
    for file in bundle.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    model = next(f for f in copy.iterdir() if f.suffix == ".txt")
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(bytes(content))
    with service(damaged.home, tmp_path / "log") as (address, process):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and process.poll() is None:
            assert "BundleError" not in (tmp_path / "log").read_text() or not ready(address)
            if "BundleError" in (tmp_path / "log").read_text():
                break
            time.sleep(0.3)
        assert not ready(address)
    said = (tmp_path / "log").read_text()
    assert "BundleError" in said
    assert model.name in said


def test_another_address_than_loopback_needs_a_token(own, monkeypatch):
    monkeypatch.delenv("TIERLINE_TOKEN", raising=False)
    command = [sys.executable, str(ROOT / "cli.py"), "--home", str(own.home), "serve"]
    done = subprocess.run(
        [*command, "--host", "0.0.0.0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "set TIERLINE_TOKEN, or listen on 127.0.0.1" in done.stderr
