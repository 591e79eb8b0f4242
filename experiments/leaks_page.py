"""The page of the red team: kinds and strengths down, sets across.

Enters: what was found of each plant and on each clean set. Leaves: docs/leakage-red-team.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from training.findings import Finding

PAGE = Path(__file__).parents[1] / "docs/leakage-red-team.md"
Found = Mapping[str, Mapping[tuple[str, str], Finding | None]]
HEAD = """# Leaks that were planted

```
tierline simulate --customers 3000 --months 30 --until 2026-11-01 --seed 7 --out raw
python -m experiments.leaks --bank raw
```

writes this page. Each kind is planted by itself: as columns, beside at most 30 of the set's own
features and in at most 10,000 learning rows, or as customers and dates in the whole data set (a
fiftieth of the customers once more, under new ids). **caught**: the finding stops a training; told:
it is said; missed: nothing names the plant. What each check does: [leaks](leakage.md).
"""
REST = """## What data cannot tell

- The outcome with noise at an AUC near that of honest features: it is told while it goes with no
  other feature; one that was made to go with them, as an amount partly of the horizon, looks like a
  good feature. Only who knows when the column was filled can say.
- A leak in few rows of a part that no column names, or in a value of fewer than forty rows.
- A mean outcome of few levels: with thirty there is too little chance in them to be missed.
- A person whose columns are few, or coarse, or whose amounts and days were both changed.
- A year alone, and a status that is frozen at extraction but ranks as an honest one would.
- Events dated back into the past: both clocks say that they were known.
- Texts as dates (`2024-W05`, `01.02.2024`) reach no check: reading refuses or leaves them out.
"""


def write_page(
    sets: Sequence[str], clean: Mapping[str, Sequence[Finding]], *tables: Found
) -> None:  # fmt: skip
    """Write the page from what was found."""
    lines = [HEAD]
    for title, found in zip(("Columns", "Customers and dates"), tables, strict=True):
        lines += [f"## {title}", "", *_table(sets, found), ""]
    lines += ["## Clean sets", "", *_clean(clean), "", REST.rstrip()]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _table(sets: Sequence[str], found: Found) -> Iterator[str]:
    yield f"| kind | strength | {' | '.join(f'`{s}`' for s in sets)} |"
    yield "|" + "---|" * (len(sets) + 2)
    keys = dict.fromkeys(key for s in sets for key in found[s])
    for kind, strength in keys:
        cells = [_cell(found[s], (kind, strength)) for s in sets]
        yield f"| {kind} | {strength} | {' | '.join(cells)} |"


def _cell(found: Mapping[tuple[str, str], Finding | None], key: tuple[str, str]) -> str:
    if key not in found:
        return ""
    finding = found[key]
    if finding is None:
        return "missed"
    word = "**caught**" if finding.is_sure else "told"
    return f"{word} `{finding.check}`"


def _clean(clean: Mapping[str, Sequence[Finding]]) -> Iterator[str]:
    quiet = [f"`{s}`" for s, found in clean.items() if not found]
    yield f"Nothing is found on {', '.join(quiet)}."
    for name, found in clean.items():
        for f in found:
            word = "stops" if f.is_sure else "told"
            yield f"- `{name}`: {word} `{f.check}`, {f.where}: {f.said}."
