"""Bringing features online and certifying them, for a workspace as the command does."""

from __future__ import annotations

import numpy as np

from domain.workspace import Workspace
from features.catalogue import CATALOGUE
from features.parity import read_certificate
from features.store import open_room
from scoring.parity import certify
from tests.features.feast_world import T0, panel


def test_what_is_not_online_fails_and_after_bringing_it_passes_both_kept(tmp_path):
    workspace = Workspace(tmp_path, "shop")
    one, other = CATALOGUE.names[0], CATALOGUE.names[-1]
    rows = panel([("A", T0, {one: 1.0}), ("B", T0, {other: 2.0})], CATALOGUE.names)
    open_room(workspace, {}).write(rows)
    before = certify(workspace, {}, 10)
    assert (before.passed, before.mismatches) == (False, {one: 1, other: 1})
    assert f"{one}: differs for 1 of 2 customers" in before.to_text()
    after = certify(workspace, {}, 10, bring=True)
    assert (after.passed, after.customers) == (True, 2)
    assert after.to_text().startswith("equal: 2 customers")
    for told in (before, after):
        assert read_certificate(workspace.certificates, told.hash) == told
    found = open_room(workspace, {}).online(["A", "B"], [one, other]).values
    assert np.array_equal(found, [[1.0, np.nan], [np.nan, 2.0]], equal_nan=True)
