"""Registry: which bundles exist, which one is live, who said so.

Enters: a workspace, a written bundle, a person's name and reason. Leaves: a model version in MLflow
(`tierline-<source>`, files as plain artifacts, no pickle flavour) and lines of the deployment log.
The log is authoritative; MLflow's alias `live` follows it, and one that somebody moved is noticed.
It trains and judges nothing.
"""

from __future__ import annotations

import re
import tempfile
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.asof import from_micros
from domain.errors import NotFoundError, PromotionError
from domain.policy import Policy, parse_policy
from domain.workspace import Workspace
from events.durable import replace_file
from features.panel_files import panel_hash
from features.parity import Certificate, check_certificate
from features.store import project_of
from features.views import LIVE
from scoring.approvals import Approval, approval_of, trained, trainings
from scoring.bundle import Bundle, load_bundle, with_card
from scoring.card import Accepted, Card, read_card
from scoring.deployments import Deployment, append, live_at, read_log
from scoring.mlmodel import write_model
from scoring.tracking import Origin, experiment_of, tracking_client

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = "live"
ARTIFACTS = "model"
MOST_TAG = 5000
"""Letters of a tag of a version that MLflow keeps; the card has all of it."""
BUNDLE_TAG = "bundle"
"""The tag of runs and versions that holds the hash of their bundle."""


def register(workspace: Workspace, bundle: Bundle, run_id: str | None = None) -> str:
    """The MLflow model version that holds the bundle, its signature and origin; one a bundle.

    `run_id`: the training run to keep the files with; by default a run of its own.

    Raises:
        PromotionError: a verdict failed and nobody gave a written reason.
    """
    card = read_card(bundle.card)
    _check_verdicts(card)
    client = tracking_client(workspace)
    name = model_name(workspace)
    known = _version(client, name, bundle.hash)
    if known is not None:
        return known
    given = card.given is not None
    origin = Origin(bundle.catalogue_hash, card.data, card.lock_hash, given).tags()
    if run_id:
        run = client.get_run(run_id)
    else:
        run = client.create_run(experiment_of(client, workspace, f"{name}-bundles"), tags=origin)
    with tempfile.TemporaryDirectory() as folder:
        write_model(bundle, Path(folder))
        client.log_artifacts(run.info.run_id, folder, ARTIFACTS)
    if run_id is None:
        client.set_terminated(run.info.run_id)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    made = client.create_model_version(
        name,
        source=f"{run.info.artifact_uri}/{ARTIFACTS}",
        run_id=run.info.run_id,
        tags={
            BUNDLE_TAG: bundle.hash,
            "verdict": card.verdict,
            "not_judged": "; ".join(card.not_judged)[:MOST_TAG] or "none",
            "targets": " ".join(sorted(card.targets)),
            **origin,
        },
    )
    return str(made.version)


def promote(
    workspace: Workspace,
    bundle_hash: str,
    *,
    by: str,
    reason: str | None,
    at: int,
    certificate: Certificate | None,
) -> Deployment:
    """The deployment that makes a registered bundle live; promoting an older one is a rollback.

    `certificate`: that offline and online features in use are equal (I2); it is kept by its hash,
    which the log holds. The log is written before the alias: after a crash between them, promote
    again to set the alias. The bundle that is live already is not logged twice.

    Raises:
        NotFoundError: no such bundle, or no features are kept.
        BundleError: it is damaged.
        PromotionError: not registered, no passing verdict and no written reason, no passing
            certificate of the features in use, no approval where the policy that judged it asks for
            one, such a policy not yet in effect, nobody named, or an instant before the last
            promotion.
        RecordError: the deployment log is broken.
    """
    if not by.strip():
        raise PromotionError("nobody is named: say who promotes (`by`)")
    bundle = find_bundle(workspace, bundle_hash)
    card = read_card(bundle.card)
    passed = _checked_parity(workspace, bundle, certificate)
    _check_verdicts(card)
    _check_in_effect(card, at)
    signed = _checked_approval(workspace, bundle, card)
    client = tracking_client(workspace)
    version = _version(client, model_name(workspace), bundle.hash)
    if version is None:
        raise PromotionError(f"bundle {bundle.hash[:12]} is not registered: register it first")
    keep_certificate(workspace, passed)
    done = append(
        workspace.deployments,
        Deployment(
            at=at,
            by=by.strip(),
            reason=reason,
            bundle=bundle.hash,
            parity=passed.hash,
            approval=signed.hash if signed else None,
            accepted=_said(card.accepted),
            unapproved=_said(card.unapproved),
        ),
    )
    client.set_registered_model_alias(model_name(workspace), ALIAS, version)
    return done


def accept(workspace: Workspace, bundle_hash: str, accepted: Accepted, at: int) -> Bundle:
    """The registered copy of a bundle whose card says who accepts what would stop its promotion.

    What failed stands there as `accepted`, a missing signature as `unapproved`. A signature is of
    one hash: a bundle that was signed and failed is signed again with the reason in its report,
    which who trained it may not do here either.

    Raises:
        NotFoundError: no such bundle.
        BundleError: it is damaged.
        PromotionError: nothing speaks against it.
        RecordError: a log is broken.
    """
    bundle = find_bundle(workspace, bundle_hash)
    card = read_card(bundle.card)
    lacks = {
        "accepted": not card.may_go_live,
        "unapproved": _lacks_approval(card) and approval_of(workspace, bundle.hash) is None,
    }
    if not any(lacks.values()):
        raise PromotionError(
            f"nothing speaks against bundle {bundle.hash[:12]}: promote it without --accept"
        )
    said = {name: accepted.model_dump() for name, is_lacking in lacks.items() if is_lacking}
    copy = with_card(bundle, {**bundle.card, **said})
    for author in dict.fromkeys(t.by for t in trainings(workspace) if t.bundle == bundle.hash):
        trained(workspace, copy.hash, author, at)
    register(workspace, copy)
    return copy


def superseded_by(workspace: Workspace, bundle_hash: str, at: int) -> Policy | None:
    """The latest policy that decided here and took effect after the one that judged a bundle.

    Raises:
        NotFoundError: no such bundle.
        BundleError: it is damaged.
        PolicyError: a kept policy breaks rules.
    """
    judged = read_card(find_bundle(workspace, bundle_hash).card).policy
    if judged is None or judged.effective_at is None:
        return None
    kept = [parse_policy(f.read_text("utf-8")) for f in workspace.policies.glob("*.toml")]
    later = [p for p in kept if judged.effective_at < p.effective_at <= from_micros(at)]
    return max(later, key=lambda p: (p.effective_at, p.hash), default=None)


def live(workspace: Workspace, at: int | None = None) -> Deployment:
    """What was live at an instant (None: now), from the checked log.

    Raises:
        NotFoundError: nothing was live then.
        RecordError: the log is broken.
    """
    return live_at(history(workspace), at)


def history(workspace: Workspace) -> tuple[Deployment, ...]:
    """Every deployment, oldest first, from the checked log.

    Raises:
        RecordError: the log is broken.
    """
    return read_log(workspace.deployments)


def alias_differs(workspace: Workspace) -> str | None:
    """How MLflow's alias `live` differs from the log; None where it follows it.

    They differ where somebody moved the alias by hand, or a promotion was killed between the two.

    Raises:
        RecordError: the log is broken.
    """
    past = history(workspace)
    logged = past[-1].bundle if past else None
    client, name = tracking_client(workspace), model_name(workspace)
    found = client.search_registered_models(f"name = '{name}'")
    version = found[0].aliases.get(ALIAS) if found else None
    named = client.get_model_version(name, version).tags.get("bundle") if version else None
    if named == logged:
        return None
    said = [each[:12] if each else "no bundle" for each in (named, logged)]
    return (
        f"MLflow's alias `{ALIAS}` names {said[0]}, the deployment log {said[1]}, which counts: "
        "`tierline promote` with the bundle that shall be live makes them equal"
    )


def newest(workspace: Workspace) -> str:
    """The hash of the bundle registered last.

    Raises:
        NotFoundError: none was registered.
    """
    client = tracking_client(workspace)
    found = list(client.search_model_versions(f"name = '{model_name(workspace)}'"))
    if not found:
        raise NotFoundError(
            f"no bundle of {workspace.source} is registered: `tierline run` registers one whose "
            "verdicts pass, or that somebody accepts with --accept REASON"
        )
    return str(max(found, key=lambda v: int(v.version)).tags["bundle"])


def find_bundle(workspace: Workspace, bundle_hash: str) -> Bundle:
    """The checked bundle of a hash.

    Raises:
        NotFoundError: the workspace has no such bundle.
        BundleError: it is damaged.
    """
    folder = workspace.bundles / bundle_hash
    if not re.fullmatch(r"[0-9a-f]{64}", bundle_hash) or not folder.is_dir():
        raise NotFoundError(
            f"no bundle {bundle_hash[:64]!r} of {workspace.source}: give the whole hash of one "
            "that training wrote"
        )
    return load_bundle(folder, bundle_hash)


def model_name(workspace: Workspace) -> str:
    """The name of the source's model in MLflow."""
    return f"tierline-{workspace.source}"


def _check_verdicts(card: Card) -> None:
    if not card.may_go_live:
        raise PromotionError(
            f"{', '.join(card.objections)} did not pass: train a better scorer, or "
            "say who accepts it and why: `tierline promote --bundle HASH --accept REASON --by NAME`"
        )


def _check_in_effect(card: Card, at: int) -> None:
    """Nobody's acceptance brings a policy forward: it says itself from when it binds."""
    judged = card.policy
    if judged and judged.effective_at and judged.effective_at > from_micros(at):
        begins = judged.effective_at.astimezone(UTC)
        raise PromotionError(
            f"policy {judged.version}, by which the bundle was judged, takes effect at "
            f"{begins:%Y-%m-%d %H:%M} UTC: promote it then, or train with a policy in "
            "effect (--policy)"
        )


def _checked_approval(workspace: Workspace, bundle: Bundle, card: Card) -> Approval | None:
    """Who signed the bundle's report; there must be one where the gates of its card say so."""
    found = approval_of(workspace, bundle.hash)
    if found is None and card.policy is not None and _lacks_approval(card):
        raise PromotionError(
            f"policy {card.policy.version}, by which bundle {bundle.hash[:12]} was judged, asks "
            "for a second person: `tierline report` shows what to read, `tierline approve` signs "
            "it; `tierline promote --accept REASON --by NAME` does without, and the bundle says so"
        )
    return found


def _lacks_approval(card: Card) -> bool:
    """Whether a bundle may go live only with a signature."""
    asked = card.policy is not None and card.policy.gates.approval
    return asked and card.unapproved is None


def _said(accepted: Accepted | None) -> dict[Any, str] | None:
    return accepted.model_dump() if accepted else None


def keep_certificate(workspace: Workspace, certificate: Certificate) -> Certificate:
    """The certificate, on disk under its hash."""
    file = workspace.certificates / f"{certificate.hash}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, certificate.text.encode())
    return certificate


def _checked_parity(
    workspace: Workspace, bundle: Bundle, certificate: Certificate | None
) -> Certificate:
    """The certificate, which must be of the features in use and have passed."""
    if certificate is None:
        raise PromotionError(
            "offline and online features were not compared: `tierline parity` writes the "
            "certificate that a promotion needs"
        )
    in_use = panel_hash(workspace.features / LIVE)
    check_certificate(certificate, bundle.catalogue_hash, in_use, project_of(workspace.source))
    return certificate


def _version(client: MlflowClient, name: str, bundle_hash: str) -> str | None:
    found: list[Any] = list(
        client.search_model_versions(f"name = '{name}' and tags.bundle = '{bundle_hash}'")
    )
    return str(max(int(v.version) for v in found)) if found else None
