"""What can be set about the simulated bank, with units and defaults.

Enters: numbers. Leaves: a checked `BankConfig`. It draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from domain.asof import monthly_grid, parse_instant
from domain.errors import Fault, InputError
from domain.settings import SEED

MAX_CUSTOMERS = 9_999_999
MIN_MONTHS = 16
MAX_MONTHS = 120


@dataclass(frozen=True)
class BankConfig:
    """One simulated bank: its size, its process, its faults.

    Shares are probabilities; rates "a month" mean a month of 30 days; effects are added to the
    logarithm of a rate, or to log-odds of paying. `until` is the instant the data reaches, the
    first of a month. `season` is the power to which the yearly wave of `months.SEASON` is raised:
    0 none, 1 a mild one, 4 one that moves who buys again. `drift_month` counts months from the
    first (0); None = no drift.

    Raises:
        InputError: a value outside its range; all faults at once.
    """

    customers: int = 5_000
    months: int = 30
    seed: int = int(SEED.default)
    until: str = "2026-07-01"
    chunk: int = 20_000

    visits_per_month: float = 1.6
    purchases_per_visit: float = 2.6
    rate_shape: float = 1.0
    spend_sigma: float = 0.7
    refund_share: float = 0.04
    dropout_per_month: float = 0.01
    fading_dropout_factor: float = 8.0
    fading_purchase_factor: float = 0.4
    fading_app_factor: float = 0.3
    fade_per_month: float = 0.06
    fade_after_complaint: float = 0.4
    recover_per_month: float = 0.2
    return_per_month: float = 0.04
    complaints_per_month: float = 0.03

    season: float = 1.0

    campaign_every: int = 3
    campaign_share: float = 0.5

    card_share: float = 0.7
    loan_share: float = 0.25
    salary_share: float = 0.45
    ability_mean: float = 4.4
    ability_sigma: float = 1.7
    ability_memory: float = 0.88

    drift_month: int | None = None
    drift_purchase: float = -0.4
    drift_ability: float = -0.7

    late_share: float = 0.01
    late_days: int = 20
    correction_share: float = 0.003
    duplicate_share: float = 0.003

    def __post_init__(self) -> None:
        until = parse_instant(self.until)
        if until not in monthly_grid(self.until[:8] + "01", self.until[:8] + "01"):
            raise InputError(f"the bank ends at the first of a month, not {self.until}")
        faults = tuple(
            Fault(name, "range", f"{found} is outside {low} to {high}")
            for name, low, high in _RANGES
            for found in [getattr(self, name)]
            if found is not None and not low <= found <= high
        )
        if self.drift_month is not None and self.drift_month >= self.months:
            said = f"{self.drift_month} is not before month {self.months}, the end of the data"
            faults += (Fault("drift_month", "range", said),)
        if faults:
            raise InputError("the simulated bank cannot be drawn; change these values:", faults)


_SHARES = tuple(
    (f.name, 0.0, 1.0)
    for f in fields(BankConfig)
    if f.name.endswith("_share") or f.name.startswith(("recover", "return", "fade"))
)
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("customers", 1, MAX_CUSTOMERS),
    ("months", MIN_MONTHS, MAX_MONTHS),
    ("seed", 0, 2**63 - 1),
    ("chunk", 1, 1_000_000),
    ("visits_per_month", 0.01, 1000),
    ("purchases_per_visit", 1, 100),
    ("rate_shape", 0.05, 100),
    ("spend_sigma", 0, 3),
    ("dropout_per_month", 1e-6, 10),
    ("fading_dropout_factor", 1e-3, 1e3),
    ("complaints_per_month", 0, 10),
    ("season", 0, 8),
    ("campaign_every", 1, 60),
    ("ability_sigma", 0.01, 10),
    ("ability_memory", 0, 0.98),
    ("drift_month", 0, MAX_MONTHS),
    ("late_days", 1, 60),
    *_SHARES,
)
