"""The page of the red team: kinds and strengths down, sets across.

Enters: what was found of each plant. Leaves: results in a folder, and docs/leakage-red-team.md of
all that stand there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from training.findings import Finding

PAGE = Path(__file__).parents[1] / "docs/leakage-red-team.md"
Found = tuple[str, str, Finding | None]
TITLES = {"columns": "Columns", "customers": "Customers and dates", "events": "Event tables"}
HEAD = """# Leaks that were planted

```
tierline simulate --customers 3000 --months 30 --until 2026-11-01 --seed 7 --out raw
python -m experiments.leaks --bank raw --home red
```

writes this page. Each kind is planted by itself: as columns, beside at most 20 of the set's own
features and in at most 6,000 learning rows (means of levels: in all), or as customers and dates in
the whole data set (a fiftieth of the customers once more, under new ids), or as events of 600
customers, whose features are then computed anew. **caught**: the finding stops a training, or the
check refuses the rows; told: it is said; missed: nothing names the plant. What each check does, and
what it says of clean data: [leaks](leakage.md).
"""
REST = """`taiwan_credit_default` is told of its own twins, whatever else is planted.
`credit_card_approval` goes by person: copies of those with an application stand on the side of the
first, and are no leak; those without one have statuses by month alone, which tell nobody.

## What data cannot tell

- The outcome with noise at an AUC near that of honest features: it is told while it goes with no
  other feature; one that was made to go with them, as an amount partly of the horizon, looks like a
  good feature. Only who knows when the column was filled can say.
- A leak in few rows of a part that no column names, or in a value of fewer than forty rows.
- A mean outcome of few levels: with thirty there is too little chance in them to be missed.
- A person whose columns are few, or coarse, or whose amounts and days were both changed.
- A year alone, and a status that is frozen at extraction but ranks as an honest one would.
- Events dated back into the past: both clocks say that they were known. They are seen where they
  make a value that hardly anybody else has.
- Texts as dates (`2024-W05`, `01.02.2024`) reach no check: reading refuses them.
"""


def keep(home: Path, name: str, part: str, found: Sequence[Found]) -> None:
    """Keep what was found of one part in one set, beside its other parts."""
    file = home / f"red-{name}.json"
    said = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    said[part] = [
        [kind, strength, None if f is None else [f.check, f.is_sure]] for kind, strength, f in found
    ]
    file.write_text(json.dumps(said, indent=1), encoding="utf-8")


def kept(home: Path, sets: Sequence[str]) -> dict[str, dict[str, dict[tuple[str, str], str]]]:
    """What was found in each set that was tried, as cells of a table."""
    told = {}
    for name in sets:
        file = home / f"red-{name}.json"
        if file.is_file():
            said = json.loads(file.read_text(encoding="utf-8"))
            told[name] = {
                part: {(kind, strength): _cell(f) for kind, strength, f in those}
                for part, those in said.items()
            }
    return told


def write_page(told: Mapping[str, Mapping[str, Mapping[tuple[str, str], str]]]) -> None:
    """Write the page from what was found."""
    lines = [HEAD]
    for part, title in TITLES.items():
        those = {s: f[part] for s, f in told.items() if f.get(part)}
        lines += [f"## {title}", "", *_table(those), ""]
    PAGE.write_text("\n".join([*lines, REST.rstrip()]) + "\n", encoding="utf-8")


def _table(found: Mapping[str, Mapping[tuple[str, str], str]]) -> Iterator[str]:
    yield f"| kind | strength | {' | '.join(f'`{s}`' for s in found)} |"
    yield "|" + "---|" * (len(found) + 2)
    for kind, strength in dict.fromkeys(key for f in found.values() for key in f):
        cells = [f.get((kind, strength), "") for f in found.values()]
        yield f"| {kind} | {strength} | {' | '.join(cells)} |"


def _cell(finding: tuple[str, bool] | None) -> str:
    if finding is None:
        return "missed"
    check, is_sure = finding
    return f"{'**caught**' if is_sure else 'told'} `{check}`"
