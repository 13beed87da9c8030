"""Native grids of the climate models: Gaussian, with poles, or half a step from them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid, cell_bounds
from soilfuse.names import ClimateModel

MARGIN = 2  # native cells beyond the domain on every side
GAUSSIAN = {
    "BCC-CSM2-MR": 160,
    "CanESM5": 64,
    "CanESM5-CanOE": 64,
    "CAS-ESM2-0": 128,
    "CNRM-CM6-1-HR": 360,
    "CNRM-ESM2-1": 128,
    "EC-Earth3-Veg": 256,
    "EC-Earth3-Veg-LR": 160,
    "MIROC6": 128,
    "MIROC-ES2L": 64,
    "MPI-ESM1-2-HR": 192,
    "MPI-ESM1-2-LR": 96,
    "MRI-ESM2-0": 160,
}
POLE_TO_POLE = {
    "ACCESS-ESM1-5": 145,
    "CESM2": 192,
    "CESM2-WACCM": 192,
    "CMCC-CM2-SR5": 192,
    "CMCC-ESM2": 192,
    "IPSL-CM6A-LR": 143,
    "NorESM2-LM": 96,
    "NorESM2-MM": 192,
    "TaiESM1": 192,
}
HALF_A_STEP = {
    "ACCESS-CM2": 144,
    "FGOALS-f3-L": 180,
    "FGOALS-g3": 80,  # even here; the model's own are finer towards the poles
    "GFDL-ESM4": 180,
    "GISS-E2-1-G": 90,
    "KACE-1-0-G": 144,
    "UKESM1-0-LL": 144,
}
LONGITUDES = {"FGOALS-g3": 180}  # the others have a multiple of 16
# The archive's files mostly run south to north; a reader must take both.
NORTH_TO_SOUTH = ("BCC-CSM2-MR", "MPI-ESM1-2-LR")


@dataclass(frozen=True)
class NativeGrid:
    """A window of a model's grid, both axes ascending, with cell edges in degrees."""

    lat: np.ndarray
    lon: np.ndarray
    lat_bounds: np.ndarray
    lon_bounds: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w)."""
        return self.lat.size, self.lon.size

    def inner_points(self, side: int = 3) -> tuple[np.ndarray, np.ndarray]:
        """Return lat and lon of side x side points in each cell, shape (h*w*side*side,)."""
        parts = (np.arange(side) + 0.5) / side
        lat = self.lat_bounds[:, :1] + parts * np.diff(self.lat_bounds)
        lon = self.lon_bounds[:, :1] + parts * np.diff(self.lon_bounds)
        shape = (*self.shape, side, side)
        return (
            np.broadcast_to(lat[:, None, :, None], shape).ravel(),
            np.broadcast_to(lon[None, :, None, :], shape).ravel(),
        )

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the (h*w,) latitudes and longitudes of the cell centres."""
        lat, lon = np.meshgrid(self.lat, self.lon, indexing="ij")
        return lat.ravel(), lon.ravel()


@lru_cache
def latitudes(source_id: str) -> np.ndarray:
    """Return all latitudes of a model's grid, south to north, in degrees."""
    if source_id in GAUSSIAN:
        nodes, _ = np.polynomial.legendre.leggauss(GAUSSIAN[source_id])
        return np.rad2deg(np.arcsin(nodes))
    if source_id in POLE_TO_POLE:
        return np.linspace(-90, 90, POLE_TO_POLE[source_id])
    count = HALF_A_STEP[source_id]
    return -90 + 180 / count * (np.arange(count) + 0.5)


def longitudes(model: ClimateModel) -> np.ndarray:
    """Return all longitudes of a model's grid, 0 to 360 degrees east."""
    count = LONGITUDES.get(model.source_id, round(360 / model.lon_step / 16) * 16)
    first = 0.5 if model.source_id in HALF_A_STEP else 0.0
    return 360 / count * (np.arange(count) + first)


def native_window(model: ClimateModel, grid: Grid) -> NativeGrid:
    """Return the window that covers a target grid with a margin of MARGIN native cells.

    Raises UserError for a domain across the Greenwich meridian, where these grids begin.
    """
    lat, lon = latitudes(model.source_id), longitudes(model)
    west = grid.lon[0] % 360
    if west + grid.lon[-1] - grid.lon[0] > lon[-1] or west < lon[0]:
        raise UserError(
            f"the pseudo-reality has no domain across 0E; got {grid.lon[0]:g} to {grid.lon[-1]:g}; "
            "it is made for 89-104E 31-38N: edit params.yaml:domain"
        )
    rows = _covering(lat, grid.lat[0], grid.lat[-1])
    columns = _covering(lon, west, west + grid.lon[-1] - grid.lon[0])
    lat_bounds = np.clip(cell_bounds(lat), -90, 90)
    return NativeGrid(lat[rows], lon[columns], lat_bounds[rows], cell_bounds(lon)[columns])


def _covering(axis: np.ndarray, first: float, last: float) -> slice:
    start = np.searchsorted(axis, first, side="right") - 1 - MARGIN
    stop = np.searchsorted(axis, last) + MARGIN + 1
    return slice(max(start, 0), min(stop, axis.size))
