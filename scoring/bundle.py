"""Bundle: the scorers of all targets with their card, as one content-addressed folder.

Enters: scorers, a catalogue, a card and golden rows; or a folder and the hash it must have.
Leaves: a `Bundle` that was opened first in a throw-away process (I8).

A folder holds `manifest.json` (its SHA-256 is the bundle's hash; it names the SHA-256 of every
other file), `<target>.lgb.txt` (native LightGBM text), `card.json`, `golden.json`, and what is
fitted beside the scorers (`BESIDE`). No pickle, no time stamp: the same scorers, catalogue, card
and rows give the same hash (I11).
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.decision import Hash, canonical_json
from domain.errors import BundleError, broken
from domain.tiers import Target
from events.durable import write_folder
from scoring.card import read_card
from scoring.categories import MOST_LEVELS
from scoring.golden import REASONS, first_difference, make_golden
from scoring.monotone import violations
from scoring.scorer import Explainer, Scorer, scorer_from
from scoring.tree_tables import UnsupportedError
from scoring.verify import MEGABYTES, SECONDS, rehearse

MANIFEST = "manifest.json"
CARD = "card.json"
GOLDEN = "golden.json"
BESIDE = ("segments", "references", "conformal", "global_view")
"""What may stand beside the scorers, each a JSON object in `<name>.json`; whoever uses one reads it
strictly."""
LARGEST_FILE = 512 * 1024 * 1024


class CatalogueLike(Protocol):
    """What a bundle asks of the feature catalogue."""

    @property
    def hash(self) -> str:
        """Hash of the whole catalogue."""

    def for_target(self, target: Target) -> tuple[str, ...]:
        """The features that the target may use."""

    def monotone(self, target: Target, names: tuple[str, ...]) -> tuple[int, ...]:
        """The direction of each."""

    def categories(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those that are categories."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _Calibration(_Strict):
    slope: float
    intercept: float
    monthly: list[float] = []


class _Scale(_Strict):
    anchor_margin: float
    anchor_points: int
    points_to_double: int


class _Levels(_Strict):
    feature: str
    codes: Annotated[list[float], Field(max_length=MOST_LEVELS)]
    statistics: Annotated[list[float], Field(max_length=MOST_LEVELS)]
    unseen: float


class _Fields(_Strict):
    target: Target
    features: list[str]
    calibration: _Calibration
    scale: _Scale
    horizon_days: int
    currency: str | None
    monotone: list[int]
    explainer: Explainer = "pred_contrib"
    explainer_because: str | None = None
    categories: list[_Levels] = []


class Manifest(_Strict):
    """What `manifest.json` says: every file by its hash, every scorer but its booster."""

    format: Literal[1]
    tierline: str
    lightgbm: str
    catalogue: Hash
    files: dict[str, Hash]
    targets: Annotated[dict[Target, _Fields], Field(min_length=1)]


@dataclass(frozen=True)
class Bundle:
    """Scorers released and rolled back as one; `card`, `golden` and `beside` are plain JSON.

    `explainer_because` says of each scorer that LightGBM explains why our own engine does not.
    """

    hash: str
    path: Path
    scorers: Mapping[Target, Scorer]
    catalogue_hash: str
    card: Mapping[str, Any]
    golden: Mapping[Target, Mapping[str, Any]]
    tierline: str
    explainer_because: Mapping[Target, str]
    beside: Mapping[str, Mapping[str, Any]]


def write_bundle(
    folder: Path,
    scorers: Mapping[Target, Scorer],
    catalogue: CatalogueLike,
    card: Mapping[str, Any],
    golden: Mapping[Target, NDArray[np.float64]],
    beside: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Bundle:
    """The bundle written to `<folder>/<hash>/`, whole or not at all, and loaded from there.

    A folder that already has this hash is checked and used again. A booster that our own engine
    cannot explain is explained by LightGBM, and the manifest says so and why.

    Raises:
        BundleError: a scorer breaks its monotone rules (I5) or uses a feature that the catalogue
            does not give its target (I10), or reads other categories than it; card or golden rows
            miss a target; something that is not of `BESIDE` stands beside.
        InputError: golden rows do not fit their scorer.
    """
    for scorer in scorers.values():
        _check_scorer(scorer, catalogue)
    because = {t: why for t, s in scorers.items() if (why := _why_not_ours(s)) is not None}
    scorers = {
        t: replace(s, explainer="pred_contrib") if t in because else s for t, s in scorers.items()
    }
    files = {**_content(scorers, card, golden), **_beside_content(beside)}
    manifest = Manifest(
        format=1,
        tierline=version("tierline"),
        lightgbm=version("lightgbm"),
        catalogue=catalogue.hash,
        files={name: _sha256(data) for name, data in sorted(files.items())},
        targets={
            t: _Fields.model_validate({**s.fields(), "explainer_because": because.get(t)})
            for t, s in sorted(scorers.items())
        },
    )
    files[MANIFEST] = canonical_json(manifest.model_dump(mode="json")).encode()
    found = _sha256(files[MANIFEST])
    write_folder(folder / found, files)
    return load_bundle(folder / found, found)


def with_card(bundle: Bundle, card: Mapping[str, Any]) -> Bundle:
    """A copy of a written bundle that differs in its card, under a hash of its own beside it.

    Raises:
        BundleError: it is damaged, or the card breaks rules.
    """
    files = _read(bundle.path)
    _read_manifest(files, bundle.hash)
    files[CARD] = canonical_json(read_card(card).model_dump(mode="json")).encode()
    manifest = _json(files, MANIFEST)
    manifest["files"][CARD] = _sha256(files[CARD])
    files[MANIFEST] = canonical_json(manifest).encode()
    found = _sha256(files[MANIFEST])
    write_folder(bundle.path.parent / found, files)
    return load_bundle(bundle.path.parent / found, found)


def load_bundle(
    path: Path, expected_hash: str, *, seconds: int = SECONDS, megabytes: int = MEGABYTES
) -> Bundle:
    """The bundle in a folder, if it is the one expected and answers as it did when it was made.

    First every file's hash, then a throw-away process that opens the boosters and repeats the
    golden predictions bit for bit within `seconds` and `megabytes`, only then this process, which
    repeats the golden reasons where our own engine gives them, so that its kernels are compiled
    before anybody waits. All work on the bytes that were hashed; no file is read twice.

    Raises:
        BundleError: files missing, foreign, damaged or linked; another hash; a booster that
            crashes, hangs or answers differently.
    """
    files = _read(path)
    manifest = _read_manifest(files, expected_hash)
    card, golden = _json(files, CARD), _json(files, GOLDEN)
    _check_targets(manifest, card, golden)
    texts = {t: _text(files, model_file(t)) for t in manifest.targets}
    fields = {t: entry.model_dump(mode="json") for t, entry in manifest.targets.items()}
    rehearse(
        {
            model_file(t): {"text": texts[t], "scorer": fields[t], "golden": golden[t]}
            for t in manifest.targets
        },
        seconds=seconds,
        megabytes=megabytes,
    )
    scorers = {t: scorer_from(fields[t], texts[t]) for t in manifest.targets}
    for target, scorer in scorers.items():
        _ = scorer.booster
        _check_reasons(scorer, golden[target])
    return Bundle(
        hash=expected_hash,
        path=path,
        scorers=scorers,
        catalogue_hash=manifest.catalogue,
        card=card,
        golden={t: golden[t] for t in manifest.targets},
        tierline=manifest.tierline,
        explainer_because={
            t: entry.explainer_because or "the bundle was made before our own engine"
            for t, entry in manifest.targets.items()
            if entry.explainer == "pred_contrib"
        },
        beside={name: _json(files, _file(name)) for name in BESIDE if _file(name) in files},
    )


def model_file(target: Target) -> str:
    """The name of a target's booster inside a bundle."""
    return f"{target}.lgb.txt"


def _check_scorer(scorer: Scorer, catalogue: CatalogueLike) -> None:
    target = scorer.target
    foreign = sorted(set(scorer.features) - set(catalogue.for_target(target)))
    if foreign:
        raise BundleError(f"{target}: the catalogue does not give it {foreign}: train without them")
    if tuple(catalogue.monotone(target, scorer.features)) != tuple(scorer.monotone):
        raise BundleError(f"{target}: its monotone rules are not the catalogue's: train again")
    if catalogue.categories(scorer.features) != tuple(c.feature for c in scorer.categories):
        raise BundleError(f"{target}: its categories are not the catalogue's: train again")
    broken = violations(scorer.booster_text, scorer.monotone)
    if broken:
        raise BundleError(
            f"{target}: {len(broken)} trees break a monotone rule, first {broken[0]}; "
            "train with the catalogue's monotone_constraints, method basic and path_smooth=0"
        )


def _why_not_ours(scorer: Scorer) -> str | None:
    """Why our own engine does not explain a scorer, or None where it does."""
    if scorer.explainer == "pred_contrib":
        return "asked for"
    try:
        _ = scorer.tree_shap
    except UnsupportedError as e:
        return str(e)
    return None


def _check_reasons(scorer: Scorer, golden: Mapping[str, Any]) -> None:
    """Nothing, where our own engine repeats the golden reasons, all rows at once and one alone."""
    if scorer.explainer == "pred_contrib":
        return
    name = model_file(scorer.target)
    try:
        first = {key: rows[:1] for key, rows in golden.items()}
        found = first_difference(scorer, golden, REASONS) or first_difference(
            scorer, first, REASONS
        )
    except UnsupportedError as e:
        raise BundleError(f"{name}: {e}: use another bundle") from None
    if found is not None:
        raise BundleError(
            f"{name}: its golden predictions are not repeated ({found}): use another bundle"
        )


def _content(
    scorers: Mapping[Target, Scorer],
    card: Mapping[str, Any],
    golden: Mapping[Target, NDArray[np.float64]],
) -> dict[str, bytes]:
    read = read_card(card)
    if not scorers or {*scorers} != {*golden} or {*scorers} != {*read.targets}:
        raise BundleError(
            f"scorers for {sorted(scorers)}, golden rows for {sorted(golden)}, a card for "
            f"{sorted(read.targets)}: give all three the same targets"
        )
    wrong = [t for t, s in scorers.items() if s.target != t]
    if wrong:
        raise BundleError(f"scorers of another target stand under {wrong}")
    answers = {t: make_golden(s, golden[t]) for t, s in scorers.items()}
    return {
        CARD: canonical_json(read.model_dump(mode="json")).encode(),
        GOLDEN: canonical_json(answers).encode(),
        **{model_file(t): s.booster_text.encode() for t, s in scorers.items()},
    }


def _beside_content(beside: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    foreign = sorted({*beside} - {*BESIDE})
    if foreign:
        raise BundleError(f"{foreign} may not stand beside the scorers: {list(BESIDE)} may")
    return {_file(name): canonical_json(content).encode() for name, content in beside.items()}


def _file(name: str) -> str:
    """The file of something beside the scorers."""
    return f"{name}.json"


def _read(path: Path) -> dict[str, bytes]:
    """Every file of the folder, each read once; refuses links, folders and huge files."""
    if path.is_symlink() or not path.is_dir():
        raise BundleError(f"{path.name[:80]} is not a bundle: give the folder named by its hash")
    files: dict[str, bytes] = {}
    for file in sorted(path.iterdir()):
        said = file.lstat()
        if not stat.S_ISREG(said.st_mode) or said.st_size > LARGEST_FILE:
            raise BundleError(
                f"{file.name[:80]} in the bundle is not a plain file of at most "
                f"{LARGEST_FILE >> 20} MiB: a bundle has no links and no folders"
            )
        files[file.name] = file.read_bytes()
    return files


def _read_manifest(files: Mapping[str, bytes], expected_hash: str) -> Manifest:
    if MANIFEST not in files:
        raise BundleError(f"the bundle has no {MANIFEST}: it is not whole, use another")
    found = _sha256(files[MANIFEST])
    if found != expected_hash:
        raise BundleError(
            f"{MANIFEST} has hash {found[:12]}, expected {expected_hash[:12]}: "
            "it is damaged or foreign; use the bundle that was promoted"
        )
    try:
        manifest = Manifest.model_validate_json(files[MANIFEST])
    except ValidationError as e:
        raise broken(MANIFEST, e) from None
    wanted = {CARD, GOLDEN, *(model_file(t) for t in manifest.targets)}
    wanted |= {_file(name) for name in BESIDE} & {*manifest.files}
    if {*manifest.files} != wanted or {*files} != wanted | {MANIFEST}:
        odd = sorted(({*files} - {MANIFEST}) ^ wanted | ({*manifest.files} ^ wanted))
        raise BundleError(f"files missing or too many in the bundle: {odd}; use another bundle")
    for name, wanted_hash in manifest.files.items():
        if _sha256(files[name]) != wanted_hash:
            raise BundleError(
                f"{name} is damaged: its hash is not the manifest's; use another bundle"
            )
    return manifest


def _check_targets(manifest: Manifest, card: Mapping[str, Any], golden: Mapping[str, Any]) -> None:
    named = {t: fields.target for t, fields in manifest.targets.items()}
    if any(t != target for t, target in named.items()) or not (
        {*named} == {*read_card(card).targets} == {*golden}
    ):
        raise BundleError("manifest, card and golden predictions name other targets: train again")


def _text(files: Mapping[str, bytes], name: str) -> str:
    try:
        return files[name].decode("ascii")
    except UnicodeDecodeError:
        raise BundleError(f"{name} is not plain LightGBM text: train again") from None


def _json(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        content = json.loads(files[name], parse_constant=_refuse)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise BundleError(f"{name} is not a JSON object: train again")
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
