"""The truth and ERA5-Land: the same physics with other weather, other soil, other parameters.

Letters: T steps, N points.
"""

from dataclasses import dataclass

import numpy as np

from soilfuse.world.three_hourly import places
from soilfuse.world.three_hourly.land import Water, run
from soilfuse.world.three_hourly.places import Place
from soilfuse.world.three_hourly.weather import View, Weather, Year, weather

# Its rain is smooth, misplaced and early in the day, too frequent and too much; its sky too clear.
ERA5_LAND = View(
    "era5_land",
    north=0.12,
    east=-0.18,
    smoothed=0.15,
    own=0.5,
    own_synoptic=0.2,
    threshold=0.3,
    amount=2.0,
    shape=1.1,
    early=4.0,
    clouds=0.88,
    sun=1.04,
    warmer=-1.5,
)
SUN_HEATS, NIGHT_COOLS = 22.0, 3.5  # K a 1000 W m-2 on dry ground; K under a clear sky


@dataclass(frozen=True)
class Modelled:
    """What a model has at T steps: its ground, weather and water."""

    place: Place
    weather: Weather
    water: Water

    def skin_temperature(self) -> np.ndarray:
        """Return (T, N) K at the end of each step: the sun heats dry ground most."""
        soil = self.place.soil
        moist = np.clip(
            (self.water.theta - soil.wilting) / (soil.field_capacity - soil.wilting), 0, 1
        )
        day = SUN_HEATS * self.weather.sun / 1000 * (1 - 0.6 * moist)
        night = NIGHT_COOLS * (1 - self.weather.clouds) * (self.weather.sun < 1)
        return np.asarray(self.weather.t2m + day - night)


def truth(seed: int, year: Year, steps: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> Modelled:
    """Return the truth at N points in degrees and T UTC steps."""
    return _modelled(year, View(), steps, places.true_place(seed, lat, lon))


def era5_land(
    seed: int, year: Year, steps: np.ndarray, lat: np.ndarray, lon: np.ndarray
) -> Modelled:
    """Return ERA5-Land at N points in degrees and T UTC steps."""
    return _modelled(year, ERA5_LAND, steps, places.era5_land_place(seed, lat, lon))


def _modelled(year: Year, view: View, steps: np.ndarray, place: Place) -> Modelled:
    found = weather(year, view, steps, place.where, place.height, place.wetness)
    return Modelled(place, found, run(found, place.soil))
