"""The truth and ERA5-Land: the same physics with other weather, other soil, other parameters.

Letters: T steps, N points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from soilfuse.world.three_hourly import places
from soilfuse.world.three_hourly.land import Water, run
from soilfuse.world.three_hourly.places import Place
from soilfuse.world.three_hourly.weather import View, Weather, Year, weather

TRUTH = View()
# Its rain is smooth, misplaced and early in the day, too frequent and too much; its sky too clear.
ERA5_LAND = View(
    north=0.12,
    east=-0.18,
    smoothed=0.15,
    own=0.6,
    own_synoptic=0.55,
    threshold=0.3,
    amount=2.0,
    shape=1.1,
    early=4.0,
    clouds=0.88,
    sun=1.04,
    warmer=-1.5,
)
SUN_HEATS, NIGHT_COOLS = 22.0, 3.5  # K a 1000 W m-2 on dry ground; K under a clear sky
MM = 1e-3  # m
AT_ONCE = 4000  # points
Fields = dict[str, np.ndarray]


@dataclass(frozen=True)
class Modelled:
    """What a model has at T steps: its ground, weather and water."""

    place: Place
    weather: Weather
    water: Water

    def skin_temperature(self) -> np.ndarray:
        """Return (T, N) K at the end of each step: the sun heats dry ground most."""
        soil = self.place.soil
        span = soil.field_capacity - soil.wilting
        moist = np.clip((self.water.theta - soil.wilting) / span, 0, 1)
        day = SUN_HEATS * self.weather.sun / 1000 * (1 - 0.6 * moist)
        night = NIGHT_COOLS * (1 - self.weather.clouds) * (self.weather.sun < 1)
        return np.asarray(self.weather.t2m + day - night)

    def total_evaporation(self) -> np.ndarray:
        """Return (T, N) mm over each step, what roots take from below included."""
        return np.asarray(self.water.evaporation + self.water.from_below)


def truth(seed: int, year: Year, steps: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> Modelled:
    """Return the truth at N points in degrees and T UTC steps."""
    return _modelled(year, TRUTH, steps, places.true_place(seed, lat, lon))


def era5_land(
    seed: int, year: Year, steps: np.ndarray, lat: np.ndarray, lon: np.ndarray
) -> Modelled:
    """Return ERA5-Land at N points in degrees and T UTC steps."""
    return _modelled(year, ERA5_LAND, steps, places.era5_land_place(seed, lat, lon))


def _modelled(year: Year, view: View, steps: np.ndarray, place: Place) -> Modelled:
    found = weather(year, view, steps, place.where, place.height, place.wetness)
    return Modelled(place, found, run(found, place.soil))


def true_fields(
    seed: int, year: Year, steps: np.ndarray, kept: np.ndarray, lat: np.ndarray, lon: np.ndarray
) -> Fields:
    """Return (T, N) theta in m3 m-3 and rain in mm of the truth at steps[kept]."""

    def part(lat: np.ndarray, lon: np.ndarray) -> Fields:
        found = truth(seed, year, steps, lat, lon)
        return {"theta": found.water.theta[kept], "rain": found.weather.rain[kept]}

    return _by_parts(part, lat, lon)


def era5_land_fields(
    seed: int, year: Year, steps: np.ndarray, kept: np.ndarray, lat: np.ndarray, lon: np.ndarray
) -> Fields:
    """Return (T, N) of ERA5-Land's variables at steps[kept], in its units.

    tp, e and ssrd are sums since 00 UTC.
    """

    def part(lat: np.ndarray, lon: np.ndarray) -> Fields:
        found = era5_land(seed, year, steps, lat, lon)
        states = {
            "swvl1": found.water.theta,
            "t2m": found.weather.t2m,
            "skt": found.skin_temperature(),
        }
        fluxes = {
            "tp": MM * found.weather.rain,
            "e": -MM * found.total_evaporation(),
            "ssrd": found.weather.sunlight,
        }
        sums = {name: since_midnight(values, steps) for name, values in fluxes.items()}
        return {name: values[kept] for name, values in (states | sums).items()}

    return _by_parts(part, lat, lon)


def since_midnight(values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return (T, N) sums from 00 UTC on of what (T, N) came in the time before each step.

    A sum stamped 00 UTC is the whole of the day before, as in ERA5-Land.
    """
    day = (steps - np.timedelta64(1, "h")).astype("datetime64[D]")
    starts = np.flatnonzero(day[1:] != day[:-1]) + 1
    return np.concatenate(
        [np.cumsum(part, axis=0, dtype=float) for part in np.split(values, starts)]
    )


def _by_parts(
    fields: Callable[[np.ndarray, np.ndarray], Fields], lat: np.ndarray, lon: np.ndarray
) -> Fields:
    """Return fields at N points, AT_ONCE of them after the other, which saves memory."""
    slices: Sequence[slice] = [slice(i, i + AT_ONCE) for i in range(0, lat.size, AT_ONCE)]
    whole: Fields = {}
    for here in slices:
        for name, values in fields(lat[here], lon[here]).items():
            if name not in whole:
                whole[name] = np.empty((len(values), lat.size), np.float32)
            whole[name][:, here] = values
    return whole
