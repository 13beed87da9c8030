"""The window's weather: wet and dry spells, travelling rain, clouds, warmth.

The truth's weather and ERA5-Land's come from the same large scales: a View says what a model makes
of them. Letters: T steps, N points.
"""

from dataclasses import dataclass

import numpy as np

from soilfuse import seeding
from soilfuse.world.three_hourly.calendar import since_new_year
from soilfuse.world.three_hourly.drift import Drift
from soilfuse.world.three_hourly.sunlight import clear_sky, solar_hour, sunlight

SPELL, SYNOPTIC, SHOWER = 0.45, 0.6, 0.8  # of the rain index
THRESHOLD = 0.6
YEARLY = 0.12  # of the rain index, between years
DRIFTS = {  # length in degrees, memory in hours, wind in degrees an hour
    "spell": (8.0, 80.0, (0.05, 0.0)),
    "synoptic": (2.0, 30.0, (0.15, 0.02)),
    "showers": (0.35, 7.0, (0.22, 0.04)),
    "warmth": (6.0, 90.0, (0.1, 0.0)),
}
EVENING = 19.0  # local solar hour when it rains most
MONSOON_DAY = 205  # of the year


@dataclass(frozen=True)
class View:
    """What a model makes of the large-scale weather; as it stands, the truth.

    north, east: degrees that its rain is displaced by; smoothed: degrees; own: share of the
    variance of its showers that is its own, and own_synoptic of what brings them; early: hours that
    its diurnal cycle of rain runs ahead.
    """

    name: str = "truth"
    north: float = 0.0
    east: float = 0.0
    smoothed: float = 0.0
    own: float = 0.0
    own_synoptic: float = 0.0
    threshold: float = THRESHOLD
    amount: float = 2.6  # mm a step where the index is 1 above the threshold
    shape: float = 1.25
    diurnal: float = 0.45
    early: float = 0.0
    clouds: float = 1.0
    sun: float = 1.0
    warmer: float = 0.0  # K


@dataclass(frozen=True)
class Weather:
    """(T, N) each: rain in mm and sunlight in J m-2 over a step; clouds 0-1, and K at its end."""

    rain: np.ndarray
    sunlight: np.ndarray
    clouds: np.ndarray
    t2m: np.ndarray
    sun: np.ndarray  # W m-2 at the end of the step


@dataclass(frozen=True)
class Year:
    """What drives the weather of one year of a world."""

    seed: int
    year: int
    wetter: float
    spell: Drift
    synoptic: Drift
    showers: Drift
    warmth: Drift

    @classmethod
    def of(cls, seed: int, year: int) -> "Year":
        """Draw a year of a world."""
        drifts = {
            name: Drift.draw((seed, "three_hourly", year, name), *about)
            for name, about in DRIFTS.items()
        }
        rng = seeding.generator(seed, "three_hourly", year, "wetter")
        return cls(seed, year, YEARLY * float(rng.normal()), **drifts)

    def own(self, what: str, name: str) -> Drift:
        """Draw the `what`, synoptic or showers, that only the model of a name has."""
        length, hours, wind = DRIFTS[what]
        return Drift.draw((self.seed, "three_hourly", self.year, what, name), length, hours, wind)


def weather(
    year: Year,
    view: View,
    steps: np.ndarray,
    place: tuple[np.ndarray, np.ndarray],
    height: np.ndarray,
    wetness: np.ndarray,
) -> Weather:
    """Return the weather of a model at N places (lat, lon) and T UTC steps.

    height: (N,) m as the model has it; wetness: (N,) standing pattern of the rain index.
    """
    lat, lon = place
    number = since_new_year(steps, year.year)
    spell, synoptic, showers = (
        _seen(year, view, what, number, lat, lon) for what in ("spell", "synoptic", "showers")
    )
    large = SPELL * spell + SYNOPTIC * synoptic + _monsoon(steps)[:, None] + year.wetter
    hour = solar_hour(steps, lon)
    day = np.cos(2 * np.pi * (hour - EVENING + view.early) / 24)
    index = large + SHOWER * showers + view.diurnal * day + wetness - view.threshold
    rain = view.amount * np.clip(index, 0, None) ** view.shape
    covered = view.clouds / (1 + np.exp(-2.0 * (large + 0.35 * showers - 0.2)))
    clouds = np.clip(covered, 0, 1)
    shade = view.sun * (1 - 0.72 * clouds**1.5)
    warm = year.warmth.at(number, lat, lon)
    return Weather(
        rain.astype(np.float32),
        (shade * sunlight(steps, lat, lon)).astype(np.float32),
        clouds.astype(np.float32),
        (_warmth(steps, hour, height, clouds) + 1.8 * warm + view.warmer).astype(np.float32),
        (shade * clear_sky(steps, lat, lon)).astype(np.float32),
    )


def _seen(
    year: Year, view: View, what: str, number: np.ndarray, lat: np.ndarray, lon: np.ndarray
) -> np.ndarray:
    """Return (T, N) of one of the drifts as a model has it, of unit variance before smoothing."""
    drift: Drift = getattr(year, what)
    shared = drift.at(number, lat - view.north, lon - view.east, view.smoothed)
    share = {"synoptic": view.own_synoptic, "showers": view.own}.get(what, 0.0)
    if not share:
        return shared
    own = year.own(what, view.name).at(number, lat, lon, view.smoothed)
    return np.asarray(np.sqrt(1 - share) * shared + np.sqrt(share) * own)


def _monsoon(steps: np.ndarray) -> np.ndarray:
    """Return the (T,) part of the season in the rain index, 0 at its height."""
    return np.asarray(-1.3 * (1 - np.cos(2 * np.pi * (_day(steps) - MONSOON_DAY) / 365)))


def _warmth(
    steps: np.ndarray, hour: np.ndarray, height: np.ndarray, clouds: np.ndarray
) -> np.ndarray:
    """Return (T, N) K: season, height, time of day under clouds."""
    season = 282.5 + 9 * (np.cos(2 * np.pi * (_day(steps) - 208) / 365) - 1)
    daily = (6.5 - 3.5 * clouds) * np.cos(2 * np.pi * (hour - 15) / 24)
    return np.asarray(season[:, None] - 0.0055 * (height - 4500) - 1.5 * clouds + daily)


def _day(steps: np.ndarray) -> np.ndarray:
    return np.asarray((steps - steps.astype("datetime64[Y]").astype(steps.dtype)).astype(int) / 24)
