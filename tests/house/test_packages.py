"""Packages are declared by hand, and no other distribution ships one of our names."""

from __future__ import annotations

import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.house.tree import COMMANDS, ROOMS, ROOT, tracked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_package_is_declared_and_every_declared_one_exists():
    on_disk = {
        ".".join(p.parent.relative_to(ROOT).parts)
        for p in tracked("*/__init__.py")
        if p.relative_to(ROOT).parts[0] in ROOMS
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == on_disk


def test_docs_and_tests_are_no_packages():
    assert not [
        p for p in tracked("*/__init__.py") if p.relative_to(ROOT).parts[0] in {"docs", "tests"}
    ]


@pytest.mark.parametrize("name", [*ROOMS, *(p.stem for p in COMMANDS)])
def test_no_installed_distribution_ships_one_of_our_names(name):
    assert set(packages_distributions().get(name, [])) <= {"tierline"}


def test_every_dependency_has_a_floor_and_a_reason():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    groups = [
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
    ]
    for requirement in (r for group in groups for r in group):
        line = next(text for text in lines if text.startswith(f'    "{requirement}"'))
        assert ">=" in requirement, f"{requirement} has no floor"
        assert "#" in line.rpartition('"')[2], f"{requirement} says no reason"


def test_the_lock_is_hashed_and_names_no_address():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    pinned = [line for line in lock.splitlines() if "==" in line and not line.startswith(" ")]
    assert len(pinned) > 100
    assert lock.count("--hash=sha256:") >= len(pinned)
    names = {line.split("==")[0] for line in pinned}
    wanted = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ]
    missing = {r.split(">=")[0].split("[")[0] for r in wanted} - names
    assert not missing, f"not in requirements.lock: {missing}; run `make lock`"
