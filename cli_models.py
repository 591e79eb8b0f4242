"""Commands about what is live: `live`, and `score` for the whole book.

Enters: arguments. Leaves: the deployment log as a table, a file of points with their reasons.
`cli.py` gathers them into the command `tierline`.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

import cli_options as opt
from cli_options import console
from domain.asof import iso
from domain.workspace import Workspace


@click.command()
@opt.source
@click.pass_obj
def live(home: Path, source: str) -> None:
    """Show what was live when, by whom and why; exit code 1 where MLflow's alias differs from it.

    \b
    Example:
      tierline live --source bank
    """
    from scoring.registry import alias_differs, history

    workspace = Workspace(home, source)
    for each in history(workspace):
        why = f": {each.reason}" if each.reason else ""
        lines = [f"{iso(each.at)}  {each.bundle[:12]}  by {each.by}{why}"]
        spoken = {"failed, accepted": each.accepted, "not approved, accepted": each.unapproved}
        lines += [f"  {what} by {s['by']}: {s['reason']}" for what, s in spoken.items() if s]
        for line in lines:
            console.print(line, markup=False, highlight=False)
    differs = alias_differs(workspace)
    console.print(differs or "MLflow's alias follows the log", markup=False, highlight=False)
    raise SystemExit(differs is not None)


@click.command()
@opt.source
@opt.output("--out", "Parquet file to write", "out")
@click.option("--bundle", "bundle_hash", help="hash of the bundle [the one that is live]")
@click.pass_obj
def score(home: Path, source: str, out: Path | None, bundle_hash: str | None) -> None:
    """Score the whole book as of the last date of its features: points and every reason, in a file.

    Nothing is decided and nothing recorded: `tierline decide` and the service do that.

    \b
    Example:
      tierline score --source bank --out book.parquet
    """
    from features.store import open_room
    from scoring.book import score_book
    from scoring.registry import find_bundle
    from scoring.registry import live as live_now

    if out is None:
        raise click.UsageError("where to? give --out FILE.parquet")
    workspace = Workspace(home, source)
    bundle = find_bundle(workspace, bundle_hash or live_now(workspace).bundle)
    room = open_room(workspace, os.environ)
    as_of, _ = room.latest()
    with console.status("the book is scored"):
        rows = score_book(bundle, room.views, room.catalogue, as_of, out)
    console.print(f"[bold]{rows:,}[/] customers as of {iso(as_of)} by {bundle.hash[:12]} in {out}")


COMMANDS = (live, score)
