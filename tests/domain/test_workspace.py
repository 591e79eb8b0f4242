"""Two sources never share a folder, and share the runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import InputError
from domain.workspace import Workspace


def test_sources_are_apart_and_runs_are_together():
    one, two = Workspace(Path("home"), "a"), Workspace(Path("home"), "b")
    assert one.dataset != two.dataset
    assert one.deployments.parent == one.decisions.parent == one.root
    assert one.tracking_uri == two.tracking_uri
    assert one.tracking_uri.startswith("sqlite:////")
    assert one.artifacts_uri.startswith("file:///")


def test_the_environment_names_a_server_and_the_caller_may_name_another(monkeypatch):
    monkeypatch.setenv("TIERLINE_TRACKING", "http://127.0.0.1:5000")
    assert Workspace(Path("home"), "a").tracking_uri == "http://127.0.0.1:5000"
    assert Workspace(Path("home"), "a").has_server
    assert not Workspace(Path("home"), "a", "sqlite").has_server


@pytest.mark.parametrize(
    "tracking", ["", "sqlite:///other.db", "postgresql://host/db", "http://me:secret@host", "http:"]
)
def test_another_store_and_a_password_in_an_address_are_refused_and_not_repeated(tracking):
    with pytest.raises(InputError, match="TIERLINE_TRACKING names neither") as said:
        _ = Workspace(Path("home"), "a", tracking).tracking_uri
    assert "secret" not in str(said.value)
