"""Every kind of online store, on real servers: a test that takes `online` runs once on each."""

from __future__ import annotations

import uuid

import pytest

from features.online_config import OnlineConfig


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def online(request) -> OnlineConfig:
    """The address of an online store whose server runs."""
    fixture = {"redis": "redis_address", "postgresql": "postgres_address"}.get(request.param)
    return OnlineConfig(request.getfixturevalue(fixture) if fixture else "sqlite")


@pytest.fixture
def project() -> str:
    """A project that no other test writes into."""
    return f"t{uuid.uuid4().hex[:12]}"
