"""Packed rows: the features of one customer and view as one short run of bytes, and back.

Enters: the values of a view's fields, and the instant they are as of. Leaves: bytes, the same for
the same values. A row is, little endian: 16 bytes of the schema's hash, the as_of in micros, one
bit a field that is present (filled up to 8 bytes), one float64 a field. It knows no store. A row
holds numbers only: no text, no code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.decision import canonical_json
from domain.errors import StoreError

HASH_BYTES = 16
_HEAD = HASH_BYTES + 8
_FORMAT = 1
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows of one view: `values` (n, k), `present` (n, k), `as_of` (n,) micros."""

    values: Floats
    present: NDArray[np.bool_]
    as_of: Ints

    @staticmethod
    def of(values: Floats, as_of: Ints) -> Rows:
        """Rows whose missing values are the NaN among them."""
        return Rows(values, ~np.isnan(values), as_of)


@dataclass(frozen=True)
class Layout:
    """Which bytes of a row are which field of a view: other names or order, another hash."""

    view: str
    names: tuple[str, ...]

    @cached_property
    def hash(self) -> bytes:
        """The first 16 bytes of the SHA-256 of the format, the view and its fields in order."""
        said = canonical_json([_FORMAT, self.view, self.names])
        return hashlib.sha256(said.encode()).digest()[:HASH_BYTES]

    @cached_property
    def place(self) -> Mapping[str, int]:
        """The place of every field."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def bit_bytes(self) -> int:
        """The bytes that say which fields are present: a multiple of 8."""
        return -(-len(self.names) // 64) * 8

    @cached_property
    def row_bytes(self) -> int:
        """The length of a row."""
        return _HEAD + self.bit_bytes + 8 * len(self.names)

    def pack(self, rows: Rows) -> list[bytes]:
        """One run of bytes a row; what is not present stands as NaN."""
        size, begin = len(rows.as_of), _HEAD + self.bit_bytes
        out = np.zeros((size, self.row_bytes), np.uint8)
        out[:, :HASH_BYTES] = np.frombuffer(self.hash, np.uint8)
        out[:, HASH_BYTES:_HEAD] = _bytes(rows.as_of.astype("<i8")[:, None])
        bits = np.packbits(rows.present, axis=1, bitorder="little")
        out[:, _HEAD : _HEAD + bits.shape[1]] = bits
        out[:, begin:] = _bytes(np.where(rows.present, rows.values, np.nan).astype("<f8"))
        whole, width = out.tobytes(), self.row_bytes
        return [whole[i : i + width] for i in range(0, size * width, width)]

    def unpack(self, packed: Sequence[bytes]) -> Rows:
        """The rows that were packed with this layout.

        Raises:
            StoreError: a row of another schema or length; none of the values is told.
        """
        self.check(packed)
        raw = np.frombuffer(b"".join(packed), np.uint8).reshape(len(packed), self.row_bytes)
        begin, fields = _HEAD + self.bit_bytes, len(self.names)
        bits = np.unpackbits(raw[:, _HEAD:begin], axis=1, count=fields, bitorder="little")
        values = np.ascontiguousarray(raw[:, begin:]).view("<f8")
        as_of = np.ascontiguousarray(raw[:, HASH_BYTES:_HEAD]).view("<i8")[:, 0]
        return Rows(values, bits.astype(bool), as_of)

    def check(self, packed: Sequence[bytes]) -> None:
        """Nothing, where every row has this schema and length.

        Raises:
            StoreError: one has not.
        """
        own, width = self.hash, self.row_bytes
        for row in packed:
            if row[:HASH_BYTES] != own:
                raise StoreError(
                    f"the online store holds a row of {self.view} with the schema "
                    f"{row[:HASH_BYTES].hex()}, this catalogue has {own.hex()}: bring the features "
                    "online again (`tierline promote`), or run the version that wrote them"
                )
            if len(row) != width:
                raise StoreError(
                    f"the online store holds a row of {self.view} of {len(row)} bytes instead of "
                    f"{width}: it is damaged; bring the features online again (`tierline promote`)"
                )


def _bytes(words: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.uint8]:
    """Words of 8 bytes (n, k) as (n, 8 k)."""
    return np.ascontiguousarray(words).view(np.uint8).reshape(len(words), -1)
