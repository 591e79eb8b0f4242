"""The report of a bundle: its content, its bytes under their hash, and who may sign it.

Enters: a workspace and what names a bundle. Leaves: JSON, HTML in `reports/<hash>.html`, files of
MLflow runs, a line in the log of approvals. All of it is made from the bundle alone: the same
bundle, the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.decision import canonical_json
from domain.errors import BundleError, NotFoundError, PromotionError
from domain.workspace import Workspace
from events.durable import replace_file
from features.catalogue import Language
from scoring import approvals
from scoring.approvals import Approval
from scoring.bundle import Bundle
from scoring.grouped import LANGUAGES
from scoring.registry import BUNDLE_TAG, find_bundle
from scoring.tracking import tracking_client
from training.validate import FORMAT
from training.validation_page import page

LATEST = "latest"
_HASH = re.compile(r"[0-9a-f]{64}")
_RUN = re.compile(r"[0-9a-f]{32}")
_ABOUT = re.compile(rb'<main data-bundle="([0-9a-f]{64})"')


@dataclass(frozen=True)
class Report:
    """A report in one language, by the SHA-256 of its bytes."""

    bundle: str
    html: bytes

    @property
    def hash(self) -> str:
        """What a second person signs."""
        return hashlib.sha256(self.html).hexdigest()


def bundle_of(workspace: Workspace, named: str) -> Bundle:
    """The bundle of a hash, of an MLflow run, or the latest that was trained.

    Raises:
        NotFoundError: nothing has this name here.
        BundleError: it is damaged.
    """
    if named == LATEST:
        past = approvals.trainings(workspace)
        if not past:
            raise NotFoundError(f"nothing was trained for {workspace.source}: `tierline run` does")
        return find_bundle(workspace, past[-1].bundle)
    if _RUN.fullmatch(named):
        return find_bundle(workspace, _of_run(workspace, named))
    return find_bundle(workspace, named)


def suggested_cuts(bundle: Bundle) -> tuple[list[int], list[str]]:
    """The suggested cuts of value, and what tiers are worth on the test by them and by the
    policy's.

    Raises:
        NotFoundError: the bundle suggests none.
    """
    value = bundle.card["targets"].get("value", {"figures": {}})
    found = value["figures"].get("validation", {}).get("tiers") or {}
    if "suggested" not in found:
        raise NotFoundError(
            f"bundle {bundle.hash[:12]} suggests no cuts: take one of a source with value and with "
            "customers who calibrate, and train it again if it is older than these"
        )
    better, far = found["suggested"], ("high_for_low", "low_for_high")
    said = [
        f"{name}: macro-F1 {t['macro_f1']:.3f}, quadratic kappa {t['quadratic_kappa'] or 0:.3f}, "
        f"far errors {sum(t[n] for n in far):.1%}"
        for name, t in (("the policy's cuts", found), ("these cuts", better))
    ]
    return list(better["bounds"]), said


def _of_run(workspace: Workspace, run_id: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        tags = tracking_client(workspace).get_run(run_id).data.tags
    except MlflowException:
        tags = {}
    if BUNDLE_TAG not in tags:
        raise NotFoundError(
            f"no run {run_id} that came to a bundle: give the run of a target (not of a trial), "
            f"the hash of a bundle, or `{LATEST}`"
        )
    return str(tags[BUNDLE_TAG])


def content(bundle: Bundle) -> dict[str, Any]:
    """Everything that a report says, as plain JSON.

    Raises:
        BundleError: the bundle was made before there were reports.
    """
    told = [t["figures"].get("validation", {}) for t in bundle.card["targets"].values()]
    if bundle.card.get("policy") is None or any(v.get("format") != FORMAT for v in told):
        raise BundleError(
            f"the card of bundle {bundle.hash[:12]} holds no figures that this report reads: "
            "make it with the Tierline that made the bundle, or train again"
        )
    return {
        "bundle": bundle.hash,
        "tierline": bundle.tierline,
        "catalogue": bundle.catalogue_hash,
        "card": dict(bundle.card),
        "global_view": dict(bundle.beside.get("global_view", {})),
    }


def as_json(bundle: Bundle) -> bytes:
    """The content as canonical JSON."""
    return canonical_json(content(bundle)).encode()


def make(workspace: Workspace, bundle: Bundle, lang: Language) -> Report:
    """The report, kept under its hash."""
    found = Report(bundle.hash, page(content(bundle), lang).encode())
    workspace.reports.mkdir(parents=True, exist_ok=True)
    replace_file(workspace.reports / f"{found.hash}.html", found.html)
    return found


def log(workspace: Workspace, bundle: Bundle, runs: Sequence[str]) -> None:
    """The report in every language and as JSON, with MLflow, under `report/` of the runs."""
    told, client = content(bundle), tracking_client(workspace)
    files = {f"validation.{lang}.html": page(told, lang) for lang in LANGUAGES}
    files["validation.json"] = canonical_json(told)
    for run_id in runs:
        for name, text in files.items():
            client.log_text(run_id, text, f"report/{name}")


def kept(workspace: Workspace, report_hash: str) -> Report:
    """The report that was kept under a hash, which must be what its bundle makes today.

    Raises:
        NotFoundError: none was kept.
        PromotionError: its bytes have another hash, or its bundle makes another report.
    """
    file = workspace.reports / f"{report_hash}.html"
    if not _HASH.fullmatch(report_hash) or not file.is_file():
        raise NotFoundError(
            f"no report {report_hash[:64]!r} of {workspace.source}: `tierline report` makes one"
        )
    html = file.read_bytes()
    about = _ABOUT.search(html)
    found = Report(about[1].decode() if about else "", html)
    if found.hash != report_hash:
        raise PromotionError(
            f"the report has hash {found.hash[:12]}, not {report_hash[:12]}: it was changed, make "
            "it again"
        )
    told = content(find_bundle(workspace, found.bundle))
    if html not in [page(told, lang).encode() for lang in LANGUAGES]:
        raise PromotionError(
            f"report {report_hash[:12]} is not what bundle {found.bundle[:12]} makes: make it "
            "again, read it and sign that one"
        )
    return found


def approve(
    workspace: Workspace, named: str, lang: Language, *, by: str, reason: str, at: int
) -> Approval:
    """The approval of a report by its hash, or of a bundle by the report it makes now.

    Raises:
        NotFoundError: no such report or bundle.
        PromotionError: the report was changed, or who trained the bundle signs it.
        InputError: nobody is named or the reason says nothing.
    """
    if (workspace.bundles / named).is_dir() or not _HASH.fullmatch(named):
        report = make(workspace, bundle_of(workspace, named), lang)
    else:
        report = kept(workspace, named)
    return approvals.approve(
        workspace, report.bundle, report.hash, by=by, reason=reason, at=at
    )  # fmt: skip
