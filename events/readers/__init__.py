"""Every data set that Tierline reads, by name: one module each."""

from __future__ import annotations

from events.readers import online_retail_ii
from events.readers.base import Source

SOURCES: dict[str, Source] = {s.name: s for s in (online_retail_ii.SOURCE,)}
