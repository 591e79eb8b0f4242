"""The command `tierline leaks`.

Enters: arguments. Leaves: findings on the terminal; exit code 1 where one is sure. Everything else
is imported inside the command, so that `--help` stays fast.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

import cli_data
import cli_options as opt
from domain.workspace import Workspace


@click.command()
@opt.source
@opt.data
@opt.seed
@opt.as_json
@click.pass_obj
def leaks(home: Path, source: str, data: Path | None, seed: int, json_file: Path | None) -> None:
    """Look for leaks of the future or the test in the features kept; exit code 1 where one is sure.

    With --data the raw tables are checked and the features computed first.

    \b
    Example:
      tierline leaks --source bank
      tierline leaks --source bankchurners --data ../shared/data/bankchurners
    """
    from training.leakage import find_leaks
    from training.run import compute_features
    from training.table import leak_lines

    workspace = Workspace(home, source)
    if data is not None:
        cli_data.take_in(home, source, data)
        with opt.progress() as told:
            compute_features(opt.dataset_of(workspace), workspace, told)
    found = find_leaks(opt.dataset_of(workspace), workspace, seed)
    for line in leak_lines(found):
        opt.console.print(line, markup=False, highlight=False, soft_wrap=True)
    said = f"{len(found.alarms)} sure, {len(found.findings) - len(found.alarms)} to look at"
    opt.console.print(f"leaks: {said if found.findings else 'none found'}")
    if json_file:
        text = json.dumps(found.to_dict(), indent=2, ensure_ascii=False)
        json_file.write_text(text, encoding="utf-8")
    raise SystemExit(bool(found.alarms))
