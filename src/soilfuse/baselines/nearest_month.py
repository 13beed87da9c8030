"""What a month's nearest training month says of it: the yardstick of leaking months."""

from dataclasses import dataclass, field

import numpy as np

from soilfuse.baselines.methods import UNFITTED, Baseline
from soilfuse.grids.climatology import monthly_climatology
from soilfuse.grids.months import month_of


@dataclass
class NearestMonth(Baseline):
    """The climatology plus what is left of the nearest training month's departure from it.

    After k months, before or after, memory ** k of a departure is left. It knows nothing of any
    climate model or of any future, so that it is no method of the registry: all that it has beyond
    the climatology it has from the neighbours.
    """

    target: np.ndarray = field(default_factory=lambda: UNFITTED)  # (12, D, H, W)
    departures: np.ndarray = field(default_factory=lambda: UNFITTED)  # (T, D, H, W)
    trained: np.ndarray = field(default_factory=lambda: UNFITTED)  # (T,) numbers of months
    memory: np.ndarray = field(default_factory=lambda: UNFITTED)  # (D,) within [0, 1]

    def fit(self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray) -> "NearestMonth":
        """Learn climatology and departures, and the memory from months that follow each other."""
        self.target = monthly_climatology(target, months)
        self.departures = target - self.target[month_of(months) - 1]
        self.trained = _numbers(months)
        first = np.flatnonzero(np.diff(self.trained) == 1)
        before, after = self.departures[first], self.departures[first + 1]
        over = tuple(axis for axis in range(target.ndim) if axis != 1)
        squares = np.nansum(before * before, axis=over, dtype=np.float64)
        products = np.nansum(before * after, axis=over, dtype=np.float64)
        ratio = np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)
        self.memory = np.clip(ratio, 0, 1)
        return self

    def predict(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Add what is left of the nearest month to the climatology; of two, the earlier counts."""
        apart = np.abs(_numbers(months)[:, None] - self.trained)
        nearest = apart.argmin(axis=1)
        left = self.memory ** apart.min(axis=1)[:, None]
        predicted = self.target[month_of(months) - 1]
        predicted += left[:, :, None, None].astype(np.float32) * self.departures[nearest]
        return predicted


def _numbers(months: np.ndarray) -> np.ndarray:
    return np.asarray(months).astype("datetime64[M]").astype(np.int64)
