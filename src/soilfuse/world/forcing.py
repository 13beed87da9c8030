"""The forced change of the regional mean, month by month."""

from functools import lru_cache

import numpy as np

from soilfuse.world.regional_fit import YEARS, regional_change

SEASON_OF_MONTH = np.array([0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0])


@lru_cache
def month_weights() -> np.ndarray:
    """Return (12, 4) weights that spread seasonal means over the months.

    The smoothest cycle (least squared second difference) whose seasonal means are kept.
    """
    second = np.roll(np.eye(12), 1, 1) - 2 * np.eye(12) + np.roll(np.eye(12), -1, 1)
    means = np.equal.outer(np.arange(4), SEASON_OF_MONTH) / 3
    system = np.block([[second.T @ second, means.T], [means, np.zeros((4, 4))]])
    return np.linalg.solve(system, np.concatenate([np.zeros((12, 4)), np.eye(4)]))[:12]


def seasonal_change(layer: int, ssp: str, delay: float = 0.0) -> np.ndarray:
    """Return (1812, 4) what each season adds to the regional mean of the months of 1950-2100.

    The sum over the seasons is the forced change in m3 m-3. delay: years by which it comes later.
    """
    time = 1950 + (np.arange(YEARS.size * 12) + 0.5) / 12 - 0.5 - delay
    curves = regional_change(layer, ssp)
    seasons = np.stack([np.interp(time, YEARS, curve) for curve in curves.T], axis=1)
    return seasons * month_weights()[np.arange(time.size) % 12]
