"""The steps of a sample: which hours of which days of which months there are.

A step is named by its end, in UTC: what accumulates is that of the time before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Steps:
    """Every step_hours from 00 UTC on, on the first days_a_month days of some months."""

    months: Sequence[int]
    step_hours: int = 3
    days_a_month: int = 31

    @property
    def length(self) -> np.timedelta64:
        """How long a step is."""
        return np.timedelta64(self.step_hours, "h")

    def of_month(self, year: int, month: int) -> np.ndarray:
        """Return the (T,) datetime64[h] steps of one month, in order."""
        first = np.datetime64(f"{year}-{month:02d}", "M")
        start, end = first.astype("datetime64[h]"), (first + 1).astype("datetime64[h]")
        return np.arange(start, min(end, start + 24 * self.days_a_month), self.length)

    def of_year(self, year: int) -> np.ndarray:
        """Return the (T,) datetime64[h] steps of one year, in order, with gaps between months."""
        return np.concatenate([self.of_month(year, month) for month in sorted(self.months)])
