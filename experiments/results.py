"""Runs `tierline run` on every public data set and writes the tables of docs/results.md.

    python -m experiments.results --trials 20

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: the generated part of the page, and
the JSON of every run in `--out`. It judges nothing: the figures are those that each run printed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from domain.settings import DATA
from experiments.materials import PUBLIC
from training.table import reliability

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/results.md"
BEGIN, END = "<!-- generated: results -->", "<!-- /generated -->"
HEAD = (
    "source", "target", "test rows", "events", "metric", "model", "95 % interval", "best baseline",
    "model minus it", "calibration error", "verdict", "seconds",
)  # fmt: skip
SETS = {
    "test_known": "known customers",
    "test_unseen": "new customers",
    "earlier_known": "known customers, last training date",
    "earlier_unseen": "new customers, last training date",
}
PARTS = (
    "source", "target", "part", "rows", "model", "95 % interval", "best baseline", "reliability",
)  # fmt: skip


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
@click.option("--trials", default=20, show_default=True, help="trials of each study")
@click.option("--out", type=click.Path(path_type=Path), help="keep the JSON of every run here")
def main(data: str, trials: int, out: Path | None) -> None:
    """Run every public data set and write docs/results.md."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for source in PUBLIC:
            run(source, Path(data) / source, trials, Path(temporary) / "home", folder)
        found = [json.loads((folder / f"{s}.json").read_text("utf-8")) for s in PUBLIC]
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    told = "\n".join([BEGIN, "", *tables(found, trials), "", END])
    PAGE.write_text(before + told + after, encoding="utf-8")


def run(source: str, data: Path, trials: int, home: Path, out: Path) -> None:
    """One source through the command line, its JSON in `out`."""
    command = [sys.executable, str(ROOT / "cli.py"), "--home", str(home), "run"]
    command += ["--source", source, "--data", str(data), "--trials", str(trials)]
    subprocess.run([*command, "--json", str(out / f"{source}.json")], check=True)


def tables(found: list[dict[str, Any]], trials: int) -> Iterator[str]:
    """The tables as lines of Markdown: the test rows as a whole, their parts, the failed gates."""
    targets = [(f["source"], name, t) for f in found for name, t in f["targets"].items()]
    judged = [(source, name, t) for source, name, t in targets if "test" in t]
    yield f"{trials} trials a study; seconds of a machine with two busy cores."
    yield ""
    yield from _markdown(HEAD, (_row(*j) for j in judged))
    yield ""
    yield "Parts of the same test rows:"
    yield ""
    yield from _markdown(PARTS, (row for j in judged for row in _parts(*j)))
    yield ""
    failed = [
        f"- `{source}` {name}: {gate['gate']}: {gate['figure']}"
        for source, name, t in judged
        for gate in t["gates"]
        if gate["result"] == "failed"
    ]
    said = "Gates that failed, so that nothing is registered without a written reason:"
    yield from (said, "", *failed) if failed else (f"{said} none.",)


def _row(source: str, target: str, found: dict[str, Any]) -> tuple[str, ...]:
    test = found["test"]
    best, figure = _best(test)
    gap, low, high = test["differences"][best][found["metric"]]
    return (
        source, target, f"{test['rows']:,}", f"{test['events']:,}", found["metric"],
        f"{test[found['metric']]:.3f}", _interval(test, found["metric"]), f"{best} {figure:.3f}",
        f"{gap:+.3f} [{low:+.3f}, {high:+.3f}]", f"{test['calibration_error']:.3f}",
        found["verdict"], f"{found['seconds']:.0f}",
    )  # fmt: skip


def _parts(source: str, target: str, found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, part in found.items():
        if name.startswith(("test_", "earlier_")):
            best, figure = _best(part)
            value = f"{part[found['metric']]:.3f}"
            told = SETS.get(name, name.removeprefix("test_").replace("_", "-"))
            yield (
                source, target, told, f"{part['rows']:,}", value, _interval(part, found["metric"]),
                f"{best} {figure:.3f}", reliability(part),
            )  # fmt: skip


def _best(part: dict[str, Any]) -> tuple[str, float]:
    name = max(part["baseline"], key=part["baseline"].__getitem__)
    return name, part["baseline"][name]


def _interval(part: dict[str, Any], metric: str) -> str:
    low, high = part["intervals"][metric]
    return f"{low:.3f} to {high:.3f}"


def _markdown(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, tuple("---" for _ in head), *rows):
        yield "| " + " | ".join(row) + " |"


if __name__ == "__main__":
    main()
