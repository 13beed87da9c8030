"""Monthly precipitation and temperature of the land by latitude, height, sea and season.

A sketch of the Earth, not a simulation: rain belt that follows the sun, storm tracks, eleven
monsoons, cold and dry interiors. Letters: T months, N points.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.interpolate
import scipy.ndimage

from soilfuse.grids.grid import Grid
from soilfuse.grids.land import land_mask
from soilfuse.grids.months import month_of, year_of

LAPSE = 4.5e-3  # K per m; less than in free air, since high plateaus warm their own air
WARMING = 0.025  # K a year
# Centre in degrees north and east, height in m, half-widths in degrees.
MOUNTAINS = (
    (33.5, 88, 4300, 6, 13),  # Tibetan Plateau
    (46, 95, 1500, 7, 14),
    (33, 55, 1300, 5, 8),
    (39, 40, 1300, 4, 7),
    (43, -112, 1900, 9, 7),
    (-20, -68, 3300, 13, 3),
    (9, 38, 1900, 6, 4),
    (-27, 27, 1300, 7, 6),
    (62, 130, 700, 8, 15),
)
# Centre in degrees north and east, half-widths, mm a day at the peak, month of the peak.
MONSOONS = (
    (22, 84, 8, 15, 9.0, 7.2),
    (14, 102, 9, 9, 6.0, 8.0),
    (31, 114, 8, 9, 4.5, 6.7),
    (32, 92, 5, 9, 2.2, 7.3),
    (11, 5, 6, 22, 4.5, 8.0),
    (-14, 133, 6, 12, 5.0, 1.3),
    (-20, 28, 9, 9, 3.5, 1.2),
    (-7, -58, 9, 12, 4.0, 2.0),
    (-21, -47, 8, 8, 3.5, 1.0),
    (26, -105, 6, 5, 2.0, 8.0),
    (35, -84, 8, 10, 1.8, 6.0),
)


@dataclass(frozen=True)
class Points:
    """Places on land, each (N,): degrees, m above the sea, 0 at the coast to 1 far inland."""

    lat: np.ndarray
    lon: np.ndarray
    height: np.ndarray
    inland: np.ndarray


@dataclass(frozen=True)
class Errors:
    """What a source gets wrong: K, a factor of rain and its belt's place in degrees, each (N,)."""

    warmer: np.ndarray
    wetter: np.ndarray
    belt: float = 0.0


def points_at(lat: np.ndarray, lon: np.ndarray) -> Points:
    """Return the places at (N,) latitudes and longitudes in degrees."""
    turned = (np.asarray(lon) + 180) % 360 - 180
    height = np.zeros_like(turned, dtype=float)
    for north, east, top, tall, wide in MOUNTAINS:
        height += top * np.exp(-(((lat - north) / tall) ** 2) - ((turned - east) / wide) ** 2)
    inland = _inland()(np.stack([lat, turned], axis=1))
    return Points(lat, turned, height, inland)


@lru_cache
def _inland() -> scipy.interpolate.RegularGridInterpolator:
    """Return how far inland a place is, from the share of land around it."""
    globe = Grid.regular(-179, 179, -89, 89, 2)
    share = scipy.ndimage.gaussian_filter(
        land_mask(globe).astype(float), sigma=4, mode=("nearest", "wrap")
    )
    far = np.clip((share - 0.45) / 0.5, 0, 1)
    return scipy.interpolate.RegularGridInterpolator(
        (globe.lat, globe.lon), far, bounds_error=False, fill_value=None
    )


def temperature(points: Points, months: np.ndarray, errors: Errors) -> np.ndarray:
    """Return (T, N) degrees Celsius without weather."""
    sine = np.sin(np.deg2rad(points.lat))
    mean = 27.5 - 46 * sine**2 - LAPSE * points.height + errors.warmer
    swing = (1 + 22 * np.abs(sine) ** 1.2) * (0.45 + 0.9 * points.inland) * np.sign(sine)
    season = np.cos(2 * np.pi * (month_of(months) - 7) / 12)
    warming = np.multiply.outer(WARMING * (year_of(months) - 2005), 1 + np.abs(sine))
    return mean + season[:, None] * swing + warming


def precipitation(points: Points, months: np.ndarray, errors: Errors) -> np.ndarray:
    """Return (T, N) mm a day without weather."""
    lat, month = points.lat, month_of(months)[:, None]
    belt = 9 * np.sin(2 * np.pi * (month - 4.5) / 12) + errors.belt
    tropics = 7 * np.exp(-(((lat - belt) / 8) ** 2))
    summer = np.cos(2 * np.pi * (month - 7) / 12) * np.sign(lat)
    storms = 2.5 * np.exp(-(((np.abs(lat) - 50) / 14) ** 2)) * (1 - 0.45 * points.inland)
    storms = storms * (1 + 0.75 * points.inland * summer)
    dry = 1 - 0.75 * np.exp(-(((np.abs(lat) - 24) / 8) ** 2))
    rain = 0.2 + (tropics + storms) * dry
    for north, east, tall, wide, top, peak in MONSOONS:
        near = np.exp(-(((lat - north) / tall) ** 2) - ((points.lon - east) / wide) ** 2)
        rain += top * near * np.clip(np.cos(2 * np.pi * (month - peak) / 12), 0, None)
    return rain * errors.wetter
