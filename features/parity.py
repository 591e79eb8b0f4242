"""Parity: offline and online features of the same customers, value by value, and who certifies it.

Enters: two matrices of features; what was compared. Leaves: every value that differs, and a
certificate that a promotion asks for: of which panel and catalogue, how many customers, which
features differ, when, and its own hash. No customer stands in it. It reads no store.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.decision import canonical_json, content_hash
from domain.errors import NotFoundError, PromotionError


@dataclass(frozen=True)
class Mismatch:
    """A feature whose offline and online values differ for the customer at `position`."""

    position: int
    feature: str
    offline: float
    online: float


@dataclass(frozen=True)
class Certificate:
    """What a comparison found. `customers` were compared, `pushed` passed over: they are newer.

    `panel` and `catalogue` are hashes, `store` is the kind of online store, `as_of` and `at`
    instants as text, `mismatches` the number of customers by feature.
    """

    project: str
    catalogue: str
    panel: str
    store: str
    as_of: str
    customers: int
    pushed: int
    features: int
    mismatches: Mapping[str, int]
    at: str
    hash: str = ""

    @property
    def passed(self) -> bool:
        """Whether somebody was compared and nothing differed."""
        return self.customers > 0 and not self.mismatches

    @property
    def text(self) -> str:
        """The certificate as it is kept."""
        return canonical_json(asdict(self)) + "\n"

    def to_text(self) -> str:
        """What was found, as lines for a terminal."""
        lines = [
            f"{n}: differs for {k} of {self.customers} customers"
            for n, k in self.mismatches.items()
        ]
        said = "equal" if self.passed else "not certified"
        what = f"{self.customers} customers, {self.features} features as of {self.as_of}"
        return "\n".join([*lines, f"{said}: {what}, {self.pushed} newer; certificate {self.hash}"])

    def sealed(self) -> Certificate:
        """The same with its own hash."""
        content = asdict(self)
        del content["hash"]
        return replace(self, hash=content_hash(content))


def differences(
    offline: NDArray[np.float64], online: NDArray[np.float64], names: Sequence[str]
) -> tuple[Mismatch, ...]:
    """Every value (n, k) that is not the same, bit for bit; missing on both sides is the same."""
    same = offline.view(np.int64) == online.view(np.int64)
    differ = ~(same | (np.isnan(offline) & np.isnan(online)))
    return tuple(
        Mismatch(int(r), names[c], float(offline[r, c]), float(online[r, c]))
        for r, c in np.argwhere(differ)
    )


def by_feature(found: Sequence[Mismatch]) -> dict[str, int]:
    """How many customers differ in each feature, the most first."""
    return dict(Counter(m.feature for m in found).most_common())


def check_certificate(certificate: Certificate, catalogue: str, panel: str, project: str) -> None:
    """Nothing, where the certificate says that these features are equal offline and online.

    Raises:
        PromotionError: it was edited, is of other features, or did not pass.
    """
    if certificate.sealed() != certificate:
        raise PromotionError("the certificate of parity was edited: compare again")
    said = (certificate.catalogue, certificate.panel, certificate.project)
    of_what = ("another catalogue", "another panel of features", "another source")
    other = [
        w for w, a, b in zip(of_what, said, (catalogue, panel, project), strict=True) if a != b
    ]
    if other:
        raise PromotionError(
            f"the certificate of parity is of {' and '.join(other)}: bring the features online and "
            "compare again"
        )
    if not certificate.passed:
        worst = ", ".join(f"{n} ({k})" for n, k in list(certificate.mismatches.items())[:5])
        raise PromotionError(
            f"offline and online features differ: {worst or 'nobody was compared'}; bring the "
            "features online again before promoting"
        )


def read_certificate(folder: Path, certificate_hash: str) -> Certificate:
    """The certificate of a hash.

    Raises:
        NotFoundError: there is none.
        PromotionError: it was edited.
    """
    file = folder / f"{certificate_hash}.json"
    if not re.fullmatch(r"[0-9a-f]{64}", certificate_hash) or not file.is_file():
        raise NotFoundError("no certificate of this hash: `tierline parity` writes one")
    try:
        found = Certificate(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise PromotionError(f"the certificate {file.name} was edited: compare again") from None
    if found.hash != certificate_hash or found.sealed() != found:
        raise PromotionError(f"the certificate {file.name} was edited: compare again")
    return found
