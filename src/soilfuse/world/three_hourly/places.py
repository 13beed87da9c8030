"""The window's ground, as it is and as ERA5-Land has it.

Half of what a cell's soil is varies within one coarse cell. N points.
"""

from dataclasses import dataclass

import numpy as np

from soilfuse import seeding
from soilfuse.world.fields import SmoothField
from soilfuse.world.terrain import Terrain
from soilfuse.world.three_hourly.land import Soil

FINE, MIDDLE, WIDE = 0.12, 0.45, 2.0  # degrees, of the soil's patterns
KNOWN = 0.5  # correlation of ERA5-Land's soil with the truth's, but for the finest part


@dataclass(frozen=True)
class Place:
    """N places (lat, lon), their height in m, pattern of the rain index, and soil."""

    lat: np.ndarray
    lon: np.ndarray
    height: np.ndarray
    wetness: np.ndarray
    soil: Soil

    @property
    def where(self) -> tuple[np.ndarray, np.ndarray]:
        """Latitudes and longitudes, (N,) each."""
        return self.lat, self.lon


def true_place(seed: int, lat: np.ndarray, lon: np.ndarray) -> Place:
    """Return the ground as it is at N points in degrees."""
    terrain = Terrain.of(seed)
    hills = terrain.ridges(lat, lon)
    finer = 0.75 * _pattern(seed, "fine", FINE, lat, lon) + 0.65 * _known(seed, lat, lon)
    porosity = np.clip(0.48 + 0.05 * finer, 0.36, 0.62)
    soil = Soil(
        porosity,
        field_capacity=np.clip(0.29 + 0.06 * finer - 0.02 * hills, 0.17, porosity - 0.06),
        wilting=np.clip(0.075 + 0.022 * finer, 0.02, 0.13),
        runoff=np.clip(0.12 + 0.10 * hills, 0, 0.5),
    )
    return Place(
        lat, lon, terrain.elevation(lat, lon), _rain(terrain, lat, lon) + 0.1 * hills, soil
    )


def era5_land_place(seed: int, lat: np.ndarray, lon: np.ndarray) -> Place:
    """Return the ground as ERA5-Land has it: smoother, another soil map, a thicker layer."""
    terrain = Terrain.of(seed)
    own = _pattern(seed, "era5_land", WIDE / 2, lat, lon)
    finer = KNOWN * _known(seed, lat, lon) + np.sqrt(1 - KNOWN**2) * own
    porosity = np.clip(0.45 + 0.03 * finer, 0.36, 0.55)
    soil = Soil(
        porosity,
        field_capacity=0.34 + 0.03 * finer,
        wilting=0.11 + 0.015 * finer,
        runoff=np.full_like(lat, 0.08),
        thickness=70.0,
        top=0.42,
        use=0.55,
        draining=30.0,
    )
    return Place(
        lat, lon, terrain.elevation(lat, lon, ridges=0.6), 0.8 * _rain(terrain, lat, lon), soil
    )


def _rain(terrain: Terrain, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return the (N,) standing pattern of the rain index."""
    return 0.22 * terrain.rain(lat, lon)


def _known(seed: int, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return the (N,) pattern of soil that maps can know, of unit variance."""
    middle = _pattern(seed, "middle", MIDDLE, lat, lon)
    return np.asarray(0.8 * middle + 0.6 * _pattern(seed, "wide", WIDE, lat, lon))


def _pattern(seed: int, name: str, length: float, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    return SmoothField.draw(seeding.generator(seed, "three_hourly", "soil", name), length)(lat, lon)
