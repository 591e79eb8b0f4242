"""Reports and signatures: the same bundle, the same bytes; what was changed cannot be signed."""

from __future__ import annotations

import hashlib
import json
import re
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from domain.asof import iso
from domain.errors import BundleError, NotFoundError, PromotionError
from domain.tiers import TARGETS
from domain.workspace import Workspace
from scoring.approvals import approvals
from scoring.grouped import LANGUAGES
from scoring.registry import find_bundle, tracking_client
from tests.training.page_world import Reader
from training import report as reports
from training.report_page import page as page_of
from training.report_page import without_signatures

WHY = "Read it from first to last page."


@pytest.fixture(scope="module")
def bundle(trained):
    return trained.result.bundle


def test_the_same_bundle_makes_the_same_bytes_under_their_hash(trained, bundle):
    made = reports.make(trained.workspace, bundle, "en")
    assert made.hash == hashlib.sha256(made.html).hexdigest()
    loaded = find_bundle(trained.workspace, bundle.hash)
    assert reports.make(trained.workspace, loaded, "en") == made
    assert (trained.workspace.reports / f"{made.hash}.html").read_bytes() == made.html
    assert reports.kept(trained.workspace, made.hash) == made
    assert reports.make(trained.workspace, bundle, "zh").hash != made.hash


@pytest.mark.parametrize("target", TARGETS)
def test_the_run_of_every_target_keeps_the_report_that_can_be_signed(trained, bundle, target):
    client, run_id = tracking_client(trained.workspace), trained.result.targets[target].run_id

    def logged(name):
        return Path(client.download_artifacts(run_id, f"report/validation.{name}")).read_bytes()

    for lang in LANGUAGES:
        assert logged(f"{lang}.html") == reports.make(trained.workspace, bundle, lang).html
    assert logged("json") == reports.as_json(bundle)
    assert json.loads(logged("json"))["bundle"] == bundle.hash


def test_a_bundle_is_found_by_hash_by_run_and_as_the_latest(trained, bundle):
    runs = [r.run_id for r in trained.result.targets.values()]
    for named in (bundle.hash, *runs, "latest"):
        found = reports.bundle_of(trained.workspace, named).hash
        assert found == bundle.hash or named == "latest"
    assert tracking_client(trained.workspace).get_run(runs[0]).data.tags["bundle"] == bundle.hash
    for named in ("f" * 64, "e" * 32, "nonsense", "../x"):
        with pytest.raises(NotFoundError):
            reports.bundle_of(trained.workspace, named)


def test_nothing_is_the_latest_before_a_training(tmp_path):
    with pytest.raises(NotFoundError, match="nothing was trained for shop"):
        reports.bundle_of(Workspace(tmp_path, "shop"), "latest")


def test_a_bundle_without_these_figures_makes_no_report(bundle):
    with pytest.raises(BundleError, match="the card names no policy"):
        reports.content(replace(bundle, card={**bundle.card, "policy": None}))
    old = json.loads(json.dumps(bundle.card))
    old["targets"]["churn"]["figures"]["validation"]["format"] = 99
    with pytest.raises(BundleError, match="train again"):
        reports.content(replace(bundle, card=old))
    del old["targets"]["churn"]["figures"]["validation"]
    with pytest.raises(BundleError, match="holds no figures that this report reads"):
        reports.content(replace(bundle, card=old))


def test_a_changed_report_cannot_be_signed(trained, bundle):
    made = reports.make(trained.workspace, bundle, "en")
    file = trained.workspace.reports / f"{made.hash}.html"
    forged = made.html.replace(b"Limits", b"Merits")
    assert forged != made.html
    file.write_bytes(forged)
    with pytest.raises(PromotionError, match="it was changed, make it again"):
        reports.kept(trained.workspace, made.hash)
    other = trained.workspace.reports / f"{hashlib.sha256(forged).hexdigest()}.html"
    other.write_bytes(forged)
    with pytest.raises(PromotionError, match="is not what bundle"):
        reports.kept(trained.workspace, other.stem)
    other.unlink()
    assert reports.make(trained.workspace, bundle, "en") == reports.kept(
        trained.workspace, made.hash
    )
    with pytest.raises(NotFoundError, match="`tierline report` makes one"):
        reports.kept(trained.workspace, "a" * 64)


def tierline(trained, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["--home", str(trained.workspace.home), *words])
    assert done.exit_code == code, done.output
    return done.output


def test_the_commands_report_and_approve(trained, bundle, tmp_path):
    page, pack = tmp_path / "r.html", tmp_path / "r.json"
    said = tierline(
        trained, "report", bundle.hash, "--lang", "zh", "--html", str(page), "--json", str(pack)
    )
    report = re.search(r"report ([0-9a-f]{64})", said)[1]
    assert "approved by nobody" in said
    assert hashlib.sha256(page.read_bytes()).hexdigest() == report
    assert pack.read_bytes() == reports.as_json(bundle)
    asked = ("approve", report, "--reason", WHY)
    refused = tierline(trained, *asked, "--by", "unnamed", code=2)
    assert "may not approve it: ask a second person" in refused
    assert "approved by Wang" in tierline(trained, *asked, "--by", "Wang")
    assert approvals(trained.workspace)[-1].report == report
    again = tierline(trained, "approve", bundle.hash, "--reason", WHY, "--by", "Li")
    english = reports.make(trained.workspace, bundle, "en")
    assert f"report {english.hash}" in again
    told = tierline(trained, "report", bundle.hash, "--html", str(page))
    assert f"approved by Li: {WHY}" in told
    assert f"report {english.hash}" in told
    assert page.read_bytes() != english.html
    assert f"report {english.hash}" in tierline(trained, "report", str(page))
    signed = tierline(trained, "approve", str(page), "--reason", WHY, "--by", "Zhao")
    assert f"report {english.hash}" in signed


@pytest.fixture
def signed(trained, bundle) -> reports.Report:
    """A report that somebody signed, and that shows it."""
    made = reports.make(trained.workspace, bundle, "zh")
    reports.approve(
        trained.workspace, made.hash, "zh", by="Sun <b>", reason=WHY, at=time.time_ns() // 1000
    )
    return made


def test_a_page_shows_who_signed_it_and_keeps_the_hash_that_was_signed(trained, signed, tmp_path):
    page = tmp_path / "handed over.html"
    page.write_bytes(reports.shown(trained.workspace, signed))
    read = Reader(page.read_text(encoding="utf-8"))
    last = read.tables["signed"][0][-1]
    approval = approvals(trained.workspace)[-1]
    assert last == ["Sun <b>", iso(approval.at), WHY, signed.hash]
    assert read.open == []
    assert hashlib.sha256(page.read_bytes()).hexdigest() != signed.hash
    assert without_signatures(page.read_bytes()) == signed.html
    assert reports.checked(trained.workspace, page) == signed
    page.write_bytes(signed.html)
    assert reports.checked(trained.workspace, page) == signed
    with pytest.raises(NotFoundError, match="no file"):
        reports.checked(trained.workspace, tmp_path / "none.html")


@pytest.mark.parametrize(
    ("changed", "by", "error"),
    [
        (WHY.encode(), b"Never read it, but fine.", PromotionError),
        (b"Sun &lt;b&gt;", b"Qian", PromotionError),
        (b'<section id="signed">', b'<section id="signed"><p>', PromotionError),
        (b"<h1>", b"<h1>! ", NotFoundError),
        (b"</html>", b"</html> ", NotFoundError),
    ],
)
def test_a_page_changed_in_its_text_or_its_signatures_is_refused(
    trained, signed, tmp_path, changed, by, error
):
    page = tmp_path / "forged.html"
    shown = reports.shown(trained.workspace, signed)
    assert changed in shown
    page.write_bytes(shown.replace(changed, by))
    with pytest.raises(error):
        reports.checked(trained.workspace, page)


def test_a_changed_bundle_breaks_the_signature_of_its_report(trained, bundle):
    made = reports.make(trained.workspace, bundle, "en")
    card = trained.workspace.bundles / bundle.hash / "card.json"
    true = card.read_bytes()
    try:
        card.write_bytes(true.replace(b'"passed"', b'"failed"', 1))
        with pytest.raises(BundleError, match="damaged"):
            reports.kept(trained.workspace, made.hash)
        with pytest.raises(BundleError, match="damaged"):
            reports.approve(
                trained.workspace, bundle.hash, "en", by="Li", reason=WHY, at=2**52
            )  # fmt: skip
    finally:
        card.write_bytes(true)
    assert reports.kept(trained.workspace, made.hash) == made


def test_a_changed_figure_changes_the_json_and_both_pages(bundle):
    card = json.loads(json.dumps(bundle.card))
    card["targets"]["churn"]["figures"]["test"]["auc"] += 0.01
    other = replace(bundle, card=card)
    assert reports.as_json(other) != reports.as_json(bundle)
    for lang in LANGUAGES:
        assert page_of(reports.content(other), lang) != page_of(
            reports.content(bundle), lang
        )  # fmt: skip


def test_the_command_cuts_prints_a_fragment_that_a_policy_file_takes(trained, bundle):
    said = tierline(trained, "cuts", bundle.hash)
    told = bundle.card["targets"]["value"]["figures"]["validation"]["tiers"]
    steps = tomllib.loads(said)["cuts"]["value"]
    assert [s.get("from_points") for s in steps] == [None, *told["suggested"]["bounds"]]
    assert f"# these cuts: macro-F1 {told['suggested']['macro_f1']:.3f}" in said
    assert f"# the policy's cuts: macro-F1 {told['macro_f1']:.3f}" in said


def test_a_bundle_without_value_suggests_no_cuts(bundle):
    card = {**bundle.card, "targets": {"churn": bundle.card["targets"]["churn"]}}
    with pytest.raises(NotFoundError, match="suggests no cuts: take one of a source with value"):
        reports.suggested_cuts(replace(bundle, card=card))
