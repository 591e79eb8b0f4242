"""The command `tierline`: each command is a few lines that call one room.

Enters: arguments and the environment. Leaves: tables, JSON and progress on the terminal; exit code
0, or 2 with a message that says what arrived, what is allowed and what to do next. Rooms are
imported inside commands, so that `--help` stays fast.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from domain.asof import from_micros, parse_instant, to_micros
from domain.decision import Purpose
from domain.errors import NotFoundError, TierlineError
from domain.settings import DATA, HOME, HOST, POLICY, PORT, SEED, SOURCE, Setting
from domain.workspace import Workspace
from features.commands import features

if TYPE_CHECKING:
    from events.dataset import Dataset
    from events.ingest import Report
    from serving.terminal import Language
    from training.run import RunOptions, RunResult

console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 140)
FILE = click.Path(path_type=Path)
PUBLIC = ("online_retail_ii", "berka", "credit_card_approval", "taiwan_credit_default")


class _Commands(click.Group):
    """A group whose commands end with a clear message and exit code 2 on a `TierlineError`."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TierlineError as e:
            raise click.ClickException(str(e)) from e


click.ClickException.exit_code = 2


def _setting(setting: Setting, kind: Any = str) -> Callable[..., Any]:
    """A setting as an option; the environment gives its default."""
    return click.option(
        f"--{setting.name}",
        type=kind,
        default=lambda: setting.read(os.environ) or None,
        help=f"{setting.text} [{setting.variable}; {setting.default or 'unset'}]",
    )


def _path(name: str, text: str, variable: str = "") -> Callable[..., Any]:
    return click.option(name, variable or name[2:], type=FILE, help=text)


_source = _setting(SOURCE)
_seed = _setting(SEED, int)
_policy = _setting(POLICY, FILE)
_data = _path("--data", "folder of the raw tables; default: what `simulate` wrote, or the data set")
_json = _path("--json", "write the same as JSON here", "json_file")
_trials = click.option("--trials", default=20, show_default=True, help="trials of each study")
_by = click.option("--by", default=lambda: os.environ.get("USER") or "unnamed", help="who says so")
_lang = click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
_accept = click.option("--accept", metavar="REASON", help="register although a verdict failed: why")


@click.group(cls=_Commands)
@_setting(HOME, FILE)
@click.version_option(package_name="tierline")
@click.pass_context
def main(ctx: click.Context, home: Path) -> None:
    """What every customer is worth, whether they will leave, how much credit they can carry: why.

    \b
    Example:
      tierline demo
      tierline run --source online_retail_ii --data ../shared/data/online_retail_ii
    """
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)  # a run that `mlflow run` opened is not one of ours
    ctx.obj = home


main.add_command(features)


def _raw(home: Path, source: str, data: Path | None) -> Path:
    if data is not None:
        return data
    if source in PUBLIC:
        return Path(DATA.read(os.environ)) / source
    return home / "raw" / source


def _when(text: str | None) -> datetime | None:
    return None if text is None else from_micros(parse_instant(text))


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar a task: call it with the task's name, steps done and steps in all."""
    from rich.progress import MofNCompleteColumn, Progress, TaskID

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield advance


@main.command()
@click.option("--customers", default=5000, show_default=True, help="how many, 100 to 5,000,000")
@click.option("--months", default=30, show_default=True, help="months of history")
@click.option("--drift-month", type=int, help="month from which customers behave differently")
@click.option("--until", help="first of a month at which the data ends [this month]")
@_seed
@_path("--out", "folder to write [HOME/raw/bank]")
@click.pass_obj
def simulate(home: Path, /, out: Path | None, until: str | None, **bank: Any) -> None:
    """Write a simulated bank: raw tables with their faults, and the truth beside them.

    \b
    Example:
      tierline simulate --customers 5000 --seed 7 --out raw
    """
    from events.bank.config import BankConfig
    from events.bank.simulate import write_bank

    out = out or home / "raw" / "bank"
    until = until or f"{datetime.now(UTC):%Y-%m}-01"
    with _progress() as told:
        write_bank(out, BankConfig(until=until, **bank), partial(told, "simulate"))
    console.print(f"[bold]{bank['customers']:,}[/] customers until {until} in {out}")


@main.command()
@_source
@_data
@_json
@click.pass_obj
def check(home: Path, source: str, data: Path | None, json_file: Path | None) -> None:
    """Read and check raw tables: all faults at once, bad rows to quarantine, the rest made ready.

    \b
    Example:
      tierline check --source online_retail_ii --data ../shared/data/online_retail_ii
    """
    report = _ingest(home, source, data)
    console.print(report.to_text(), markup=False, highlight=False)
    if json_file:
        json_file.write_text(report.to_json(), encoding="utf-8")


def _ingest(home: Path, source: str, data: Path | None) -> Report:
    from events.ingest import ingest
    from events.readers import SOURCES

    if source not in SOURCES:
        raise NotFoundError(f"no source {source!r}: there are {', '.join(sorted(SOURCES))}")
    _, report = ingest(SOURCES[source], _raw(home, source, data), Workspace(home, source).dataset)
    return report


@features.command()
@_source
@_data
@click.pass_obj
def compute(home: Path, source: str, data: Path | None) -> None:
    """Check the raw tables, then compute and keep every feature that training and serving need.

    \b
    Example:
      tierline features compute --source bank
    """
    from training.run import compute_features

    _ingest(home, source, data)
    workspace = Workspace(home, source)
    rows = compute_features(_dataset(workspace), workspace)
    console.print(f"{rows:,} rows of features in {workspace.features}")


def _dataset(workspace: Workspace) -> Dataset:
    from events.dataset import open_dataset

    return open_dataset(workspace.dataset)


def _options(trials: int, seed: int, accept: str | None = None, by: str = "") -> RunOptions:
    from scoring.card import Accepted
    from training.run import RunOptions

    lock = Path(__file__).with_name("requirements.lock")
    accepted = Accepted(by=by, reason=accept) if accept else None
    return RunOptions(trials, seed, accepted, lock if lock.is_file() else None)


@main.command()
@_source
@_trials
@_seed
@click.pass_obj
def tune(home: Path, source: str, trials: int, seed: int) -> None:
    """Tune every target over the features kept; a study goes on where it was stopped.

    \b
    Example:
      tierline tune --source bank --trials 50
    """
    from training.run import tune_all

    workspace = Workspace(home, source)
    with _progress() as told:
        found = tune_all(_dataset(workspace), workspace, _options(trials, seed), told)
    for target, best in found.items():
        console.print(f"[bold]{target}[/] {best.figure:.4f} with {best.trees} trees", best.params)


@main.command()
@_source
@_trials
@_seed
@_accept
@_by
@_json
@click.pass_obj
def train(home: Path, /, source: str, json_file: Path | None, **options: Any) -> None:
    """Tune, fit, calibrate and judge over the features kept; write and register one bundle.

    \b
    Example:
      tierline train --source bank --trials 20
    """
    from training.run import train as run_training

    workspace = Workspace(home, source)
    with _progress() as told:
        result = run_training(_dataset(workspace), workspace, _options(**options), told)
    _show(result, json_file)


@main.command()
@_source
@_data
@_trials
@_seed
@_accept
@_by
@_json
@click.pass_obj
def run(
    home: Path, /, source: str, data: Path | None, json_file: Path | None, **options: Any
) -> None:
    """The whole chain for one source: check, features, tune, train, judge, register.

    \b
    Example:
      tierline run --source online_retail_ii --data ../shared/data/online_retail_ii --json out.json
    """
    from training.run import run as run_all

    workspace = Workspace(home, source)
    console.print(_ingest(home, source, data).to_text(), markup=False, highlight=False)
    with _progress() as told:
        result = run_all(_dataset(workspace), workspace, _options(**options), told)
    _show(result, json_file)


def _show(result: RunResult, json_file: Path | None) -> None:
    from training.table import gate_lines, result_table

    console.print(result_table(result))
    for line in gate_lines(result):
        console.print(line, markup=False, highlight=False)
    if json_file:
        json_file.write_text(json.dumps(result.to_dict(), indent=2, ensure_ascii=False), "utf-8")


@main.command()
@_source
@click.option("--bundle", "bundle_hash", help="hash of the bundle [the newest one registered]")
@_by
@click.option("--reason", help="why; needed where a verdict failed")
@click.option("--sample", default=200, show_default=True, help="customers to compare")
@click.pass_obj
def promote(
    home: Path, source: str, bundle_hash: str | None, by: str, reason: str | None, sample: int
) -> None:
    """Make a bundle live: features go online, online is compared with offline, the log is written.

    \b
    Example:
      tierline promote --source bank --by alice
    """
    from features.store import FeatureRoom
    from scoring import registry

    workspace = Workspace(home, source)
    chosen = bundle_hash or registry.newest(workspace)
    room = FeatureRoom(workspace.features)
    with console.status("features go online"):
        mismatches, compared = room.go_online(sample, SEED.number(os.environ))
    at = to_micros(datetime.now(UTC))
    done = registry.promote(workspace, chosen, by=by, reason=reason, at=at, parity=mismatches)
    console.print(f"live: [bold]{done.bundle[:12]}[/] by {done.by}; {compared} customers compared")


@main.command()
@_source
@_setting(HOST)
@_setting(PORT, int)
@_policy
@click.pass_obj
def serve(home: Path, source: str, host: str, port: int, policy: Path | None) -> None:
    """Serve decisions over HTTP with BentoML until interrupted.

    \b
    Example:
      tierline serve --source bank --port 3000
    """
    from serving.service import serve as run_service

    run_service(home, source, host, port, policy)


@main.command()
@_source
@click.argument("customers", nargs=-1, required=True)
@click.option("--purpose", type=click.Choice([p.value for p in Purpose]), default="crm")
@click.option("--as-of", help="decide as of this instant [the features online now]")
@_policy
@_lang
@click.option("--json", "as_json", is_flag=True, help="print the answer of the API")
@click.pass_obj
def decide(
    home: Path, /, source: str, customers: tuple[str, ...], lang: Language, **options: Any
) -> None:
    """Decide for customers by id, record it, and show the answer.

    \b
    Example:
      tierline decide --source bank C0000042 C0000043
    """
    from serving.local import decide_now
    from serving.terminal import decision_lines

    workspace, as_of = Workspace(home, source), _when(options["as_of"])
    answer = decide_now(workspace, customers, Purpose(options["purpose"]), as_of, options["policy"])
    if options["as_json"]:
        console.print_json(answer.model_dump_json())
        return
    for line in (line for d in answer.decisions for line in decision_lines(d, lang)):
        console.print(line, highlight=False)


@main.command()
@_source
@click.argument("decision_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="check the whole record, replay all of it")
@click.pass_obj
def replay(home: Path, source: str, decision_ids: tuple[str, ...], everything: bool) -> None:
    """Make recorded decisions again from the record; exit code 1 where a bit differs.

    \b
    Example:
      tierline replay --source bank 0123456789abcdef0123456789abcdef
      tierline replay --source bank --all
    """
    from serving.replay import recorded, replay

    workspace, differ = Workspace(home, source), 0
    chosen = recorded(workspace) if everything else decision_ids
    if not chosen and not everything:
        raise click.UsageError("which decision? give its id, or --all for the whole record")
    for decision_id in chosen:
        found = replay(workspace, decision_id)
        differ += not found.equal
        if not found.equal:
            console.print(f"{decision_id} differs in: {', '.join(found.differences)}")
    console.print(f"{len(chosen) - differ} of {len(chosen)} decisions: the same, bit for bit")
    raise SystemExit(bool(differ))


@main.command()
@_source
@click.argument("decision_or_customer")
@_lang
@click.pass_obj
def explain(home: Path, source: str, decision_or_customer: str, lang: Language) -> None:
    """Show why: base + reasons = points, for a recorded decision, or for a customer's latest one.

    \b
    Example:
      tierline explain --source bank C0000042 --lang en
    """
    from serving.desk import find_decision
    from serving.terminal import explanation_tables

    decision = find_decision(Workspace(home, source), decision_or_customer)
    for table in explanation_tables(decision, lang):
        console.print(table)


@main.command()
@click.option("--customers", default=5000, show_default=True, help="size of the simulated bank")
@click.option("--trials", default=8, show_default=True, help="trials of each study")
@click.pass_context
def demo(ctx: click.Context, customers: int, trials: int) -> None:
    """A simulated bank, from raw events to explained, recorded, replayed decisions.

    \b
    Example:
      tierline demo --customers 2000
    """
    from features.store import FeatureRoom
    from serving.desk import find_decision

    workspace = Workspace(ctx.obj, "bank")
    why = "a demonstration on simulated customers: no real decision depends on it"
    ctx.invoke(simulate, customers=customers)
    ctx.invoke(run, source="bank", trials=trials, by="demo", accept=why)
    ctx.invoke(promote, source="bank", by="demo")
    _, everybody = FeatureRoom(workspace.features).latest()
    chosen = everybody[:: max(1, len(everybody) // 3)][:3]
    ctx.invoke(decide, source="bank", customers=chosen)
    first = find_decision(workspace, chosen[0])
    ctx.invoke(explain, source="bank", decision_or_customer=first.decision_id)
    console.print("next: `make serve`, and docs/crm.md for the calls a CRM makes")
    ctx.invoke(replay, source="bank", decision_ids=(first.decision_id,))


if __name__ == "__main__":
    main()
