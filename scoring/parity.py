"""Features brought online and compared with offline, so that a bundle may go live on them.

Enters: a workspace, and the settings that name its stores. Leaves: the online store up to the last
as_of of the panel, a certificate of parity on disk, a promotion. It judges no model.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from domain.settings import SEED
from domain.workspace import Workspace
from features.parity import Certificate, read_certificate
from features.push import open_push
from scoring import registry
from scoring.deployments import Deployment


def certify(
    workspace: Workspace, environ: Mapping[str, str], sample: int, *, bring: bool = False
) -> Certificate:
    """The kept certificate of comparing `sample` customers now.

    `bring`: bring the features of the last as_of of the panel online before.
    """
    push = open_push(workspace, environ)
    if bring:
        push.materialise()
    found = push.room.certify(sample, SEED.number(environ), _now())
    return registry.keep_certificate(workspace, found)


def go_live(
    workspace: Workspace,
    environ: Mapping[str, str],
    bundle_hash: str | None,
    basis: int | str,
    by: str,
    reason: str | None,
) -> tuple[Deployment, Certificate]:
    """The promotion of a bundle, by default the newest, and the certificate that it rests on.

    `basis`: the hash of a kept certificate; or how many customers to compare now, after the
    features went online.
    """
    chosen = bundle_hash or registry.newest(workspace)
    if isinstance(basis, str):
        passed = read_certificate(workspace.certificates, basis)
    else:
        passed = certify(workspace, environ, basis, bring=True)
    done = registry.promote(workspace, chosen, by=by, reason=reason, at=_now(), certificate=passed)
    return done, passed


def _now() -> int:
    return time.time_ns() // 1000
