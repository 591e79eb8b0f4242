"""The commands `tierline report`, `approve` and `cuts`: the validation pack, who signs it, and the
value tiers that it suggests.

Enters: arguments. Leaves: one HTML or JSON file, a line in the log of approvals, printed cuts.
Rooms are imported inside commands, so that `--help` stays fast.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

import cli_options as opt
from cli_options import console
from domain.workspace import Workspace

if TYPE_CHECKING:
    from features.catalogue import Language


@click.command()
@opt.source
@click.argument("run", default="latest")
@opt.lang
@opt.output("--html", "write the page here as well", "html_file")
@opt.output("--json", "write its content as JSON here", "json_file")
@click.pass_obj
def report(
    home: Path,
    /,
    source: str,
    run: str,
    lang: Language,
    html_file: Path | None,
    json_file: Path | None,
) -> None:
    """Make the model card and validation report of a bundle; its SHA-256 is what is signed.

    RUN is the hash of a bundle, an MLflow run of a target, a page that was handed over (FILE.html:
    whether it is what its bundle makes and who signed it), or `latest`. A page that is written says
    in a box of its own who signed; what is signed is the page without it.

    \b
    Example:
      tierline report --source bank latest --lang zh --html report.html
    """
    from events.durable import replace_file
    from scoring.approvals import approval_of
    from training.report import as_json, bundle_of, make, shown

    workspace = Workspace(home, source)
    bundle = bundle_of(workspace, run)
    made = make(workspace, bundle, lang)
    if html_file:
        replace_file(html_file, shown(workspace, made))
    if json_file:
        replace_file(json_file, as_json(bundle))
    for target, found in bundle.card["targets"].items():
        console.print(f"{target}: {found['verdict']}")
    signed = approval_of(workspace, bundle.hash)
    who = f"approved by {signed.by}: {signed.reason}" if signed else "approved by nobody"
    lines = (
        f"bundle {bundle.hash}",
        who,
        f"written: {html_file or workspace.reports / f'{made.hash}.html'}",
        f"report {made.hash}",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


@click.command()
@opt.source
@click.argument("report_or_bundle")
@click.option("--by", required=True, help="who approves; not who trained")
@click.option("--reason", required=True, help="why; the log keeps it")
@opt.lang
@click.pass_obj
def approve(
    home: Path, source: str, report_or_bundle: str, by: str, reason: str, lang: Language
) -> None:
    """Sign a report by its hash or its page, or that of a bundle; who trained it may not.

    \b
    Example:
      tierline approve --source bank latest --by "Wang Fang" --reason "Read on 3 May, no objection."
    """
    from training.report import approve as sign

    done = sign(
        Workspace(home, source), report_or_bundle, lang, by=by, reason=reason,
        at=time.time_ns() // 1000,
    )  # fmt: skip
    for line in (f"report {done.report}", f"bundle {done.bundle}", f"approved by {done.by}"):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


@click.command()
@opt.source
@click.argument("run", default="latest")
@opt.policy
@click.pass_obj
def cuts(home: Path, /, source: str, run: str, policy: Path | None) -> None:
    """Print the value cuts that suit a bundle best, to be copied into a policy file.

    They come from customers who calibrated it; a person decides. RUN is as in `report`, the policy
    that by which the bundle was judged.

    \b
    Example:
      tierline cuts --source online_retail_ii
    """
    from domain.policy import default_policy
    from training.report import bundle_of, suggested_cuts
    from training.tier_figures import fragment

    bundle = bundle_of(Workspace(home, source), run)
    bounds, said = suggested_cuts(bundle)
    steps = (opt.policy_of(policy) or default_policy()).steps["value"]
    for line in (*(f"# {told}" for told in said), fragment("value", steps, bounds)):
        click.echo(line)
