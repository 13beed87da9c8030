"""The points over which the world is calibrated: the TRSR at a quarter of a degree.

They are the same whatever the domain of a run, so that a small domain is a window on the same
world and not another one.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import regions_on


@dataclass(frozen=True)
class Points:
    """N points in degrees with their share of the region's area (sum 1)."""

    lat: np.ndarray
    lon: np.ndarray
    weight: np.ndarray

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Area-weighted mean over the last axis."""
        return values @ self.weight


def points_of(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the (H*W,) latitudes and longitudes of a grid's cells, row by row."""
    lat, lon = np.meshgrid(grid.lat, grid.lon, indexing="ij")
    return lat.ravel(), lon.ravel()


CALIBRATION_GRID = Grid.regular(west=89, east=104, south=31, north=38, resolution=0.25)


@lru_cache
def inside_region() -> np.ndarray:
    """Return the (N,) indices of the calibration grid's cells that lie in the TRSR."""
    return np.flatnonzero(regions_on(CALIBRATION_GRID, "basins", "").inside)


@lru_cache
def calibration_points() -> Points:
    """Return the cells of the TRSR at 0.25 degree."""
    inside = inside_region()
    lat, lon = points_of(CALIBRATION_GRID)
    area = CALIBRATION_GRID.area.ravel()[inside]
    return Points(lat[inside], lon[inside], area / area.sum())
