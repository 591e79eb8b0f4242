"""I2: offline and online features of the same customer and as_of are equal, value by value."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import NotFoundError, PromotionError
from features.catalogue import CATALOGUE
from features.panel_files import LatestRows, panel_hash
from features.parity import Certificate, Mismatch, check_certificate, read_certificate
from features.store import FeatureRoom
from features.views import layouts
from tests.features.feast_world import DAY, NAMES, T0, catalogue, panel, random_panel

CUSTOMERS = [f"C{i:03d}" for i in range(50)]


@pytest.fixture
def room(tmp_path) -> FeatureRoom:
    return FeatureRoom(tmp_path / "features", catalogue())


def plant(room: FeatureRoom, who: str, feature: str, value: float | None) -> None:
    """Write another value of one feature of theme quick, through Feast and past the room."""
    rows = pq.read_table(room.views / "quick.parquet").to_pandas()
    row = rows[rows["customer_id"] == who].tail(1).copy()
    row[feature] = np.nan if value is None else value
    room.feast.write_to_online_store("quick", row)


def flat(found: tuple[Mismatch, ...]) -> list[tuple]:
    """Mismatches with None for NaN, to be compared."""
    return [
        (m.position, m.feature, *(None if math.isnan(v) else v for v in (m.offline, m.online)))
        for m in found
    ]


def test_what_was_materialised_is_what_the_point_in_time_join_finds(room):
    room.write(random_panel(7, CUSTOMERS, [T0 - 20 * DAY, T0 - 10 * DAY, T0 - 1, T0, T0 + DAY]))
    room.materialise(T0)
    assert room.parity([*CUSTOMERS, "nobody", CUSTOMERS[0]], T0, NAMES) == ()


def test_a_planted_difference_is_found_and_named(room):
    room.write(panel([(c, T0, {"alpha": 1.0, "beta": 2.0, "gamma": 3.0}) for c in CUSTOMERS]))
    room.materialise(T0)
    plant(room, "C007", "beta", math.nextafter(2.0, 3.0))
    plant(room, "C020", "alpha", None)
    asked = ["C001", "C020", "C007", "C007"]
    assert flat(room.parity(asked, T0, ["gamma", "beta", "alpha"])) == [
        (1, "alpha", 1.0, None),
        (2, "beta", 2.0, math.nextafter(2.0, 3.0)),
        (3, "beta", 2.0, math.nextafter(2.0, 3.0)),
    ]
    assert room.parity(asked, T0, ["gamma"]) == ()


def test_a_value_that_is_missing_offline_and_zero_online_is_found(room):
    room.write(panel([("A", T0, {"beta": 1.0})]))
    room.materialise(T0)
    plant(room, "A", "alpha", 0.0)
    assert flat(room.parity(["A"], T0, NAMES)) == [(0, "alpha", None, 0.0)]


def test_minus_zero_is_not_zero(room):
    room.write(panel([("A", T0, {"alpha": 0.0})]))
    room.materialise(T0)
    plant(room, "A", "alpha", -0.0)
    (found,) = room.parity(["A"], T0, NAMES)
    assert (found.feature, math.copysign(1, found.offline), math.copysign(1, found.online)) == (
        "alpha", 1.0, -1.0,
    )  # fmt: skip


def test_what_was_never_brought_online_is_found(room):
    room.write(panel([("A", T0, {"alpha": 1.0, "gamma": 2.0})]))
    assert flat(room.parity(["A"], T0, NAMES)) == [
        (0, "alpha", 1.0, None),
        (0, "gamma", 2.0, None),
    ]


def test_a_panel_made_anew_and_not_brought_online_is_found(room):
    room.write(panel([("A", T0, {"alpha": 1.0})]))
    room.materialise(T0)
    room.write(panel([("A", T0, {"alpha": 1.5})]))
    assert flat(room.parity(["A"], T0, NAMES)) == [(0, "alpha", 1.5, 1.0)]


def test_another_as_of_than_the_one_online_is_found(room):
    room.write(panel([("A", T0 - DAY, {"alpha": 1.0}), ("A", T0, {"alpha": 2.0})]))
    room.materialise(T0)
    assert flat(room.parity(["A"], T0 - DAY, NAMES)) == [(0, "alpha", 1.0, 2.0)]


def test_a_row_that_expired_since_it_was_brought_online_is_missing_on_both_sides(room):
    room.write(panel([("A", T0, {"alpha": 1.0, "gamma": 2.0})]))
    room.materialise(T0)
    room.materialise(T0 + 11 * DAY)
    assert room.parity(["A"], T0 + 10 * DAY, NAMES) == ()
    assert room.parity(["A"], T0 + 11 * DAY, NAMES) == ()


def test_a_certificate_is_of_a_sample_of_the_last_as_of(room):
    room.write(random_panel(8, CUSTOMERS, [T0 - DAY, T0]))
    there = len(room.latest()[1])
    room.materialise(T0)
    told = [room.certify(size, seed=1, at=T0) for size in (10, 1000)]
    assert [(c.customers, c.passed, c.mismatches) for c in told] == [
        (10, True, {}), (there, True, {}),
    ]  # fmt: skip
    plant(room, room.latest()[1][0], "alpha", 77.0)
    as_of, everybody = room.latest()
    assert [m.feature for m in room.parity(everybody, as_of, NAMES)] == ["alpha"]
    failed = room.certify(1000, seed=1, at=T0)
    assert (failed.passed, failed.mismatches) == (False, {"alpha": 1})


def test_whose_row_is_newer_than_the_panel_is_passed_over_and_told(room):
    room.write(panel([(c, T0, {"alpha": 1.0}) for c in ("A", "B")]))
    room.materialise(T0)
    values = {v: np.ones((1, len(at.names))) for v, at in layouts(room.catalogue).items()}
    room.served.write(LatestRows(["B"], np.array([T0 + 1]), values))
    told = room.certify(5, seed=1, at=T0)
    assert (told.customers, told.pushed, told.passed) == (1, 1, True)


def test_a_certificate_says_what_was_compared_and_names_no_customer(room):
    room.write(panel([("Zoe-7", T0, {"alpha": 1.0})]))
    room.materialise(T0)
    told = room.certify(5, seed=1, at=T0 + DAY)
    assert told.catalogue == room.catalogue.hash
    assert told.panel == panel_hash(room.views)
    assert (told.features, told.store) == (len(NAMES), "sqlite")
    assert (told.as_of, told.at) == ("2020-03-01T12:30:15.123456Z", "2020-03-02T12:30:15.123456Z")
    assert "Zoe" not in told.text
    assert told.sealed() == told
    check_certificate(told, told.catalogue, told.panel, told.project)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"customers": 3}, "edited"),
        ({"mismatches": {}}, "edited"),
        ({"catalogue": "x"}, "edited"),
    ],
)
def test_an_edited_certificate_is_refused(change, said):
    told = sealed(mismatches={"alpha": 2})
    with pytest.raises(PromotionError, match=said):
        check_certificate(replace(told, **change), told.catalogue, told.panel, told.project)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ({"catalogue": "other"}, "another catalogue"),
        ({"panel": "other"}, "another panel"),
        ({"project": "other"}, "another source"),
        ({"mismatches": {"alpha": 2}}, r"differ: alpha \(2\)"),
        ({"customers": 0}, "nobody was compared"),
    ],
)
def test_a_certificate_of_something_else_or_that_did_not_pass_is_refused(of, said):
    good = sealed()
    check_certificate(good, good.catalogue, good.panel, good.project)
    with pytest.raises(PromotionError, match=said):
        check_certificate(sealed(**of), good.catalogue, good.panel, good.project)


def test_a_certificate_is_read_back_by_its_hash_and_a_damaged_one_is_not(tmp_path):
    told = sealed()
    file = tmp_path / f"{told.hash}.json"
    file.write_text(told.text, encoding="utf-8")
    assert read_certificate(tmp_path, told.hash) == told
    with pytest.raises(NotFoundError):
        read_certificate(tmp_path, "../" + told.hash)
    for damaged in (told.text.replace(":5", ":6"), "{}", told.text[:40]):
        file.write_text(damaged, encoding="utf-8")
        with pytest.raises(PromotionError, match="edited"):
            read_certificate(tmp_path, told.hash)


def sealed(**of) -> Certificate:
    plain = {
        "project": "p", "catalogue": "c", "panel": "h", "store": "sqlite", "as_of": "a",
        "customers": 5, "pushed": 0, "features": 4, "mismatches": {}, "at": "t",
    }  # fmt: skip
    return Certificate(**{**plain, **of}).sealed()


def test_every_feature_of_the_real_catalogue_is_equal_on_both_sides(tmp_path):
    rng = np.random.default_rng(11)
    names = CATALOGUE.names
    rows = [
        (c, t, {n: float(rng.normal() * 10.0 ** rng.integers(-8, 9)) for n in names
                if rng.random() < 0.8})
        for c in CUSTOMERS for t in (T0 - 45 * DAY, T0)
    ]  # fmt: skip
    room = FeatureRoom(tmp_path / "features")
    room.write(panel(rows, names))
    room.materialise(T0)
    told = room.certify(50, seed=2, at=T0)
    assert (told.customers, told.mismatches) == (50, {})


@settings(max_examples=8, deadline=None)
@given(
    st.dictionaries(
        st.tuples(
            st.text(st.characters(codec="utf-8", min_codepoint=33), min_size=1, max_size=12),
            st.integers(-12 * DAY, DAY),
        ),
        st.dictionaries(
            st.sampled_from(NAMES), st.floats(allow_nan=False, allow_infinity=False), max_size=4
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(-3 * DAY, 11 * DAY),
)
def test_parity_holds_for_any_customers_instants_and_finite_numbers(rows, shift):
    with TemporaryDirectory() as folder:
        room = FeatureRoom(Path(folder) / "features", catalogue())
        room.write(panel([(who, T0 + at, values) for (who, at), values in rows.items()]))
        room.materialise(T0 + shift)
        assert room.parity([who for who, _ in rows], T0 + shift, NAMES) == ()
