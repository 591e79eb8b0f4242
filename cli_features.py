"""The commands `tierline features compute|list|show|lineage|stats`.

Enters: arguments. Leaves: tables and lines on the terminal. Everything else is imported inside
commands, so that `--help` stays fast.
"""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.console import Console

import cli_data
import cli_options as opt
from domain.workspace import Workspace


class _Computes(click.Group):
    """A group that means `compute` where none of its commands is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["compute", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Computes)
def features() -> None:
    """Features: compute and keep them (`compute`, also without its name), look at the catalogue.

    \b
    Example:
      tierline features --source bank
      tierline features show purchase_recency_days
    """


_theme = click.option("--theme", help="only the features of this theme")


def _tells(command: str, text: str) -> None:
    """Adds the command that prints what is to be said of one feature, or its lineage alone."""

    @features.command(command, help=text)
    @click.argument("name")
    def tell(name: str) -> None:
        from features import terminal
        from features.catalogue import CATALOGUE

        lines = {"show": terminal.feature_lines, "lineage": terminal.lineage_lines}[command]
        console = Console(soft_wrap=True)
        for line in lines(CATALOGUE, name):
            console.print(line, markup=False, highlight=False)


@features.command()
@opt.source
@opt.data
@click.pass_obj
def compute(home: Path, source: str, data: Path | None) -> None:
    """Check the raw tables, then compute and keep every feature that training and serving need.

    \b
    Example:
      tierline features compute --source bank
    """
    from training.run import compute_features

    cli_data.take_in(home, source, data)
    workspace = Workspace(home, source)
    with opt.progress() as told:
        rows = compute_features(opt.dataset_of(workspace), workspace, told)
    opt.console.print(f"{rows:,} rows of features in {workspace.features}")


@features.command("list")
@_theme
@click.option("--search", default="", help="only names and texts that hold this")
def list_features(theme: str | None, search: str) -> None:
    """List the features of the catalogue: theme, unit, both texts, what is better.

    \b
    Example:
      tierline features list --theme recency
    """
    from features.catalogue import CATALOGUE
    from features.terminal import feature_table

    Console().print(feature_table(CATALOGUE, theme, search))


_tells(
    "show",
    """Show all that is declared of one feature, and how its reasons read.

    \b
    Example:
      tierline features show purchase_recency_days
    """,
)
_tells(
    "lineage",
    """Follow one feature down to the raw columns that it reads.

    \b
    Example:
      tierline features lineage recency_to_gap
    """,
)


@features.command()
@opt.source
@_theme
@click.pass_obj
def stats(home: Path, source: str, theme: str | None) -> None:
    """Show how the values of each feature are spread over the customers kept last.

    \b
    Example:
      tierline features stats --source bank --theme monetary
    """
    from features.panel_files import columns_at
    from features.store import open_room
    from features.terminal import spread_table

    room = open_room(Workspace(home, source), os.environ)
    as_of, customers = room.latest()
    columns = columns_at(room.views, room.catalogue, as_of, theme)
    Console().print(spread_table(len(customers), columns))
