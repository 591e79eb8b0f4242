"""The command `tierline`: each command is a few lines that call one room.

Enters: arguments and the environment. Leaves: tables, JSON and progress on the terminal; exit code
0, or 2 with a message that says what arrived, what is allowed and what to do next. Rooms are
imported inside commands, so that `--help` stays fast.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import cli_data
import cli_models
import cli_options as opt
from cli_explain import explain
from cli_features import features
from cli_labels import labels
from cli_leaks import leaks
from cli_options import console
from cli_report import approve, cuts, report
from domain.decision import Purpose
from domain.errors import TierlineError
from domain.settings import CLOSED, HOME, HOST, PORT, STUDIES
from domain.workspace import Workspace

if TYPE_CHECKING:
    from features.catalogue import Language
    from training.options import RunOptions
    from training.results import RunResult


class _Commands(click.Group):
    """A group whose commands end with a clear message and exit code 2 on a `TierlineError`."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TierlineError as e:
            raise click.ClickException(str(e)) from e


click.ClickException.exit_code = 2


@click.group(cls=_Commands)
@opt.setting(HOME, opt.FILE)
@click.version_option(package_name="tierline")
@click.pass_context
def main(ctx: click.Context, home: Path) -> None:
    """What every customer is worth, whether they will leave, how much credit they can carry: why.

    \b
    Example:
      tierline demo
      tierline run --source online_retail_ii --data ../shared/data/online_retail_ii
    """
    os.environ.update(CLOSED)
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)  # a run that `mlflow run` opened is not one of ours
    ctx.obj = home


_ALONE = (approve, cuts, explain, features, labels, leaks, report)
for _command in (*cli_data.COMMANDS, *cli_models.COMMANDS, *_ALONE):
    main.add_command(_command)


def _options(
    home: Path, trials: int, seed: int, *, accept: str | None = None, by: str = "", **of: Any
) -> RunOptions:
    from scoring.card import accepted
    from training.kept import where
    from training.options import RunOptions
    from training.study_file import read_study

    lock = Path(__file__).with_name("requirements.lock")
    said = None if accept is None else accepted(by, accept)
    studies = tuple(read_study(file) for file in of.get("study") or ())
    storage = where(of.get("storage") or STUDIES.read(os.environ), home)
    made = RunOptions(
        trials, seed, said, lock if lock.is_file() else None, studies, storage,
        baselines=of.get("baselines") or (), by=by, policy=opt.policy_of(of.get("policy")),
        champion=of.get("champion") or "live",
    )  # fmt: skip
    if of.get("dask"):
        from training.cluster import on_dask

        made = replace(made, fit=on_dask(of["dask"]))
    return made


@main.command()
@click.argument("study", required=False)
@opt.source
@opt.trials
@opt.seed
@opt.storage
@click.option("--anew", is_flag=True, help="the file was edited: begin another study")
@click.pass_context
def tune(ctx: click.Context, /, study: str | None, source: str, **options: Any) -> None:
    """Run the study of a file, or that of every target of a source, over the features kept.

    It goes on where it was stopped. Start it several times, with one --storage, to share the work.
    A file that was edited before its study was finished is refused, with what changed.

    \b
    Example:
      tierline tune experiments/bank_churn.toml
      tierline tune experiments/bank_churn.toml --storage postgresql://tuner:pw@db:5432/studies
      tierline tune --source bank --trials 50
    """
    from training.kept import where
    from training.run import tune_all
    from training.study import run_study
    from training.study_file import StudyFile, read_study

    home, anew = ctx.obj, options.pop("anew")
    if anew and not study:
        raise click.UsageError("--anew is about a study file: name it")
    with opt.stoppable(), opt.progress() as told:
        if study:
            _only_in_the_file(ctx, "source", "trials", "seed")
            asked = read_study(Path(study))
            storage = where(options["storage"], home)
            found = {asked.target: run_study(asked, home, told, storage, anew=anew)}
        else:
            workspace = Workspace(home, source)
            dataset = opt.dataset_of(workspace)
            found = tune_all(dataset, workspace, _options(home, **options), told)
    for target, best in found.items():
        figure = (asked if study else StudyFile(source=source, target=target)).figure
        cost = "" if best.explain_us is None else f", {best.explain_us:.0f} us a decision"
        console.print(f"[bold]{target}[/] {figure} {best.figure:.4f} with {best.trees} trees{cost}")
        console.print(best.params)


def _only_in_the_file(ctx: click.Context, *names: str) -> None:
    for name in names:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"the study file says its {name}: change it there")


@main.command()
@opt.source
@opt.trials
@opt.seed
@opt.studies
@opt.storage
@opt.accept
@opt.by
@click.option("--dask", metavar="ADDRESS", help="learn on the workers of this Dask scheduler")
@opt.baselines
@opt.champion
@opt.policy
@opt.as_json
@click.pass_obj
def train(home: Path, /, source: str, json_file: Path | None, **options: Any) -> None:
    """Tune, fit, calibrate and judge over the features kept; write and register one bundle.

    \b
    Example:
      tierline train --source bank --trials 20
      tierline train --source bank --study experiments/bank_churn.toml
    """
    from training.run import train as train_all

    workspace = Workspace(home, source)
    with opt.stoppable(), opt.progress() as told:
        dataset = opt.dataset_of(workspace)
        result = train_all(dataset, workspace, _options(home, **options), told)
    _show(result, json_file)


@main.command()
@opt.source
@opt.data
@opt.trials
@opt.seed
@opt.accept
@opt.by
@opt.baselines
@opt.champion
@opt.policy
@opt.as_json
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
    report = cli_data.take_in(home, source, data)
    console.print(report.to_text(), markup=False, highlight=False)
    with opt.stoppable(), opt.progress() as told:
        dataset = opt.dataset_of(workspace)
        result = run_all(dataset, workspace, _options(home, **options), told)
    _show(result, json_file)


def _show(result: RunResult, json_file: Path | None) -> None:
    from training.table import gate_lines, result_table

    console.print(result_table(result))
    for line in gate_lines(result):
        console.print(line, markup=False, highlight=False)
    if json_file:
        json_file.write_text(json.dumps(result.to_dict(), indent=2, ensure_ascii=False), "utf-8")


@main.command()
@opt.source
@opt.sample
@click.pass_obj
def parity(home: Path, source: str, sample: int) -> None:
    """Compare online with offline features, certify it; exit code 1 where any customer differs.

    \b
    Example:
      tierline parity --source bank --sample 1000
    """
    from scoring.parity import certify

    found = certify(Workspace(home, source), os.environ, sample)
    console.print(found.to_text(), markup=False, highlight=False)
    raise SystemExit(not found.passed)


@main.command()
@opt.source
@click.option("--bundle", "bundle_hash", help="hash of the bundle [the newest one registered]")
@opt.by
@click.option("--reason", help="why; the log keeps it")
@click.option("--accept", metavar="REASON", help="although it failed or nobody signed it: why")
@opt.sample
@click.option("--certificate", help="hash of one that `tierline parity` wrote [compare now]")
@click.pass_obj
def promote(
    home: Path, /, source: str, accept: str | None, sample: int, certificate: str | None, **how: Any
) -> None:
    """Make a bundle live: features go online, online is compared with offline, the log is written.

    \b
    Example:
      tierline promote --source bank --by alice
      tierline promote --bundle HASH --by "Wang Fang" --accept "A pilot of ninety days, watched."
    """
    from scoring import registry
    from scoring.approvals import approval_of
    from scoring.card import accepted
    from scoring.parity import go_live

    workspace = Workspace(home, source)
    if differs := registry.alias_differs(workspace):
        console.print(differs, markup=False, highlight=False)
    chosen, now = how.pop("bundle_hash") or registry.newest(workspace), time.time_ns() // 1000
    if accept is not None:
        chosen = registry.accept(workspace, chosen, accepted(how["by"], accept), now).hash
    if newer := registry.superseded_by(workspace, chosen, now):
        since = f"policy {newer.version}, in effect since {newer.effective_at:%Y-%m-%d}"
        console.print(f"the policy that judged it is superseded by {since}: train again with it")
    with console.status("features go online"):
        basis = certificate or sample
        done, passed = go_live(workspace, os.environ, chosen, basis=basis, **how)
    signed = approval_of(workspace, done.bundle)
    console.print(
        f"live: [bold]{done.bundle[:12]}[/] by {done.by}; parity passed, {passed.customers} "
        f"customers compared: {passed.features} features, none differs; "
        f"approved by {signed.by if signed else 'nobody'}"
    )


@main.command()
@opt.source
@opt.setting(HOST)
@opt.setting(PORT, int)
@opt.policy
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
@opt.source
@click.argument("customers", nargs=-1, required=True)
@click.option("--purpose", type=click.Choice([p.value for p in Purpose]), default="crm")
@click.option("--as-of", help="decide as of this instant [the features online now]")
@opt.policy
@opt.lang
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

    workspace, as_of = Workspace(home, source), opt.when(options["as_of"])
    answer = decide_now(workspace, customers, Purpose(options["purpose"]), as_of, options["policy"])
    if options["as_json"]:
        console.print_json(answer.model_dump_json())
        return
    for line in (line for d in answer.decisions for line in decision_lines(d, lang)):
        console.print(line, highlight=False)


@main.command()
@opt.source
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
@click.option("--customers", default=5000, show_default=True, help="size of the simulated bank")
@click.option("--trials", default=5, show_default=True, help="trials of each study")
@click.pass_context
def demo(ctx: click.Context, customers: int, trials: int) -> None:
    """A simulated bank, from raw events to explained, recorded, replayed decisions.

    \b
    Example:
      tierline demo --customers 2000
    """
    from features.store import open_room
    from serving.desk import find_record

    workspace = Workspace(ctx.obj, "bank")
    why = "a demonstration on simulated customers: no real decision depends on it"
    ctx.invoke(cli_data.simulate, customers=customers)
    ctx.invoke(run, source="bank", trials=trials, by="demo", accept=why)
    ctx.invoke(promote, source="bank", by="demo")
    _, everybody = open_room(workspace, os.environ).latest()
    chosen = everybody[:: max(1, len(everybody) // 3)][:3]
    ctx.invoke(decide, source="bank", customers=chosen)
    first = find_record(workspace, chosen[0]).decision
    asked = {"source": "bank", "decision_or_customer": first.decision_id}
    ctx.invoke(explain, **asked)
    console.print(f"in Chinese: .venv/bin/tierline explain {first.decision_id} --lang zh")
    ctx.invoke(explain, **asked, html_file=workspace.root / "explained.html")
    console.print("next: `make serve`, and docs/crm.md for the calls a CRM makes")
    ctx.invoke(replay, source="bank", decision_ids=(first.decision_id,))


if __name__ == "__main__":
    main()
