"""The whole book scored at once has the bits of every customer scored alone."""

from __future__ import annotations

import hashlib
import weakref
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import BundleError, InputError
from events.schema import INSTANT
from features.catalogue import CATALOGUE
from features.panel_files import checked, write_files
from scoring import book
from scoring.book import features_of, schema_of, score_book, score_rows
from scoring.bundle import write_bundle
from tests.scoring.explain_world import credit_scorer
from tests.scoring.explain_world import rows as credit_rows

LAST, BEFORE = 1_306_886_400_000_000, 1_304_208_000_000_000
PEOPLE = 300


@pytest.fixture(scope="module")
def bundle(kit, tmp_path_factory):
    scorers = {"credit": credit_scorer()}
    golden = {"credit": credit_rows(5, 3)}
    folder = tmp_path_factory.mktemp("bundles")
    return write_bundle(folder, scorers, CATALOGUE, kit.card("credit"), golden)


@pytest.fixture(scope="module")
def panel():
    """Two dates of each customer but the last ten, who left before the second."""
    X, names = credit_rows(2 * PEOPLE, 4), credit_scorer().features
    known = {n: X[:, i] for i, n in enumerate(names)}
    columns = {n: known.get(n, np.full(2 * PEOPLE, np.nan)) for n in CATALOGUE.names}
    who = [f"c{i:04d}" for i in range(PEOPLE)] * 2
    at = pa.array([BEFORE] * PEOPLE + [LAST] * PEOPLE, pa.int64()).cast(INSTANT)
    return pa.table({"customer_id": who, "as_of": at, **columns}).slice(0, 2 * PEOPLE - 10)


@pytest.fixture(scope="module")
def views(panel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("views")
    write_files(checked([panel], CATALOGUE), folder, CATALOGUE)
    return folder


def test_each_customer_of_the_last_date_has_the_points_and_reasons_of_being_asked_alone(
    bundle, panel, views, tmp_path, monkeypatch
):
    monkeypatch.setattr(book, "ROWS", 37)
    out = tmp_path / "book.parquet"
    assert score_book(bundle, views, CATALOGUE, LAST, out) == PEOPLE - 10
    found = pq.read_table(out)
    assert found["customer_id"].to_pylist() == [f"c{i:04d}" for i in range(PEOPLE - 10)]
    assert found["as_of"].cast(pa.int64()).unique().to_pylist() == [LAST]
    scorer = bundle.scorers["credit"]
    for row, said in enumerate(found.slice(0, 60).to_pylist()):
        x = [panel[n][PEOPLE + row].as_py() for n in scorer.features]
        alone = scorer.explain(np.array([x], dtype=float))[0]
        assert said["credit_points"] == alone.points
        assert said["credit_base"] == alone.base_points
        assert list(said["credit_reasons"].values()) == alone.reasons.tolist()
        assert list(said["credit_reasons"]) == list(scorer.features)


def test_base_and_reasons_add_up_to_points_in_every_row(bundle, views, tmp_path):
    """I1."""
    score_book(bundle, views, CATALOGUE, BEFORE, tmp_path / "book.parquet")
    found = pq.read_table(tmp_path / "book.parquet").to_pylist()
    assert len(found) == PEOPLE
    for row in found:
        assert row["credit_base"] + sum(row["credit_reasons"].values()) == row["credit_points"]


def test_the_bytes_are_the_same_in_parts_and_name_the_bundle(bundle, views, tmp_path, monkeypatch):
    hashes = []
    for cores in (1, 2):
        monkeypatch.setattr("os.cpu_count", lambda n=cores: n)
        out = tmp_path / f"{cores}.parquet"
        score_book(bundle, views, CATALOGUE, LAST, out)
        hashes.append(hashlib.sha256(out.read_bytes()).hexdigest())
    assert hashes[0] == hashes[1]
    assert pq.read_schema(out).metadata[book.ORIGIN] == bundle.hash.encode()


def test_a_bundle_of_another_catalogue_is_refused_and_nothing_is_written(bundle, views, tmp_path):
    other = replace(bundle, catalogue_hash="0" * 64)
    with pytest.raises(BundleError, match="made with another catalogue"):
        score_book(other, views, CATALOGUE, LAST, tmp_path / "book.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_leaves_the_file_before_it(bundle, views, tmp_path, monkeypatch):
    out = tmp_path / "book.parquet"
    out.write_bytes(b"of yesterday")

    def broken(*_):
        raise InputError("infinite feature values")

    monkeypatch.setattr(book, "score_rows", broken)
    with pytest.raises(InputError):
        score_book(bundle, views, CATALOGUE, LAST, out)
    assert [f.read_bytes() for f in tmp_path.iterdir()] == [b"of yesterday"]


def test_several_targets_stand_beside_each_other_and_an_empty_book_has_the_columns(kit, scorers):
    assert features_of(scorers) == tuple(sorted(kit.features))
    none = pa.array([], pa.string()), pa.array([], INSTANT)
    empty = score_rows(scorers, *none, lambda _: np.empty(0))
    assert empty.schema == schema_of(scorers)
    assert [n for n in empty.schema.names if n.endswith("_points")] == [
        "value_points",
        "churn_points",
    ]


def test_a_group_is_let_go_before_the_next_one_is_scored(bundle, views, tmp_path, monkeypatch):
    """Two groups at once would be most of what a book takes in memory."""
    write, score, held, gone = book._write, book._score, [], []

    def written(file, group):
        held.append(weakref.ref(group))
        return write(file, group)

    def scored(*what):
        gone.extend(ref() is None for ref in held)
        return score(*what)

    monkeypatch.setattr(book, "GROUP", 100)
    monkeypatch.setattr(book, "_write", written)
    monkeypatch.setattr(book, "_score", scored)
    assert score_book(bundle, views, CATALOGUE, LAST, tmp_path / "book.parquet") == PEOPLE - 10
    assert len(held) > 2
    assert set(gone) == {True}
