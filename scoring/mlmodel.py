"""A bundle as MLflow describes a model: signature and example, beside the bundle's own files.

Enters: a bundle. Leaves: a folder with `MLmodel`, `input_example.json` and, under `bundle/`, the
bundle as it is. The flavour is our own, `tierline`: a model is loaded by `scoring.bundle`, which
checks it first, and never by MLflow, whose own loaders would answer without a record.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from domain.decision import canonical_json
from scoring.bundle import Bundle

BUNDLE = "bundle"
EXAMPLE = "input_example.json"
EXAMPLES = 3


def write_model(bundle: Bundle, folder: Path) -> None:
    """Write the folder that a model version holds."""
    from mlflow.models import Model, ModelSignature
    from mlflow.types.schema import ColSpec, DataType, Schema

    example = example_of(bundle)
    inputs = [ColSpec(DataType.double, name, required=False) for name in example["columns"]]
    outputs = [ColSpec(DataType.long, f"{target}_points") for target in sorted(bundle.scorers)]
    shutil.copytree(bundle.path, folder / BUNDLE)
    (folder / EXAMPLE).write_text(canonical_json(example), encoding="utf-8")
    Model(
        flavors={"tierline": {"bundle": bundle.hash, "path": BUNDLE, "version": bundle.tierline}},
        signature=ModelSignature(Schema(inputs), Schema(outputs)),
        saved_input_example_info={
            "artifact_path": EXAMPLE,
            "type": "dataframe",
            "pandas_orient": "split",
        },
    ).save(str(folder / "MLmodel"))


def example_of(bundle: Bundle) -> dict[str, Any]:
    """Some rows of every feature that a scorer reads, made of the golden rows: `columns`, `data`.

    Each value of a golden row is drawn by itself, so no row is a customer's (I12).
    """
    values: dict[str, list[float | None]] = {}
    for target, scorer in sorted(bundle.scorers.items()):
        columns = zip(*bundle.golden[target]["rows"][:EXAMPLES], strict=True)
        for name, column in zip(scorer.features, columns, strict=True):
            values.setdefault(name, list(column))
    names = sorted(values)
    shortest = min(len(values[name]) for name in names)
    return {"columns": names, "data": [[values[n][row] for n in names] for row in range(shortest)]}
