"""Options and terminal that the commands share; no command stands here.

Enters: settings. Leaves: options for click, the console, a progress bar. Rooms are imported inside
functions, so that `--help` stays fast.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from domain.asof import from_micros, parse_instant
from domain.settings import LANG, POLICY, SEED, SOURCE, STUDIES, Setting

if TYPE_CHECKING:
    from domain.policy import Policy
    from domain.workspace import Workspace
    from events.dataset import Dataset

console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 140)
FILE = click.Path(path_type=Path)


def setting(what: Setting, kind: Any = str) -> Callable[..., Any]:
    """A setting as an option; the environment gives its default."""
    return click.option(
        f"--{what.name}",
        type=kind,
        default=lambda: what.read(os.environ) or None,
        help=f"{what.text} [{what.variable}; {what.default or 'unset'}]",
    )


def path(name: str, text: str, variable: str = "") -> Callable[..., Any]:
    """An option that is a path."""
    return click.option(name, variable or name[2:], type=FILE, help=text)


def _writable(_: click.Context, __: click.Parameter, file: Path | None) -> Path | None:
    if file is not None and (file.is_dir() or not file.parent.is_dir()):
        raise click.BadParameter(f"{file} cannot be written: name a file in a folder that exists")
    return file


def output(name: str, text: str, variable: str) -> Callable[..., Any]:
    """An option that is a file to write; a place that cannot hold one is refused at once."""
    return click.option(name, variable, type=FILE, callback=_writable, help=text)


source = setting(SOURCE)
seed = setting(SEED, click.IntRange(0, 2_000_000_000))
policy = setting(POLICY, FILE)
data = path("--data", "folder of the raw tables; default: what `simulate` wrote, or the data set")
as_json = output("--json", "write the same as JSON here", "json_file")
trials = click.option(
    "--trials",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    help="trials of each study",
)
storage = click.option(
    "--storage",
    default=lambda: STUDIES.read(os.environ),
    help=f"{STUDIES.text} [{STUDIES.variable}; {STUDIES.default}]",
)
studies = click.option(
    "--study", multiple=True, type=FILE, help="a study file for its target; may be given again"
)
sample = click.option("--sample", default=200, show_default=True, help="customers to compare")
by = click.option("--by", default=lambda: os.environ.get("USER") or "unnamed", help="who says so")
lang = setting(LANG, click.Choice(["en", "zh"]))
accept = click.option("--accept", metavar="REASON", help="register although a verdict failed: why")


def _peers(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...]:
    """The names of peers, each known and its library installed, or a clear message at once."""
    if not text:
        return ()
    from training.learners import chosen

    return tuple(learner.name for learner in chosen(text.split(",")))


baselines = click.option(
    "--baselines",
    callback=_peers,
    metavar="NAMES",
    help="judge against these too: lightgbm, xgboost, catboost, woe, with commas between",
)


def policy_of(file: Path | None) -> Policy | None:
    """The policy in a file; None without one."""
    from domain.errors import PolicyError
    from domain.policy import parse_policy

    if file is None:
        return None
    try:
        return parse_policy(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise PolicyError(f"the policy {file.name} cannot be read as UTF-8 text: {e}") from None


champion = click.option(
    "--champion",
    default="live",
    show_default=True,
    metavar="HASH|live|none",
    help="the bundle to be not worse than",
)


def when(text: str | None) -> datetime | None:
    """The instant that an option names."""
    return None if text is None else from_micros(parse_instant(text))


def dataset_of(workspace: Workspace) -> Dataset:
    """The checked data set of a source."""
    from events.dataset import open_dataset

    return open_dataset(workspace.dataset)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar a task: call it with its name, steps done, steps in all (None: unknown).

    What follows a colon in the name is shown, and may change from call to call; where there is no
    terminal, it is a line each time that it does.
    """
    from rich.progress import MofNCompleteColumn, Progress, TaskID

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}
        said: set[str] = set()

        def advance(name: str, done: int, total: int | None) -> None:
            task = name.partition(":")[0]
            if task not in tasks:
                tasks[task] = bars.add_task(name, total=total)
            bars.update(tasks[task], description=name, completed=done, total=total)
            if name not in (task, *said) and not console.is_terminal:
                said.add(name)
                console.print(f"{name} ({done} of {total})", highlight=False)

        yield advance


class _Stopped(click.ClickException):
    exit_code = 130


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C ends with what it leaves behind."""
    try:
        yield
    except KeyboardInterrupt:
        said = "stopped: the trials that are done are kept, and the same command goes on"
        raise _Stopped(said) from None
