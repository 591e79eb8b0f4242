"""One line of a theme, followed over HTTP to the reason of a decision of the running service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.behaviour.toy_service import CUSTOMERS, NAME
from tests.house.tree import COMMANDS, ROOMS, ROOT
from tests.served import service, wait_until_ready

LINE = (
    'engagement.windowed("toy_count_{w}d", Take("count", D, ("complaint",)), (45,), '
    'count("近{w}天玩具数", "Toys in the past {w} days"), Rule(churn=-1))\n'
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """The sources with one line more, the compiled kernels beside them."""
    folder = tmp_path_factory.mktemp("toys")
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room)
    for file in (*COMMANDS, ROOT / "pyproject.toml"):
        shutil.copy2(file, folder)
    theme = folder / "features" / "people.py"
    text = theme.read_text(encoding="utf-8")
    head, end, rest = text.rpartition("THEMES = ")
    theme.write_text(head + LINE + end + rest, encoding="utf-8")
    return folder


def run(tree: Path, *command: str) -> str:
    """What Python prints on those sources."""
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment(tree),
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def environment(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{tree}{os.pathsep}{ROOT}", "PYTHONWARNINGS": "default"}


def test_a_feature_added_in_one_line_reaches_the_reason_that_the_service_answers(tree, tmp_path):
    home, log = tmp_path / "home", tmp_path / "log"
    run(tree, "-m", "tests.behaviour.toy_service", str(home))
    assert "Toys in the past 45 days" in run(tree, "cli.py", "features", "show", NAME)
    with service(home, log, "toys", tree, environment(tree)) as (address, process):
        assert wait_until_ready(address, process), log.read_text()
        asked = {"customer_ids": CUSTOMERS[:2], "purpose": "crm"}
        answer = httpx.post(f"{address}/v1/decisions", json=asked, timeout=60)
    assert answer.status_code == 200, answer.text
    [without, owning] = [d["scores"][0] for d in answer.json()["decisions"]]
    told = [{r["feature"]: r for r in s["reasons"]}[NAME] for s in (without, owning)]
    assert [r["value"] for r in told] == [0.0, 3.0]
    adds, takes = told[0]["points"], -told[1]["points"]
    assert adds > 0 and takes > 0
    assert told[0]["en"] == f"Toys in the past 45 days: 0 (few), adds {adds} points"
    assert told[1]["zh"] == f"近45天玩具数：3次（偏多），减{takes}分"
    assert without["points"] > owning["points"]
