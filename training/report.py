"""The report of a bundle: its content, its bytes under their hash, and who may sign it.

Enters: a workspace and what names a bundle. Leaves: JSON, HTML in `reports/<hash>.html`, files of
MLflow runs, a line in the log of approvals. All of it is made from the bundle alone: the same
bundle, the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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
from training.report_model import FILE, FORMAT, Content, read
from training.report_page import page, with_signatures, without_signatures

LATEST, PAGE = "latest", ".html"
_HASH = re.compile(r"[0-9a-f]{64}")
_RUN = re.compile(r"[0-9a-f]{32}")
_ABOUT = re.compile(rb'<main data-bundle="([0-9a-f]{64})" data-lang="(zh|en)">')


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
    """The bundle of a hash, of an MLflow run, of a page that was handed over (`FILE.html`), or the
    latest that was trained.

    Raises:
        NotFoundError: nothing has this name here.
        BundleError: it is damaged.
        PromotionError: the page is none that it makes, or its signatures are not those of the log.
    """
    if named.endswith(PAGE):
        return find_bundle(workspace, checked(workspace, Path(named)).bundle)
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
    if not found.get("suggested"):
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


def as_json(bundle: Bundle) -> bytes:
    """Everything that a report says, as canonical JSON: the bundle's card, and each target's
    figures with its view of reasons.

    Raises:
        BundleError: the bundle was made for other reports, or before there were any.
    """
    card, views = dict(bundle.card), bundle.beside.get("global_view", {})
    targets = {t: _told(v["figures"], views.get(t)) for t, v in card["targets"].items()}
    verdicts = {
        t: {n: w for n, w in v.items() if n != "figures"} for t, v in card["targets"].items()
    }
    found = {
        "bundle": bundle.hash,
        "tierline": bundle.tierline,
        "catalogue": bundle.catalogue_hash,
        "card": {**card, "targets": verdicts},
        "targets": targets,
    }
    return canonical_json(found).encode()


def _told(figures: Mapping[str, Any], view: Mapping[str, Any] | None) -> dict[str, Any]:
    """One target of the JSON, from its figures in the card of a bundle."""
    found = figures.get("validation", {})
    if found.get("format") != FORMAT:
        raise BundleError(
            "the bundle holds no figures that this report reads: make it with the Tierline that "
            "made the bundle, or train again"
        )
    parts = {n: v for n, v in figures.items() if n.startswith(("test", "earlier_"))}
    rest = {n: v for n, v in figures.items() if n not in {*parts, "verdict", "validation"}}
    return {**rest, **found, "parts": parts, "view": view}


def content(bundle: Bundle) -> Content:
    """What the page is made from: the JSON of the report, read and checked.

    Raises:
        BundleError: as `as_json` and `read`.
    """
    return read(as_json(bundle))


def make(workspace: Workspace, bundle: Bundle, lang: Language) -> Report:
    """The report, kept under its hash."""
    found = Report(bundle.hash, page(content(bundle), lang).encode())
    workspace.reports.mkdir(parents=True, exist_ok=True)
    replace_file(workspace.reports / f"{found.hash}.html", found.html)
    return found


def shown(workspace: Workspace, report: Report, most: int | None = None) -> bytes:
    """The page with a box of who signed reports of its bundle, the first `most` of them; without
    the box where nobody did."""
    signed = [a for a in approvals.approvals(workspace) if a.bundle == report.bundle][:most]
    about = _ABOUT.search(report.html)
    if not signed or about is None:
        return report.html
    made = [t.by for t in approvals.trainings(workspace) if t.bundle == report.bundle]
    lang: Language = "zh" if about[2] == b"zh" else "en"
    by = ", ".join(dict.fromkeys(made))
    return with_signatures(report.html.decode(), by, signed, lang).encode()


def checked(workspace: Workspace, file: Path) -> Report:
    """The report of a page that was handed over, with or without a box of signatures.

    Raises:
        NotFoundError: there is no such file, or its bytes were never a report of this source.
        PromotionError: it is not what its bundle makes, or the box is not what the log says.
    """
    if not file.is_file():
        raise NotFoundError(f"no file {file.name}: give a page that `tierline report` wrote")
    html = file.read_bytes()
    found = kept(workspace, hashlib.sha256(without_signatures(html)).hexdigest())
    several = len(approvals.approvals(workspace))
    if html not in [shown(workspace, found, most) for most in range(several + 1)]:
        raise PromotionError(
            f"the signatures in {file.name} are not those of the log: make the page again with "
            "`tierline report`"
        )
    return found


def log(workspace: Workspace, bundle: Bundle, runs: Sequence[str]) -> None:
    """The report in every language and as JSON, with MLflow, under `report/` of the runs."""
    found, client = content(bundle), tracking_client(workspace)
    files = {f"validation.{lang}.html": page(found, lang) for lang in LANGUAGES}
    files[FILE] = as_json(bundle).decode()
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
    said = content(find_bundle(workspace, found.bundle))
    if html not in [page(said, lang).encode() for lang in LANGUAGES]:
        raise PromotionError(
            f"report {report_hash[:12]} is not what bundle {found.bundle[:12]} makes: make it "
            "again, read it and sign that one"
        )
    return found


def approve(
    workspace: Workspace, named: str, lang: Language, *, by: str, reason: str, at: int
) -> Approval:
    """The approval of a report by its hash or its page, or of a bundle by the report it makes now.

    Raises:
        NotFoundError: no such report or bundle.
        PromotionError: the report was changed, or who trained the bundle signs it.
        InputError: nobody is named or the reason says nothing.
    """
    if named.endswith(PAGE):
        report = checked(workspace, Path(named))
    elif (workspace.bundles / named).is_dir() or not _HASH.fullmatch(named):
        report = make(workspace, bundle_of(workspace, named), lang)
    else:
        report = kept(workspace, named)
    return approvals.approve(
        workspace, report.bundle, report.hash, by=by, reason=reason, at=at
    )  # fmt: skip
