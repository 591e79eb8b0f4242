"""A damaged or foreign bundle never reaches this process (I8); the same content, the same hash."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.decision import canonical_json
from domain.errors import BundleError, InputError
from scoring.bundle import Bundle, load_bundle, write_bundle

FILES = (
    "manifest.json", "card.json", "golden.json", "segments.json", "churn.lgb.txt", "value.lgb.txt",
)  # fmt: skip
Edit = Callable[[bytes], bytes]


@pytest.fixture
def copy(bundle: Bundle, tmp_path: Path) -> Path:
    return shutil.copytree(bundle.path, tmp_path / bundle.hash)


def forge(path: Path, edits: dict[str, Edit]) -> str:
    """Edits files and makes every hash fit again, as an attacker would; the bundle's new hash."""
    manifest = json.loads((path / "manifest.json").read_bytes())
    for name, edit in edits.items():
        data = edit((path / name).read_bytes())
        (path / name).write_bytes(data)
        manifest["files"][name] = hashlib.sha256(data).hexdigest()
    data = canonical_json(manifest).encode()
    (path / "manifest.json").write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def regex(pattern: str, by: str) -> Edit:
    def edit(data: bytes) -> bytes:
        changed = re.sub(pattern.encode(), by.encode(), data, count=1)
        assert changed != data
        return changed

    return edit


def test_what_was_written_is_what_is_loaded(kit, bundle, scorers) -> None:
    again = load_bundle(bundle.path, bundle.hash)
    assert again == bundle
    assert again.scorers == scorers
    told = {"verdict": "passed", "not_judged": [], "figures": {"auc": 0.75}}
    assert again.card["targets"]["churn"] == told
    assert (again.catalogue_hash, again.tierline) == ("c" * 64, "0.1.0")
    X = kit.rows(50, 1)
    for target, scorer in scorers.items():
        assert again.scorers[target].margin(X).tobytes() == scorer.margin(X).tobytes()
    assert sorted(f.name for f in bundle.path.iterdir()) == sorted(FILES)
    assert bundle.path.name == bundle.hash
    assert hashlib.sha256((bundle.path / "manifest.json").read_bytes()).hexdigest() == bundle.hash


def test_the_same_content_gives_the_same_bytes_anywhere(kit, bundle, tmp_path) -> None:
    golden = {t: kit.rows(5, 9) for t in ("churn", "value")}
    made = {t: kit.scorer(t) for t in ("churn", "value")}
    card = dict(reversed(kit.card("churn", "value").items()))
    again = write_bundle(tmp_path, made, kit.catalogue(), card, golden, bundle.beside)
    assert again.hash == bundle.hash
    for name in FILES:
        assert (again.path / name).read_bytes() == (bundle.path / name).read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == [bundle.hash]


def test_any_change_gives_another_hash(kit, bundle, scorers, tmp_path) -> None:
    golden = {t: kit.rows(5, 9) for t in scorers}
    card, beside = kit.card("value", "churn"), bundle.beside
    made = [
        (kit.catalogue(), kit.card("value", "churn", seed=8), beside),
        (kit.catalogue(hash="b" * 64), card, beside),
        (kit.catalogue(), card, {"segments": {"cuts": [1.5, 2.5]}}),
        (kit.catalogue(), card, {"references": beside["segments"]}),
        (kit.catalogue(), card, {}),
    ]
    hashes = {write_bundle(tmp_path, scorers, c, d, golden, b).hash for c, d, b in made}
    assert len(hashes - {bundle.hash}) == len(made)


def test_what_stands_beside_the_scorers_is_read_as_it_was_written(kit, bundle, tmp_path) -> None:
    assert load_bundle(bundle.path, bundle.hash).beside == {"segments": {"cuts": [1.5, 2.0]}}
    one = {"churn": kit.scorer("churn")}
    golden = {"churn": kit.rows(3, 1)}
    alone = write_bundle(tmp_path, one, kit.catalogue(), kit.card("churn"), golden)
    assert alone.beside == {}


def test_numbers_that_are_none_are_refused_beside_the_scorers(bundle, copy) -> None:
    forged = forge(copy, {"segments.json": regex("1.5", "NaN")})
    with pytest.raises(BundleError, match=r"segments\.json is not a JSON object"):
        load_bundle(copy, forged)


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_anywhere_is_found_by_its_hash(bundle, copy, name: str) -> None:
    whole = (copy / name).read_bytes()
    for place in np.linspace(0, len(whole) - 1, 40).astype(int):
        data = bytearray(whole)
        data[place] ^= 1
        (copy / name).write_bytes(bytes(data))
        with pytest.raises(BundleError, match=rf"{name}.*damaged"):
            load_bundle(copy, bundle.hash)
    (copy / name).write_bytes(whole[:-1])
    with pytest.raises(BundleError, match=rf"{name}.*damaged"):
        load_bundle(copy, bundle.hash)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(bundle, copy, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=name):
        load_bundle(copy, bundle.hash)


def test_what_does_not_belong_is_named(bundle, copy, tmp_path) -> None:
    (copy / "model.pkl").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"too many.*model\.pkl"):
        load_bundle(copy, bundle.hash)
    (copy / "model.pkl").unlink()
    (copy / "more").mkdir()
    with pytest.raises(BundleError, match="more in the bundle is not a plain file"):
        load_bundle(copy, bundle.hash)
    (copy / "more").rmdir()
    shutil.move(copy / "card.json", tmp_path / "card.json")
    (copy / "card.json").symlink_to(tmp_path / "card.json")
    with pytest.raises(BundleError, match=r"card\.json in the bundle is not a plain file"):
        load_bundle(copy, bundle.hash)


def test_a_folder_that_is_none_or_a_link_is_refused(bundle, tmp_path) -> None:
    with pytest.raises(BundleError, match="is not a bundle"):
        load_bundle(tmp_path / "nowhere", bundle.hash)
    (tmp_path / "link").symlink_to(bundle.path)
    with pytest.raises(BundleError, match="is not a bundle"):
        load_bundle(tmp_path / "link", bundle.hash)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        load_bundle(tmp_path / "empty", bundle.hash)


def test_a_foreign_model_with_hashes_made_to_fit_is_not_the_expected_bundle(kit, bundle, copy):
    foreign = kit.scorer("churn", seed=77).booster_text.encode()
    forged = forge(copy, {"churn.lgb.txt": lambda _: foreign})
    assert forged != bundle.hash
    with pytest.raises(BundleError, match=r"manifest\.json has hash .* expected"):
        load_bundle(copy, bundle.hash)
    with pytest.raises(BundleError, match=r"churn\.lgb\.txt: its golden predictions"):
        load_bundle(copy, forged)


@pytest.mark.parametrize(
    "edit",
    [
        regex(r"left_child=\S+", "left_child=999999"),
        regex(r"num_leaves=8", "num_leaves=80000"),
        lambda data: data[: len(data) // 2],
    ],
    ids=["a child that is not there", "too few numbers", "half a file"],
)
def test_a_model_that_aborts_lightgbm_kills_the_throw_away_process_only(copy, edit) -> None:
    forged = forge(copy, {"value.lgb.txt": edit})
    with pytest.raises(BundleError, match=r"value\.lgb\.txt ended the process .*SIG"):
        load_bundle(copy, forged)


def test_a_model_that_never_ends_is_stopped(copy) -> None:
    forged = forge(copy, {"churn.lgb.txt": regex(r"left_child=\S+", "left_child=0")})
    with pytest.raises(BundleError, match=r"churn\.lgb\.txt did not open within 2 s"):
        load_bundle(copy, forged, seconds=2)


def test_a_process_without_enough_memory_is_a_bundle_error(bundle) -> None:
    with pytest.raises(BundleError, match=r"lgb\.txt ended the process"):
        load_bundle(bundle.path, bundle.hash, megabytes=120)


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (regex(r'"points":\[', '"points":[7'), "points of golden row 0"),
        (regex(r'"margins":\[(-?\d+\.\d+?)\d,', r'"margins":[\g<1>,'), "margins of golden row 0"),
        (regex(r'"margins":\[[^,]+,', '"margins":['), "margins: 5 rows now, 4 golden"),
    ],
)
def test_golden_predictions_that_are_not_repeated_are_named(copy, edit, what: str) -> None:
    forged = forge(copy, {"golden.json": edit})
    with pytest.raises(BundleError, match=rf"churn\.lgb\.txt: its golden.*{re.escape(what)}"):
        load_bundle(copy, forged)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("golden.json", b"[1]", "golden.json is not a JSON object"),
        ("card.json", b"{", "card.json is not a JSON object"),
        ("card.json", b'{"source":"x"}', "targets: Field required"),
        ("golden.json", b'{"churn":{},"value":{}}', "churn.lgb.txt ended the process"),
        ("golden.json", b'{"churn":{}}', "name other targets"),
        ("value.lgb.txt", "tree é".encode(), "value.lgb.txt is not plain LightGBM text"),
    ],
)
def test_files_with_fitting_hashes_but_other_content_are_refused(copy, name, data, message) -> None:
    forged = forge(copy, {name: lambda _: data})
    with pytest.raises(BundleError, match=re.escape(message)):
        load_bundle(copy, forged)


@pytest.mark.parametrize(
    ("pattern", "by", "message"),
    [
        (r'"slope":1.2', '"slope":-1.2', "slope must be"),
        (r'"horizon_days":90', '"horizon_days":"90"', "breaks rules: "),
        (r'"format":1', '"format":2', "breaks rules: "),
        (r'"target":"churn"', '"target":"credit"', "name other targets"),
        (r'"spend_sum_90d"', '"spend_sum_91d"', "other features"),
        (r'"explainer":"tree_shap"', '"explainer":"guess"', "breaks rules: "),
    ],
)
def test_a_manifest_with_a_fitting_hash_but_other_content_is_refused(copy, pattern, by, message):
    file = copy / "manifest.json"
    file.write_bytes(regex(pattern, by)(file.read_bytes()))
    forged = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(BundleError, match=message):
        load_bundle(copy, forged)


def test_a_folder_of_the_same_hash_is_checked_and_used_again(kit, scorers, tmp_path) -> None:
    def write() -> Bundle:
        golden = {t: kit.rows(5, 9) for t in scorers}
        return write_bundle(tmp_path, scorers, kit.catalogue(), kit.card("value", "churn"), golden)

    first = write()
    born = (first.path / "card.json").stat().st_mtime_ns
    assert write() == first
    assert (first.path / "card.json").stat().st_mtime_ns == born
    (first.path / "card.json").write_bytes(b"{}")
    with pytest.raises(BundleError, match=r"card\.json is damaged"):
        write()


def one_row_more(data: bytes) -> bytes:
    """A booster whose first leaf has another last digit of training rows: LightGBM opens it."""
    digit = re.search(rb"leaf_count=\d*(\d) ", data)
    assert digit is not None
    place = digit.start(1)
    return data[:place] + str((int(digit[1]) + 1) % 10).encode() + data[place + 1 :]


def test_a_bundle_records_who_explains_it(bundle) -> None:
    said = json.loads((bundle.path / "manifest.json").read_bytes())["targets"]["churn"]
    assert (said["explainer"], said["explainer_because"]) == ("tree_shap", None)
    assert bundle.scorers["churn"].explainer == "tree_shap"
    assert bundle.explainer_because == {}


def test_a_booster_that_our_engine_cannot_explain_is_named_with_the_reason(
    kit, scorers, tmp_path
) -> None:
    text = one_row_more(scorers["churn"].booster_text.encode()).decode()
    odd = replace(scorers["churn"], booster_text=text)
    golden = {"churn": kit.rows(5, 9)}
    made = write_bundle(tmp_path, {"churn": odd}, kit.catalogue(), kit.card("churn"), golden)
    assert made.scorers["churn"].explainer == "pred_contrib"
    assert re.match(r"tree 0 has .* training rows below a split", made.explainer_because["churn"])
    X = kit.rows(20, 3)
    theirs = odd.booster.predict(X, pred_contrib=True)[:, :4] * 50 / np.log(2) * 1.2
    assert np.abs(made.scorers["churn"].explain(X).reasons - theirs).max() < 1


def test_a_bundle_made_before_our_engine_is_explained_by_lightgbm(bundle, copy, kit) -> None:
    file = copy / "manifest.json"
    manifest = json.loads(file.read_bytes())
    for entry in manifest["targets"].values():
        del entry["explainer"], entry["explainer_because"]
    file.write_bytes(canonical_json(manifest).encode())
    old = load_bundle(copy, hashlib.sha256(file.read_bytes()).hexdigest())
    assert {s.explainer for s in old.scorers.values()} == {"pred_contrib"}
    assert "before our own engine" in old.explainer_because["churn"]


@pytest.mark.parametrize("what", ["base_points", "reasons"])
def test_reasons_that_our_engine_does_not_repeat_are_named(copy, what: str) -> None:
    edit = regex(rf'"{what}":(\[+-?)', rf'"{what}":\g<1>9')
    forged = forge(copy, {"golden.json": edit})
    with pytest.raises(BundleError, match=rf"churn\.lgb\.txt: its golden.*{what} of golden row 0"):
        load_bundle(copy, forged)


def test_a_damaged_tree_that_lightgbm_opens_is_named_by_our_engine(copy) -> None:
    forged = forge(copy, {"churn.lgb.txt": one_row_more})
    with pytest.raises(BundleError, match=r"churn\.lgb\.txt: tree 0 has .* training rows"):
        load_bundle(copy, forged)


class TestRefusedBeforeWriting:
    def refuse(self, kit, tmp_path, message, scorers, card=None, golden=None, catalogue=None):
        golden = {t: kit.rows(3, 1) for t in scorers} if golden is None else golden
        with pytest.raises((BundleError, InputError), match=message):
            write_bundle(
                tmp_path / "b",
                scorers,
                catalogue or kit.catalogue(),
                card or kit.card(*scorers),
                golden,
            )
        assert not (tmp_path / "b").exists()

    def test_something_beside_that_has_no_place_there(self, kit, scorers, tmp_path) -> None:
        with pytest.raises(BundleError, match=r"'pickle'.* may not stand beside"):
            write_bundle(
                tmp_path / "b",
                scorers,
                kit.catalogue(),
                kit.card(*scorers),
                {t: kit.rows(3, 1) for t in scorers},
                {"pickle": {}},
            )
        assert not (tmp_path / "b").exists()

    def test_a_feature_that_the_catalogue_withholds(self, kit, scorers, tmp_path) -> None:
        less = kit.catalogue(names=kit.features[1:])
        message = "does not give it .*spend_sum_90d"
        self.refuse(kit, tmp_path, message, {"churn": scorers["churn"]}, catalogue=less)

    def test_monotone_rules_other_than_the_catalogue_s(self, kit, scorers, tmp_path) -> None:
        loose = replace(scorers["churn"], monotone=(0, 0, 0, 0))
        self.refuse(kit, tmp_path, "not the catalogue's", {"churn": loose})

    def test_a_tree_that_breaks_a_monotone_rule(self, kit, scorers, tmp_path) -> None:
        free = kit.scorer("churn", monotone_constraints=None)
        self.refuse(kit, tmp_path, r"break a monotone rule, first tree \d+", {"churn": free})

    def test_targets_that_differ(self, kit, scorers, tmp_path) -> None:
        one = {"churn": scorers["churn"]}
        self.refuse(kit, tmp_path, "same targets", one, card=kit.card("churn", "value"))
        self.refuse(kit, tmp_path, "same targets", one, golden={})
        self.refuse(kit, tmp_path, "another target", {"value": scorers["churn"]})

    def test_no_golden_rows(self, kit, scorers, tmp_path) -> None:
        one = {"churn": scorers["churn"]}
        self.refuse(kit, tmp_path, "at least one", one, golden={"churn": np.empty((0, 4))})

    def test_a_card_with_faults(self, kit, scorers, tmp_path) -> None:
        one = {"churn": scorers["churn"]}
        self.refuse(kit, tmp_path, "seed: ", one, card=kit.card("churn", seed="x"))
