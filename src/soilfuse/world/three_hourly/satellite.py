"""A SMAP-like satellite: coarse cells, swaths that come back after two or three days, errors.

Letters: T steps, N coarse cells.
"""

import numpy as np

from soilfuse import seeding
from soilfuse.world.three_hourly.sunlight import solar_hour

PASSES = {"AM": 6.0, "PM": 18.0}  # local solar hour
BETWEEN_TRACKS = 24.615  # degrees of longitude: 117 orbits in 8 days (SMAP's exact repeat)
MOVED_A_DAY = 0.625 * BETWEEN_TRACKS  # 117 / 8 = 14.625 orbits a day
SWATH = 10.7  # degrees of longitude at 33N: 1000 km
TILT = {"AM": 0.25, "PM": -0.25}  # degrees of longitude a degree of latitude
SLOPE_SPREAD, OFFSET_SPREAD = 0.08, 0.02  # of the calibration, by cell; m3 m-3
MIDDLE = 0.2  # m3 m-3, where a wrong slope does no harm
NOISE = 0.03  # m3 m-3
LOWEST, HIGHEST = 0.02, 0.6  # m3 m-3, what the retrieval allows
UNCERTAIN, FAILED = 1, 5  # retrieval_qual_flag: not recommended; and not retrieved (bits 0 and 2)
RANDOMLY, WORSE = 0.03, 2.5  # share of doubtful retrievals, and their noise over that of good ones
HEAVY_RAIN = 3.0  # mm in the step, above which a retrieval is doubtful
SPOILT = 0.01  # share of retrievals that fail


def overpasses(steps: np.ndarray, lon: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (T,) "AM", "PM" or "" of the overpass nearest to each step, and when it is.

    Times are datetime64[s], those of steps without an overpass the step's own.
    """
    names = np.full(steps.size, "", dtype="<U2")
    late = np.zeros(steps.size)
    hour = solar_hour(steps, np.array([lon]))[:, 0]
    half = np.diff(steps).astype(float).min(initial=24) / 2
    for name, local in PASSES.items():
        hours = (local - hour + 12) % 24 - 12
        near = (-half < hours) & (hours <= half)
        names[near], late[near] = name, hours[near]
    return names, steps.astype("datetime64[s]") + np.round(3600 * late).astype("timedelta64[s]")


def covered(steps: np.ndarray, passes: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return (T, N) whether a swath covers a cell; passes: (T,) as `overpasses` names them."""
    days = steps.astype("datetime64[D]").astype(int)
    seen = np.zeros((steps.size, lat.size), dtype=bool)
    for number, (name, tilt) in enumerate(TILT.items()):
        track = MOVED_A_DAY * days + number * BETWEEN_TRACKS * 0.31
        beside = lon[None] - tilt * (lat - 33.0)[None] - track[:, None]
        beside = (beside + BETWEEN_TRACKS / 2) % BETWEEN_TRACKS - BETWEEN_TRACKS / 2
        seen |= (passes == name)[:, None] & (np.abs(beside) <= SWATH / 2)
    return seen


def retrievals(
    seed: int, year: int, theta: np.ndarray, rain: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, N) m3 m-3, NaN where nothing is retrieved, and retrieval_qual_flag (0 is good).

    theta: (T, N) of the truth; rain: mm in the step.
    """
    cells = theta.shape[1]
    fixed = seeding.generator(seed, "three_hourly", "smap")
    slope = 1 + SLOPE_SPREAD * fixed.normal(size=cells)
    offset = OFFSET_SPREAD * fixed.normal(size=cells)
    rng = seeding.generator(seed, "three_hourly", "smap", year)
    chance, noise = rng.random(theta.shape), rng.standard_normal(theta.shape)
    doubtful = (chance < RANDOMLY) | (rain > HEAVY_RAIN)
    failed = chance > 1 - SPOILT
    found = MIDDLE + offset + slope * (theta - MIDDLE)
    found = found + NOISE * np.where(doubtful, WORSE, 1.0) * noise
    found = np.where(seen & ~failed, np.clip(found, LOWEST, HIGHEST), np.nan)
    flags = np.where(failed, FAILED, np.where(doubtful, UNCERTAIN, 0))
    return found.astype(np.float32), np.where(seen, flags, FAILED).astype(np.uint16)
