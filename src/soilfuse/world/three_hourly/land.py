"""A layer of soil that rain wets and the sun, plants and gravity dry.

Water closes: rain + what rises from below = evaporation from the layer + runoff + drainage + what
the layer gains.
Letters: T steps, N points.
"""

from dataclasses import dataclass

import numpy as np

from soilfuse.world.three_hourly.calendar import HOURS
from soilfuse.world.three_hourly.weather import Weather

VAPORISED = 2.45e6  # J kg-1
FROM_BELOW = 0.5  # of what the roots below are asked for, they give


@dataclass(frozen=True)
class Soil:
    """The soil of N points, m3 m-3, and what a model makes of it.

    runoff: (N,) share of rain on dry soil that runs off; thickness: mm; top: share of evaporation
    that comes from the layer; use: share of sunlight that could evaporate; draining and
    rising: hours in which the layer loses what it cannot hold, and gains from below what it lacks.
    """

    porosity: np.ndarray
    field_capacity: np.ndarray
    wilting: np.ndarray
    runoff: np.ndarray
    thickness: float = 50.0
    top: float = 0.38
    use: float = 0.5
    draining: float = 14.0
    rising: float = 150.0


@dataclass(frozen=True)
class Water:
    """(T, N) each: m3 m-3 at the end of a step, mm over it; start: (N,) mm before the first."""

    theta: np.ndarray
    evaporation: np.ndarray
    runoff: np.ndarray
    drainage: np.ndarray
    risen: np.ndarray
    from_below: np.ndarray
    start: np.ndarray


def run(weather: Weather, soil: Soil) -> Water:
    """Return what the weather makes of a soil that starts half-way to its field capacity."""
    start = soil.thickness * (soil.wilting + soil.field_capacity) / 2
    asked = weather.sunlight * soil.use / VAPORISED  # mm
    store, steps = start, []
    for rain, most in zip(weather.rain.astype(float), asked.astype(float), strict=True):
        store, *fluxes = _step(store, rain, most, soil)
        steps.append((store / soil.thickness, *fluxes))
    theta, *fluxes = (np.stack(one).astype(np.float32) for one in zip(*steps, strict=True))
    evaporation, runoff, drainage, risen = fluxes
    from_below = asked * (1 - soil.top) * FROM_BELOW
    return Water(theta, evaporation, runoff, drainage, risen, from_below, start)


def _step(
    store: np.ndarray, rain: np.ndarray, most: np.ndarray, soil: Soil
) -> tuple[np.ndarray, ...]:
    """Return the store after a step, and its evaporation, runoff, drainage and rise, in mm."""
    full, capacity, dry = (
        soil.thickness * share for share in (soil.porosity, soil.field_capacity, soil.wilting)
    )
    quick = rain * np.clip(soil.runoff + 0.5 * (store / full) ** 4, 0, 1)
    store = store + rain - quick
    over = np.clip(store - full, 0, None)
    store = store - over
    held = np.clip(store - dry, 0, None)
    evaporated = held * (1 - np.exp(-most * soil.top / (capacity - dry)))
    # Where the soil is moist the sky's demand is the limit.
    evaporated = np.minimum(evaporated, most * soil.top)
    store = store - evaporated
    drained = np.clip(store - capacity, 0, None) * (1 - np.exp(-HOURS / soil.draining))
    risen = np.clip((dry + capacity) / 2 - store, 0, None) * (1 - np.exp(-HOURS / soil.rising))
    return store - drained + risen, evaporated, quick + over, drained, risen
