"""What an identifier may be: one rule for raw tables, requests and records.

Enters: nothing. Leaves: the pattern and the longest length, as RE2, Rust and ECMAScript read them.
"""

from __future__ import annotations

_SHOWN = r"[^\p{Cc}\p{Cf}\p{Co}\p{Z}]"
"""A character that can be seen. What Unicode has not assigned yet may be one day."""
ID_PATTERN = rf"^{_SHOWN}+( +{_SHOWN}+)*$"
"""No control or invisible character, blanks inside only."""
MAX_ID_LENGTH = 128
