"""Registration and promotion with MLflow itself: no verdict, no parity, no reason: not live."""

from __future__ import annotations

import json
import os
import pickle
import pickletools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from mlflow import MlflowClient

from cli import promote as promote_command
from cli_models import live as live_shown
from domain.asof import parse_instant
from domain.decision import content_hash
from domain.errors import BundleError, InputError, NotFoundError, PromotionError, RecordError
from domain.policy import default_policy, default_policy_text
from domain.workspace import Workspace
from features.parity import Certificate
from scoring.approvals import approve, trained
from scoring.bundle import Bundle, write_bundle
from scoring.card import Accepted
from scoring.registry import (
    accept,
    alias_differs,
    find_bundle,
    history,
    live,
    promote,
    register,
    superseded_by,
)
from serving.desk import keep_policy

# MLflow 3.17 maps its tables with a loader that SQLAlchemy 2.1 deprecates
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")

JUNE = parse_instant("2011-06-01")
ACCEPTED = {"by": "Wang Fang", "reason": "a logistic regression wins here, and we say so"}
PANEL = "d" * 64
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def shop(home: Path, request: pytest.FixtureRequest) -> Workspace:
    """A source of its own for each test; they share one MLflow, as in life."""
    own = Workspace(home, f"shop_{abs(hash(request.node.name))}")
    panel = own.features / "live"
    panel.mkdir(parents=True)
    (panel / "panel.sha256").write_text(PANEL + "\n", encoding="ascii")
    return own


@pytest.fixture
def write(kit, scorers, shop) -> Callable[..., Bundle]:
    def make(**card) -> Bundle:
        one = {"churn": scorers["churn"]}
        content = kit.card("churn", **{"source": shop.source, **card})
        return write_bundle(shop.bundles, one, kit.catalogue(), content, {"churn": kit.rows(3, 1)})

    return make


def client(shop: Workspace) -> MlflowClient:
    return MlflowClient(shop.tracking_uri, shop.tracking_uri)


def go(shop: Workspace, bundle: Bundle, at: int = JUNE, **more):
    plain = {"by": "Li", "reason": None, "certificate": certificate(shop, bundle)}
    return promote(shop, bundle.hash, **{**plain, **more}, at=at)


def certificate(shop: Workspace, bundle: Bundle, **of) -> Certificate:
    """A certificate of the features in use, or of something else."""
    plain = {
        "project": f"tierline_{shop.source}", "catalogue": bundle.catalogue_hash, "panel": PANEL,
        "store": "sqlite", "as_of": "2011-06-01T00:00:00Z", "customers": 20, "pushed": 0,
        "features": 3, "mismatches": {}, "at": "2011-06-01T00:00:00Z",
    }  # fmt: skip
    return Certificate(**{**plain, **of}).sealed()


def test_a_registered_bundle_has_its_files_and_tags_in_mlflow(shop, write, tmp_path) -> None:
    bundle = write()
    version = register(shop, bundle)
    held = client(shop).get_model_version(f"tierline-{shop.source}", version)
    assert held.tags | {"bundle": bundle.hash, "verdict": "passed", "targets": "churn"} == held.tags
    copied = Path(client(shop).download_artifacts(held.run_id, "model/bundle", str(tmp_path)))
    for file in bundle.path.iterdir():
        assert (copied / file.name).read_bytes() == file.read_bytes()
    assert held.source == f"{client(shop).get_run(held.run_id).info.artifact_uri}/model"
    assert held.source.startswith(shop.artifacts_uri)


def test_a_version_says_which_catalogue_policy_data_code_and_lock_it_was_made_with(
    shop, write, monkeypatch
):
    bundle, mlflow = write(), client(shop)
    version = register(shop, bundle)
    held = mlflow.get_model_version(f"tierline-{shop.source}", version)
    assert held.tags["catalogue"] == bundle.catalogue_hash
    assert held.tags["policy"] == default_policy().hash
    assert held.tags["data"] == content_hash(bundle.card["data"])
    assert held.tags["lock"] == bundle.card["lock_hash"]
    assert held.tags["version"] == bundle.tierline
    run = mlflow.get_run(held.run_id).data.tags
    for name in ("catalogue", "policy", "data", "lock", "version"):
        assert run[name] == held.tags[name]


def test_what_the_registry_holds_is_json_yaml_or_native_boosters_and_no_pickle(
    shop, write, tmp_path
):
    held = client(shop).get_model_version(f"tierline-{shop.source}", register(shop, write()))
    folder = Path(client(shop).download_artifacts(held.run_id, "", str(tmp_path)))
    files = [f for f in folder.rglob("*") if f.is_file()]
    assert {f.name for f in files} > {"MLmodel", "input_example.json", "churn.lgb.txt"}
    assert [f.name for f in files if is_pickle(f.read_bytes()) or not is_plain(f)] == []


def is_pickle(data: bytes) -> bool:
    """Whether the opcodes of the bytes are those of a pickle, from the first to the stop."""
    try:
        return bool(list(pickletools.genops(data)))
    except (ValueError, UnicodeDecodeError):
        return False


def is_plain(file: Path) -> bool:
    if file.suffix == ".json":
        return isinstance(json.loads(file.read_text("utf-8")), dict)
    if file.name == "MLmodel":
        return set(yaml.safe_load(file.read_text("utf-8"))["flavors"]) == {"tierline"}
    return file.name.endswith(".lgb.txt") and file.read_text("ascii").startswith("tree\n")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_any_protocol_would_be_found(protocol):
    assert is_pickle(pickle.dumps({"a": [1, 2.5, "b"]}, protocol))


def test_an_alias_that_somebody_moved_is_told_until_a_promotion_sets_it_again(shop, write) -> None:
    first, second = write(), write(seed=8)
    name, mlflow = f"tierline-{shop.source}", client(shop)
    assert alias_differs(shop) is None, "neither the log nor MLflow knows anything"
    versions = {b.hash: register(shop, b) for b in (first, second)}
    go(shop, first)
    assert alias_differs(shop) is None
    mlflow.set_registered_model_alias(name, "live", versions[second.hash])
    said = alias_differs(shop)
    assert said and f"names {second.hash[:12]}, the deployment log {first.hash[:12]}" in said
    mlflow.delete_registered_model_alias(name, "live")
    assert "names no bundle" in (alias_differs(shop) or "")
    go(shop, first, JUNE + 1)
    assert alias_differs(shop) is None
    assert len(history(shop)) == 1


def test_an_alias_without_a_log_is_told(shop, write) -> None:
    version = register(shop, write())
    client(shop).set_registered_model_alias(f"tierline-{shop.source}", "live", version)
    assert "the deployment log no bundle" in (alias_differs(shop) or "")


def test_a_bundle_is_registered_once(shop, write) -> None:
    bundle = write()
    first = register(shop, bundle)
    assert register(shop, bundle) == first
    assert register(shop, write(seed=8)) != first


def test_the_files_may_stand_with_the_training_run(shop, write) -> None:
    mlflow = client(shop)
    run = mlflow.create_run(mlflow.create_experiment(shop.source, shop.artifacts_uri))
    version = register(shop, write(), run.info.run_id)
    held = mlflow.get_model_version(f"tierline-{shop.source}", version)
    assert held.run_id == run.info.run_id
    assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"


def test_a_failed_verdict_needs_a_written_reason_to_be_registered(shop, write) -> None:
    with pytest.raises(PromotionError, match="churn did not pass"):
        register(shop, write(targets={"churn": {"verdict": "failed"}}))
    accepted = write(targets={"churn": {"verdict": "failed"}}, accepted=ACCEPTED)
    version = register(shop, accepted)
    held = client(shop).get_model_version(f"tierline-{shop.source}", version)
    assert held.tags["verdict"] == "failed, accepted with a reason"
    assert go(shop, accepted).bundle == accepted.hash


def test_promotion_and_rollback_set_the_alias_and_the_log(shop, write) -> None:
    first, second = write(), write(seed=8)
    versions = {b.hash: register(shop, b) for b in (first, second)}
    done = []
    for hours, bundle in enumerate((first, second, first)):
        at = JUNE + hours * 3_600_000_000
        done.append(go(shop, bundle, at, reason="a better one" if hours else None))
        alias = client(shop).get_model_version_by_alias(f"tierline-{shop.source}", "live")
        assert str(alias.version) == versions[bundle.hash]
        assert live(shop) == done[-1]
    assert history(shop) == tuple(done)
    assert live(shop, JUNE + 1).bundle == first.hash
    assert live(shop, JUNE + 3_600_000_000).bundle == second.hash
    kept = {f.stem for f in shop.certificates.iterdir()}
    assert {d.parity for d in done} == kept == {certificate(shop, b).hash for b in (first, second)}
    assert find_bundle(shop, live(shop).bundle) == first


def test_nothing_is_live_before_a_promotion(shop) -> None:
    with pytest.raises(NotFoundError, match="no bundle is live"):
        live(shop)
    assert history(shop) == ()


def refused(shop: Workspace, error: type[Exception], message: str, *args, **more) -> str:
    with pytest.raises(error, match=message) as caught:
        go(shop, *args, **more)
    assert not shop.deployments.exists()
    return str(caught.value)


def test_features_that_differ_are_not_promoted(shop, write) -> None:
    bundle = write()
    register(shop, bundle)
    failed = certificate(shop, bundle, mismatches={"spend_sum_90d": 2})
    for reason in (None, "do it anyway"):
        refused(
            shop, PromotionError, r"differ: spend_sum_90d \(2\)", bundle, certificate=failed,
            reason=reason,
        )  # fmt: skip


def test_features_not_compared_are_not_promoted_whatever_the_reason(shop, write) -> None:
    bundle = write()
    register(shop, bundle)
    for reason in (None, "no online store here"):
        refused(
            shop, PromotionError, "were not compared", bundle, certificate=None, reason=reason
        )  # fmt: skip


@pytest.mark.parametrize("of", ["catalogue", "panel", "project"])
def test_a_certificate_of_other_features_is_refused(shop, write, of) -> None:
    bundle = write()
    register(shop, bundle)
    other = certificate(shop, bundle, **{of: "another"})
    refused(
        shop, PromotionError, "the certificate of parity is of another", bundle, certificate=other
    )


def test_without_features_nothing_is_promoted(shop, write) -> None:
    bundle = write()
    register(shop, bundle)
    (shop.features / "live" / "panel.sha256").unlink()
    refused(shop, NotFoundError, "tierline features", bundle)


def judged_by(**gates) -> dict:
    plain = {
        "calibration_tolerance": 0.03, "sum_ratio": [0.8, 1.25], "score_psi": 0.25,
        "group_difference": 0.1, "group_ratio": 0.8, "approval": False,
    }  # fmt: skip
    return {"version": "1", "hash": "a" * 64, "gates": {**plain, **gates}}


NOT_JUDGED = {"churn": {"verdict": "partly judged", "not_judged": ["groups of gender: ratio"]}}


def test_a_gate_that_was_not_judged_is_named_at_registration(shop, write) -> None:
    version = register(shop, write(targets=NOT_JUDGED, policy=judged_by()))
    tags = client(shop).get_model_version(f"tierline-{shop.source}", version).tags
    assert tags["verdict"] == "partly judged"
    assert tags["not_judged"] == "churn: groups of gender: ratio"


def test_where_the_policy_says_that_it_blocks_it_is_accepted_in_writing_or_not_live(
    shop, write
) -> None:
    bundle = write(targets=NOT_JUDGED, policy=judged_by(block_not_judged=True))
    with pytest.raises(PromotionError, match="churn: groups of gender: ratio did not pass"):
        register(shop, bundle)
    refused(shop, PromotionError, "did not pass", bundle)
    copy = accept(shop, bundle.hash, Accepted(**ACCEPTED), JUNE)
    assert go(shop, copy).accepted == ACCEPTED


def test_where_the_policy_asks_for_a_second_person_nothing_goes_live_without(shop, write) -> None:
    bundle = write(policy=judged_by(approval=True))
    register(shop, bundle)
    refused(shop, PromotionError, "asks for a second person", bundle, reason="we are in a hurry")
    trained(shop, bundle.hash, "Li", JUNE)
    signed = approve(shop, bundle.hash, "e" * 64, by="Wang", reason="read every page", at=JUNE)
    assert go(shop, bundle).approval == signed.hash
    assert history(shop)[-1].approval == signed.hash


@pytest.fixture
def lacking(shop, write) -> Callable[..., Bundle]:
    """A written bundle that failed, that nobody signed, or both; registered where it may be."""

    def make(*, failed: bool, unsigned: bool) -> Bundle:
        verdict = "failed" if failed else "passed"
        bundle = write(targets={"churn": {"verdict": verdict}}, policy=judged_by(approval=unsigned))
        trained(shop, bundle.hash, "Li", JUNE)
        if not failed:
            register(shop, bundle)
        return bundle

    return make


@pytest.mark.parametrize(("failed", "unsigned"), [(True, False), (False, True), (True, True)])
def test_a_failed_gate_and_a_missing_signature_have_one_way_round_that_the_bundle_carries(
    shop, lacking, failed, unsigned
):
    bundle = lacking(failed=failed, unsigned=unsigned)
    refused(shop, PromotionError, "--accept REASON --by NAME", bundle, reason="in a hurry")
    copy = accept(shop, bundle.hash, Accepted(**ACCEPTED), JUNE)
    said = {"accepted": ACCEPTED if failed else None, "unapproved": ACCEPTED if unsigned else None}
    assert copy.card == {**bundle.card, **said}
    assert copy.hash != bundle.hash
    assert (copy.scorers, copy.golden, copy.beside) == (
        bundle.scorers,
        bundle.golden,
        bundle.beside,
    )
    done = go(shop, copy)
    told = {name: getattr(done, name) for name in said}
    assert told == said
    line = json.loads(shop.deployments.read_text())
    assert {name: line.get(name) for name in said} == said
    assert history(shop) == (done,)
    shown = CliRunner().invoke(live_shown, ["--source", shop.source], obj=shop.home)
    assert shown.output.count("by Wang Fang: a logistic") == failed + unsigned
    assert ("failed, accepted" in shown.output) == failed
    assert ("not approved, accepted" in shown.output) == unsigned


def test_what_was_signed_before_it_was_accepted_is_signed_again_and_not_by_its_author(
    shop, lacking
):
    bundle = lacking(failed=True, unsigned=True)
    why = {"reason": "read every page", "at": JUNE}
    approve(shop, bundle.hash, "e" * 64, by="Wang", **why)
    copy = accept(shop, bundle.hash, Accepted(**ACCEPTED), JUNE)
    assert copy.card == {**bundle.card, "accepted": ACCEPTED}
    refused(shop, PromotionError, "asks for a second person", copy)
    with pytest.raises(PromotionError, match="Li trained bundle"):
        approve(shop, copy.hash, "f" * 64, by="Li", **why)
    signed = approve(shop, copy.hash, "f" * 64, by="Wang", **why)
    assert go(shop, copy).approval == signed.hash


def test_where_nothing_speaks_against_a_bundle_there_is_nothing_to_accept(shop, lacking) -> None:
    bundle = lacking(failed=False, unsigned=False)
    with pytest.raises(PromotionError, match="nothing speaks against"):
        accept(shop, bundle.hash, Accepted(**ACCEPTED), JUNE)
    assert [f.name for f in shop.bundles.iterdir()] == [bundle.hash]


@pytest.mark.parametrize(
    "words",
    [("--accept", "", "--by", "Li"), ("--accept", " " * 20, "--by", "Li"),
     ("--accept", "a pilot of ninety days", "--by", "unnamed"),
     ("--accept", "a pilot of ninety days", "--by", "  ")],
)  # fmt: skip
def test_without_a_name_or_a_reason_the_command_accepts_nothing(shop, lacking, words) -> None:
    bundle = lacking(failed=True, unsigned=True)
    command = ["--source", shop.source, "--bundle", bundle.hash, *words]
    done = CliRunner().invoke(promote_command, command, obj=shop.home)
    assert isinstance(done.exception, InputError)
    assert [f.name for f in shop.bundles.iterdir()] == [bundle.hash]
    assert not shop.deployments.exists()


def test_where_it_asks_for_none_a_promotion_names_no_approval(shop, write) -> None:
    bundle = write(policy=judged_by())
    register(shop, bundle)
    assert go(shop, bundle).approval is None
    assert b"approval" not in shop.deployments.read_bytes()


def test_a_bundle_judged_by_a_policy_of_tomorrow_goes_live_from_tomorrow(shop, write) -> None:
    bundle = write(policy={**judged_by(), "effective_at": "2011-06-01T08:00:00.000001+08:00"})
    register(shop, bundle)
    refused(shop, PromotionError, "takes effect at 2011-06-01 00:00 UTC: promote it then", bundle)
    assert go(shop, bundle, JUNE + 1).at == JUNE + 1


def test_the_latest_policy_that_decided_here_since_supersedes_the_one_that_judged(
    shop, write
) -> None:
    bundle = write(policy={**judged_by(), "effective_at": "2026-01-01T00:00:00Z"})
    assert superseded_by(shop, bundle.hash, parse_instant("2027-01-01")) is None
    text = default_policy_text().replace("\nversion = ", '\nversion = "x" # ')
    for day in ("2025-06-01", "2026-01-01", "2026-03-01", "2026-05-01"):
        keep_policy(shop, text.replace("2026-01-01T", f"{day}T").replace('"x"', f'"of-{day}"'))
    found = {
        at: superseded_by(shop, bundle.hash, parse_instant(at))
        for at in ("2026-02-28", "2026-03-01", "2026-04-30", "2026-12-01")
    }
    assert [p and p.version for p in found.values()] == [
        None, "of-2026-03-01", "of-2026-03-01", "of-2026-05-01"
    ]  # fmt: skip
    older = write(policy=judged_by())
    assert superseded_by(shop, older.hash, parse_instant("2027-01-01")) is None


def test_nobody_cannot_promote(shop, write) -> None:
    refused(shop, PromotionError, "nobody is named", write(), by=" ")


def test_an_unregistered_unknown_or_damaged_bundle_is_not_promoted(shop, write) -> None:
    bundle = write()
    refused(shop, PromotionError, "is not registered", bundle)
    register(shop, bundle)
    for name in ("f" * 64, "../" + bundle.hash, ""):
        with pytest.raises(NotFoundError, match="give the whole hash"):
            passed = certificate(shop, bundle)
            promote(shop, name, by="Li", reason=None, at=JUNE, certificate=passed)
    (bundle.path / "golden.json").write_bytes(b"{}")
    refused(shop, BundleError, r"golden\.json is damaged", bundle)


def test_an_edited_log_stops_promotion_and_live(shop, write) -> None:
    first, second = write(), write(seed=8)
    for bundle in (first, second):
        register(shop, bundle)
    go(shop, first)
    shop.deployments.write_text(shop.deployments.read_text().replace(first.hash, second.hash))
    with pytest.raises(RecordError, match="line 1"):
        live(shop)
    with pytest.raises(RecordError, match="line 1"):
        go(shop, second)


def test_after_a_crash_before_the_alias_promoting_again_sets_it(shop, write) -> None:
    first, second = write(), write(seed=8)
    versions = {b.hash: register(shop, b) for b in (first, second)}
    go(shop, first)
    done = go(shop, second, JUNE + 1)
    name = f"tierline-{shop.source}"
    client(shop).set_registered_model_alias(name, "live", versions[first.hash])
    assert live(shop) == done, "the log is authoritative"
    assert go(shop, second, JUNE + 2) == done
    alias = client(shop).get_model_version_by_alias(name, "live")
    assert str(alias.version) == versions[second.hash]


def test_serving_asks_what_is_live_without_loading_mlflow() -> None:
    code = (
        "import scoring.registry, sys; sys.exit(any(m.startswith('mlflow') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_first_registration_in_a_home_says_nothing(bundle, tmp_path) -> None:
    code = (
        "import sys; from pathlib import Path; from domain.workspace import Workspace; "
        "from scoring.bundle import load_bundle; from scoring.registry import register; "
        "path = Path(sys.argv[1]); b = load_bundle(path, path.name); "
        "register(Workspace(Path(sys.argv[2]), 'shop'), b)"
    )
    command = [sys.executable, "-c", code, str(bundle.path), str(tmp_path / "new" / "home")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, env={**os.environ})
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "new" / "home" / "mlflow.db").exists()


def test_mlflow_holds_no_name_of_who_promoted(shop, write, home) -> None:
    bundle = write()
    register(shop, bundle)
    go(shop, bundle, by="Zhuge Liang", reason="because of Huang Yueying")
    assert json.loads(shop.deployments.read_text())["by"] == "Zhuge Liang"
    database = (home / "mlflow.db").read_bytes()
    assert b"Zhuge" not in database and b"Yueying" not in database
