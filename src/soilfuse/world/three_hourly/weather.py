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

DRIFTS = {  # length in degrees, memory in hours, wind in degrees an hour
    "spell": (8.0, 100.0, (0.05, 0.0)),
    "synoptic": (2.0, 30.0, (0.15, 0.02)),
    "showers": (0.35, 7.0, (0.22, 0.04)),
    "warmth": (6.0, 90.0, (0.1, 0.0)),
}
SPELL, SYNOPTIC, SHOWER = 0.6, 0.6, 0.75  # of the rain index
YEARLY = 0.12  # of the rain index, between years
MONSOON, MONSOON_DAY = 1.3, 205  # of the rain index; day of the year
EVENING = 19.0  # local solar hour when it rains most
SHADE = 0.72  # of the sunlight, that full clouds keep out
WARM_SPELLS = 1.8  # K


@dataclass(frozen=True)
class View:
    """What a model makes of the large-scale weather; as it stands, the truth.

    north, east: degrees that its rain is displaced by; smoothed: degrees; own: share of the
    variance of its showers that is its own, and own_synoptic of what brings them; amount: mm a step
    where the rain index is 1 above the threshold; early: hours that its rain's time of day is.
    """

    north: float = 0.0
    east: float = 0.0
    smoothed: float = 0.0
    own: float = 0.0
    own_synoptic: float = 0.0
    threshold: float = 0.6
    amount: float = 2.6
    shape: float = 1.25
    diurnal: float = 0.45
    early: float = 0.0
    clouds: float = 1.0
    sun: float = 1.0
    warmer: float = 0.0  # K


@dataclass(frozen=True)
class Weather:
    """(T, N) float32 each: mm and J m-2 over a step; clouds from 0 to 1, K and W m-2 at its end."""

    rain: np.ndarray
    sunlight: np.ndarray
    clouds: np.ndarray
    t2m: np.ndarray
    sun: np.ndarray


@dataclass(frozen=True)
class Year:
    """What drives the weather of one year of a world; own: what only ERA5-Land has of it."""

    number: int
    wetter: float
    shared: dict[str, Drift]
    own: dict[str, Drift]

    @classmethod
    def of(cls, seed: int, number: int) -> "Year":
        """Draw a year of a world."""
        stream = seed, "three_hourly", number
        shared = {name: Drift.draw((*stream, name), *about) for name, about in DRIFTS.items()}
        own = {
            name: Drift.draw((*stream, name, "era5_land"), *DRIFTS[name])
            for name in ("synoptic", "showers")
        }
        wetter = YEARLY * float(seeding.generator(*stream, "wetter").normal())
        return cls(number, wetter, shared, own)

    def seen(
        self, view: View, name: str, steps: np.ndarray, lat: np.ndarray, lon: np.ndarray
    ) -> np.ndarray:
        """Return (T, N) of a drift as a model has it, of unit variance before it is smoothed."""
        there = lat - view.north, lon - view.east
        shared = self.shared[name].at(steps, *there, view.smoothed)
        share = {"synoptic": view.own_synoptic, "showers": view.own}.get(name, 0.0)
        if not share:
            return shared
        own = self.own[name].at(steps, lat, lon, view.smoothed)
        return np.asarray(np.sqrt(1 - share) * shared + np.sqrt(share) * own, np.float32)


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
    number, hour = since_new_year(steps, year.number), solar_hour(steps, place[1])
    spell, synoptic, showers = (
        year.seen(view, name, number, *place) for name in ("spell", "synoptic", "showers")
    )
    large = SPELL * spell + SYNOPTIC * synoptic + (_monsoon(steps) + year.wetter)[:, None]
    evening = np.cos(2 * np.pi * (hour - EVENING + view.early) / 24)
    index = large + SHOWER * showers + view.diurnal * evening + wetness - view.threshold
    rain = view.amount * np.clip(index, 0, None) ** view.shape
    clouds = np.clip(view.clouds / (1 + np.exp(-2.0 * (large + 0.35 * showers - 0.2))), 0, 1)
    light = view.sun * (1 - SHADE * clouds**1.5)
    warm = WARM_SPELLS * year.shared["warmth"].at(number, *place) + view.warmer
    return Weather(
        rain.astype(np.float32),
        (light * sunlight(steps, *place)).astype(np.float32),
        clouds.astype(np.float32),
        (_temperature(steps, hour, height, clouds) + warm).astype(np.float32),
        (light * clear_sky(steps, *place)).astype(np.float32),
    )


def _monsoon(steps: np.ndarray) -> np.ndarray:
    """Return the (T,) part of the season in the rain index, 0 at its height."""
    return np.asarray(MONSOON * (np.cos(2 * np.pi * (_day(steps) - MONSOON_DAY) / 365) - 1))


def _temperature(
    steps: np.ndarray, hour: np.ndarray, height: np.ndarray, clouds: np.ndarray
) -> np.ndarray:
    """Return (T, N) K: season, height, time of day under clouds."""
    season = 282.5 + 9 * (np.cos(2 * np.pi * (_day(steps) - 208) / 365) - 1)
    daily = (6.5 - 3.5 * clouds) * np.cos(2 * np.pi * (hour - 15) / 24)
    return np.asarray(season[:, None] - 0.0055 * (height - 4500) - 1.5 * clouds + daily)


def _day(steps: np.ndarray) -> np.ndarray:
    """Return (T,) days since the new year."""
    return np.asarray((steps - steps.astype("datetime64[Y]").astype(steps.dtype)).astype(int) / 24)
