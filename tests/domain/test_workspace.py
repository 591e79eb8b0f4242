"""Two sources never share a folder, and share the runs."""

from __future__ import annotations

from pathlib import Path

from domain.workspace import Workspace


def test_sources_are_apart_and_runs_are_together():
    one, two = Workspace(Path("home"), "a"), Workspace(Path("home"), "b")
    assert one.dataset != two.dataset
    assert one.deployments.parent == one.decisions.parent == one.root
    assert one.tracking_uri == two.tracking_uri
    assert one.tracking_uri.startswith("sqlite:////")
