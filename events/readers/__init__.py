"""Every data set that Tierline reads, by name: one module each."""

from __future__ import annotations

from events.readers import (
    berka,
    credit_card_approval,
    folder,
    given,
    online_retail_ii,
    taiwan_credit_default,
)
from events.readers.base import Source

SOURCES: dict[str, Source] = {
    s.name: s
    for s in (
        folder.BANK,
        folder.SOURCE,
        given.SOURCE,
        *given.SOURCES,
        berka.SOURCE,
        credit_card_approval.SOURCE,
        online_retail_ii.SOURCE,
        taiwan_credit_default.SOURCE,
    )
}
