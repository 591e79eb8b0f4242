"""Feast, imported without the checks of types that it would compile into itself at every start.

Enters: nothing. Leaves: `feast` imported, for a module to name before it imports from Feast. Under
`python -O` typeguard leaves those checks out too; they are three quarters of what Feast's import
costs. Where Feast is there already, nothing changes.
"""

from __future__ import annotations

from typing import Any

import typeguard

__all__ = ["feast"]


def _as_it_is(made: Any) -> Any:
    return made


_checked = typeguard.typechecked
vars(typeguard)["typechecked"] = _as_it_is
try:
    import feast
finally:
    vars(typeguard)["typechecked"] = _checked
