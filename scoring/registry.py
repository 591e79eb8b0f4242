"""Registry: which bundles exist, which one is live, who said so.

Enters: a workspace, a written bundle, a person's name and reason. Leaves: a model version in MLflow
(`tierline-<source>`, files as plain artifacts, no pickle flavour) and lines of the deployment log.
The log is authoritative; MLflow's alias `live` follows it. It trains and judges nothing.
"""

from __future__ import annotations

import logging
import re
import warnings
from typing import TYPE_CHECKING, Any

from domain.errors import NotFoundError, PromotionError
from domain.workspace import Workspace
from events.durable import replace_file
from features.panel_files import panel_hash
from features.parity import Certificate, check_certificate
from features.store import project_of
from features.views import LIVE
from scoring.bundle import Bundle, load_bundle
from scoring.card import Card, read_card
from scoring.deployments import FIRST, Deployment, append, live_at, read_log

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = "live"
ARTIFACTS = "bundle"


def register(workspace: Workspace, bundle: Bundle, run_id: str | None = None) -> str:
    """The MLflow model version that holds the bundle's files; one version a bundle.

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
    run = client.get_run(run_id) if run_id else client.create_run(_experiment(client, workspace))
    client.log_artifacts(run.info.run_id, str(bundle.path), ARTIFACTS)
    if run_id is None:
        client.set_terminated(run.info.run_id)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    made = client.create_model_version(
        name,
        source=f"{run.info.artifact_uri}/{ARTIFACTS}",
        run_id=run.info.run_id,
        tags={
            "bundle": bundle.hash,
            "verdict": "failed, accepted with a reason" if card.objections else "passed",
            "targets": " ".join(sorted(card.targets)),
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
            certificate of the features in use, nobody named, or an instant before the last
            promotion.
        RecordError: the deployment log is broken.
    """
    if not by.strip():
        raise PromotionError("nobody is named: say who promotes (`by`)")
    bundle = find_bundle(workspace, bundle_hash)
    passed = _checked_parity(workspace, bundle, certificate)
    _check_verdicts(read_card(bundle.card))
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
            previous=FIRST,
        ),
    )
    client.set_registered_model_alias(model_name(workspace), ALIAS, version)
    return done


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
            f"the verdict of {', '.join(card.objections)} is failed: train a better scorer, or "
            "write into the card who accepts it and why (`accepted`)"
        )


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


def tracking_client(workspace: Workspace) -> MlflowClient:
    """MLflow over the workspace's own store, quiet, whatever the environment names."""
    from mlflow import MlflowClient  # 2 s: `live` and `history`, which serving asks, need none

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    workspace.home.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The ``noload`` loader", DeprecationWarning)
        return MlflowClient(workspace.tracking_uri, workspace.tracking_uri)


def _experiment(client: MlflowClient, workspace: Workspace) -> str:
    name = f"{model_name(workspace)}-bundles"
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=workspace.artifacts_uri))


def _version(client: MlflowClient, name: str, bundle_hash: str) -> str | None:
    found: list[Any] = list(
        client.search_model_versions(f"name = '{name}' and tags.bundle = '{bundle_hash}'")
    )
    return str(max(int(v.version) for v in found)) if found else None
