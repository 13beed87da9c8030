"""The soil map that a user would have of the world: texture and the water contents that go with it.

A map knows the truth's soil pattern only in part (KNOWN); nothing else of the truth is in it. Its
porosity and residual moisture enclose the truth's range everywhere, as measured ones would.
"""

from dataclasses import dataclass

import numpy as np

from soilfuse import seeding
from soilfuse.world.fields import SmoothField
from soilfuse.world.terrain import Terrain
from soilfuse.world.truth import HIGHEST, LOWEST

KNOWN = 0.6  # correlation of the map with the truth's soil pattern
LENGTH = 0.6  # degrees, of the map's own errors
SAND, CLAY = (0.45, -0.10), (0.20, 0.06)  # mean, and change with finer texture
SAND_RANGE, CLAY_RANGE = (0.15, 0.80), (0.04, 0.40)
PORES, RESIDUE = 0.10, 0.5  # porosity above the truth's highest per clay; share of its lowest


@dataclass(frozen=True)
class SoilMap:
    """Fractions (N,): sand and clay of mineral soil by mass, the others by volume."""

    sand: np.ndarray
    clay: np.ndarray
    porosity: np.ndarray
    residual_moisture: np.ndarray


def soil_map(seed: int, terrain: Terrain, lat: np.ndarray, lon: np.ndarray) -> SoilMap:
    """Return the soil map of a world at N points in degrees."""
    errors = SmoothField.draw(seeding.generator(seed, "world", "soil map"), LENGTH)
    finer = KNOWN * terrain.soil(lat, lon) + np.sqrt(1 - KNOWN**2) * errors(lat, lon)
    sand = np.clip(SAND[0] + SAND[1] * finer, *SAND_RANGE)
    clay = np.clip(CLAY[0] + CLAY[1] * finer, *CLAY_RANGE)
    return SoilMap(sand, clay, HIGHEST + PORES * clay, RESIDUE * LOWEST * (1 + clay))
