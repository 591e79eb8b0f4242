"""The matrices of a public data set: read, checked, its features computed once.

Enters: a source, the folder of public data sets, a folder for what is kept. Leaves: every target
that can be learnt, with its rows parted. Imported by the experiments beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from domain.workspace import Workspace
from events.dataset import Dataset, open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from training.fit import Material
from training.matrix import labelled, material, write_features

PUBLIC = tuple(name for name, source in SOURCES.items() if source.is_public)


def materials(source: str, data: Path, home: Path, seed: int) -> Iterator[tuple[Dataset, Material]]:
    """The data set and the material of each of its targets."""
    workspace = Workspace(home, source)
    ingest(SOURCES[source], data / source, workspace.dataset)
    dataset = open_dataset(workspace.dataset)
    found = labelled(dataset)[0]
    write_features(dataset, workspace, found)
    for target, table in found.items():
        yield dataset, material(dataset, workspace, target, table, seed)
