"""The BentoML service: one workspace's desk behind `/v1`, with readiness and liveness.

Enters: settings from the environment. Leaves: a running server. The live bundle is loaded when a
worker starts, hash first; a worker that cannot load it does not start.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.errors import InputError
from domain.settings import CLOSED, HOME, MAX_BODY_BYTES, POLICY, SOURCE, TOKEN
from domain.workspace import Workspace
from serving.app import make_app
from serving.desk import Desk

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _log_to_terminal() -> None:
    """Send what Tierline logs, one line a request or error, to the standard error."""
    log, lines = logging.getLogger("tierline"), logging.StreamHandler()
    lines.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    log.handlers, log.propagate = [lines], False
    log.setLevel(logging.INFO)


class _Late:
    """An ASGI application that is made once its service is."""

    def __init__(self) -> None:
        self.inner: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.inner is None:
            raise RuntimeError("the service was asked before it was made")
        await self.inner(scope, receive, send)


_app = _Late()


@bentoml.service(
    name="tierline",
    traffic={"timeout": 60},
    # BentoML's own log and metrics tell paths, and a path may hold an id (I12)
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
)
@bentoml.asgi_app(_app, path="/")
class Tierline:
    """Decisions over HTTP; the routes stand in `serving/app.py`."""

    def __init__(self) -> None:
        _log_to_terminal()
        policy = POLICY.read(os.environ)
        workspace = Workspace(Path(HOME.read(os.environ)), SOURCE.read(os.environ))
        self.desk = Desk(workspace, Path(policy) if policy else None)
        self.desk.room.warm()
        if self.desk.takes_events:
            self.desk.push.warm()
        self.desk.push.recover()
        token, limit = TOKEN.read(os.environ), MAX_BODY_BYTES.number(os.environ)
        _app.inner = make_app(self.desk, token=token, max_body=limit)

    def __is_ready__(self) -> bool:
        """Whether decisions can be recorded: the record answers."""
        return self.desk.log.is_open()


def serve(home: Path, source: str, host: str, port: int, policy: Path | None) -> NoReturn:
    """Become the server: a signal to this process reaches it, and it ends its workers.

    Raises:
        InputError: another address than loopback without a token.
    """
    if host not in LOOPBACK and not TOKEN.read(os.environ):
        raise InputError(
            f"{host} can be reached from outside: set {TOKEN.variable}, or listen on 127.0.0.1"
        )
    environment = {
        **os.environ,
        **CLOSED,
        HOME.variable: str(home.resolve()),
        SOURCE.variable: source,
        POLICY.variable: str(policy.resolve()) if policy else "",
    }
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "bentoml", "serve", "serving.service:Tierline"]
    command += ["--host", host, "--port", str(port), "--working-dir", str(root)]
    os.execve(sys.executable, command, environment)
