"""The command `tierline labels show`.

Enters: arguments. Leaves: a timeline on the terminal and as one HTML page. Everything else is
imported inside the command, so that `--help` stays fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import cli_options as opt
from domain.asof import parse_instant
from domain.tiers import TARGETS
from domain.workspace import Workspace

if TYPE_CHECKING:
    from training.timeline_shown import Language


NEAREST = 30


@click.group()
def labels() -> None:
    """Labels: how the one of a customer comes about.

    \b
    Example:
      tierline labels show --source bank C0000042
    """


@labels.command()
@click.argument("customer")
@opt.source
@click.option("--as-of", help="the instant of the label [the latest at which there is one]")
@click.option("--target", type=click.Choice(TARGETS), help="[the first that the source has]")
@opt.lang
@click.option("--all", "every", is_flag=True, help=f"list every event [the {NEAREST} nearest]")
@opt.output("--html", "write the timeline as one HTML page here", "html_file")
@click.pass_obj
def show(
    home: Path, /, customer: str, lang: Language, html_file: Path | None, every: bool, **asked: Any
) -> None:
    """Show one customer's events around as_of: what was visible, what came later, the label.

    \b
    Example:
      tierline labels show --source bank --target churn C0000042 --html label.html
    """
    from training.timeline import timeline
    from training.timeline_shown import drawing, event_table, facts, page

    moment = None if asked["as_of"] is None else parse_instant(asked["as_of"])
    dataset = opt.dataset_of(Workspace(home, asked["source"]))
    found = timeline(dataset, customer, asked["target"], moment)
    opt.console.print(f"{customer}: {found.target}", markup=False, highlight=False)
    for word, said in facts(found, lang):
        opt.console.print(f"  {word:<10}{said}", markup=False, highlight=False)
    for line in drawing(found, lang):
        opt.console.print(line, markup=False, highlight=False)
    opt.console.print(event_table(found, lang, None if every else NEAREST))
    if html_file:
        html_file.write_text(page(found, lang), encoding="utf-8")
