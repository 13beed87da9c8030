"""China's mean rain, and what each scenario does to its warmth and rain.

Signs of change after Feng et al. (2022), figures 6 to 8.
"""

import numpy as np

from soilfuse import names
from soilfuse.grids.months import month_of

PAST = 0.02  # K a year up to 2014
BY_2100 = {"ssp126": 1.2, "ssp245": 2.1, "ssp370": 3.0, "ssp585": 3.9}  # K above 1995-2014
BEND = {"ssp126": 1.0, "ssp245": 0.5, "ssp370": 0.0, "ssp585": -0.2}  # how early it slows down
# Change of rain per K by season, north and south of 35N, east of 100E.
PER_KELVIN = {
    "DJF": (0.12, -0.10),
    "MAM": (0.10, -0.05),
    "JJA": (0.22, 0.08),
    "SON": (0.20, 0.02),
}
WEST, WEST_SQUARED = 0.28, -0.055  # west of 100E: more rain at first, less where it grows hot


def warming(years: np.ndarray, experiment: str) -> np.ndarray:
    """Return (T,) K above 1995-2014 in calendar years."""
    past = PAST * (years - 2004.5)
    if experiment == names.HISTORICAL:
        return past
    done = np.clip((years - 2014) / 86, 0, 1)
    bent = done + BEND[experiment] * done * (1 - done)
    start = PAST * (2014 - 2004.5)
    return np.where(years > 2014, start + (BY_2100[experiment] - start) * bent, past)


def mean_rain(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return (12, N) mm a day of calendar months: the monsoon fades to the north-west."""
    reach = _step(0.4 * (lon - 100) - (lat - 33) - 3.2, 4.0)
    peaked = 1.7 - 0.9 * reach
    summer = np.cos(2 * np.pi * (np.arange(12) - 6) / 12)
    season = np.exp(np.multiply.outer(summer, peaked))
    return np.asarray((0.12 + 4.6 * reach) * season / season.mean(axis=0))


def rain_factor(
    lat: np.ndarray, lon: np.ndarray, months: np.ndarray, warmer: np.ndarray
) -> np.ndarray:
    """Return the (T, N) factor of rain at (N,) degrees; warmer: (T,) K."""
    north, east = _step(lat - 35, 1.5), _step(lon - 100, 2.0)
    place = np.empty(month_of(months).size, dtype=int)
    for number, season in enumerate(PER_KELVIN):
        place[np.isin(month_of(months), names.SEASONS[season])] = number
    rates = np.array([north * n + (1 - north) * s for n, s in PER_KELVIN.values()])
    west = WEST * warmer + WEST_SQUARED * warmer * np.abs(warmer)
    eastern = np.multiply(warmer[:, None], rates[place] * east)
    return np.exp(eastern + np.multiply.outer(west, 1 - east))


def _step(distance: np.ndarray, width: float) -> np.ndarray:
    """Return shares from 0 to 1 across 0."""
    return np.asarray(1 / (1 + np.exp(-distance / width)))
