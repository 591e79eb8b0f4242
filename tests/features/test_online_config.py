"""The address of the online store: what each kind becomes for Feast, and what is refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from domain.errors import InputError
from domain.settings import ONLINE, REGISTRY
from features import online_config
from features.online_config import (
    FILE,
    SQLITE,
    OnlineConfig,
    RegistryConfig,
    sqlite_file,
)

REDIS = "redis://cache:6379,db=1,password=secret"
POSTGRES = "postgresql://tier%40line:pa%2Fss@db:5433/online?sslmode=disable"


@pytest.fixture
def drivers(monkeypatch):
    """Every driver counts as installed; nothing is imported."""
    monkeypatch.setattr(online_config, "find_spec", lambda name: name)


def test_the_default_is_sqlite_in_the_folder_of_the_room(tmp_path):
    assert OnlineConfig(ONLINE.read({})) == SQLITE
    assert SQLITE.kind == "sqlite"
    assert sqlite_file(tmp_path) == tmp_path / "online.db"


@pytest.mark.parametrize("address", ["sqlite", REDIS, POSTGRES])
def test_feast_gets_our_store_by_its_class_with_the_address(drivers, tmp_path, address):
    assert OnlineConfig(address).feast(tmp_path) == {
        "type": "features.packed_store.PackedOnlineStore",
        "address": address,
        "root": str(tmp_path),
    }


def test_the_parts_of_an_address_become_what_the_drivers_take(drivers):
    assert OnlineConfig(f"{REDIS},ssl=true").parts == {
        "host": "cache", "port": 6379, "db": 1, "password": "secret", "ssl": True,
    }  # fmt: skip
    assert OnlineConfig(POSTGRES).parts == {
        "host": "db",
        "port": 5433,
        "dbname": "online",
        "user": "tier@line",
        "password": "pa/ss",
        "sslmode": "disable",
    }


def test_the_registry_is_a_file_beside_the_panel_or_a_database(drivers, tmp_path):
    assert RegistryConfig(REGISTRY.read({})) == FILE
    assert FILE.feast(tmp_path)["path"] == str(tmp_path / "registry.db")
    sql = RegistryConfig(POSTGRES)
    assert sql.is_sql
    assert sql.feast(tmp_path)["registry_type"] == "sql"
    assert sql.feast(tmp_path)["path"] == POSTGRES.replace("postgresql:", "postgresql+psycopg:")
    assert "pa%2Fss" not in repr(sql)


@pytest.mark.parametrize("address", ["", "sql", "mysql://h/d", "postgresql://h", "sqlite://x"])
def test_another_registry_is_refused_with_what_is_allowed(drivers, address):
    with pytest.raises(InputError, match="give file or postgresql://"):
        RegistryConfig(address)


@pytest.mark.parametrize(
    ("address", "extra"), [("redis://h:1", "redis"), ("postgresql://h/d", "postgres")]
)
def test_a_driver_that_is_not_installed_is_named_with_its_cure(monkeypatch, address, extra):
    monkeypatch.setattr(online_config, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=rf"pip install 'tierline\[{extra}\]'"):
        OnlineConfig(address)


@pytest.mark.parametrize(
    "address",
    ["", "mysql://h/d", "redis", "redis://", "postgresql://", "sqlite://x", "SQLITE",
     "redis://h", "redis://h:1,db", "redis://h:x", "postgresql://h:port/d", "postgresql://h", "postgresql://h/d?sslmode"],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_allowed(drivers, address):
    with pytest.raises(InputError, match="sqlite, redis://host:port"):
        OnlineConfig(address)


def test_a_password_is_never_shown(drivers):
    for address in (REDIS, POSTGRES):
        shown = repr(OnlineConfig(address)) + str(OnlineConfig(address))
        assert not [word for word in ("secret", "pa%2Fss", "pa/ss") if word in shown]
    with pytest.raises(InputError) as caught:
        OnlineConfig("mysql://me:secret@h/d")
    assert "secret" not in str(caught.value)


def test_the_drivers_asked_for_are_the_ones_the_extras_install():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    for driver, extra in (("redis", "redis"), ("psycopg", "postgres")):
        block = text.partition(f"\n{extra} = [")[2].partition("]\n")[0]
        assert f'"{driver}' in block
    assert importlib.util.find_spec("sqlite3")
