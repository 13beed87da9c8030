"""Whole-globe grids of climate models and reanalyses, with a share of their own lines."""

from dataclasses import dataclass

import numpy as np

from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.grids.grid import Grid, cell_bounds, latitude_bounds
from soilfuse.grids.land import land_outlines
from soilfuse.grids.region_sets import inside

FEWEST = 32  # latitudes of a coarsened grid
SPECTRAL = ("BCC", "CAMS", "CanESM", "CAS", "CNRM", "MIROC", "MPI", "MRI")  # Gaussian latitudes
WITH_POLES = ("CESM2", "FIO", "NorESM2", "IPSL")


@dataclass(frozen=True)
class GlobalGrid:
    """Ascending latitudes and longitudes, and which cells (h, w) are land, ice sheets or not."""

    lat: np.ndarray
    lon: np.ndarray
    land: np.ndarray

    @classmethod
    def of(cls, lat: np.ndarray, lon: np.ndarray) -> "GlobalGrid":
        """Return the grid of these axes in degrees."""
        masks = inside(land_outlines(), Grid(lat, lon))
        return cls(lat, lon, np.logical_or.reduce(list(masks.values())))

    @property
    def lat_bounds(self) -> np.ndarray:
        """(h, 2) degrees north."""
        return latitude_bounds(self.lat)

    @property
    def lon_bounds(self) -> np.ndarray:
        """(w, 2) degrees east."""
        return cell_bounds(self.lon)

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (N,) latitudes and longitudes of the land cells."""
        rows, columns = np.nonzero(self.land)
        return self.lat[rows], self.lon[columns]

    def maps(self, values: np.ndarray) -> np.ndarray:
        """Return (..., h, w) float32 of (..., N) values on land, NaN in the sea."""
        maps = np.full((*values.shape[:-1], *self.land.shape), np.nan, np.float32)
        maps[..., self.land] = values
        return maps


def model_grid(source_id: str, coarsen: int) -> GlobalGrid:
    """Return a climate model's grid with 1/coarsen of its lines, but FEWEST latitudes or more."""
    model = EVALUATED_MODELS[source_id]
    lines = max(model.latitudes // coarsen, min(FEWEST, model.latitudes))
    columns = round(model.longitudes * lines / model.latitudes)
    if model.parent in SPECTRAL:
        lat = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(lines)[0]))
    elif model.parent in WITH_POLES:
        lat = np.linspace(-90, 90, lines)
    else:
        lat = -90 + 180 / lines * (np.arange(lines) + 0.5)
    return GlobalGrid.of(lat, 360 / columns * np.arange(columns))


def reanalysis_grid(name: str, coarsen: int) -> GlobalGrid:
    """Return a reanalysis's grid: 2 coarsen quarter degrees, 3 for ERA-Interim, GLDAS from 60S."""
    step = coarsen * (0.75 if name == "era_interim" else 0.5)
    if name == "gldas":
        lat = np.arange(-60 + step / 2, 90, step)
        return GlobalGrid.of(lat, np.arange(-180 + step / 2, 180, step))
    count = round(180 / step)
    return GlobalGrid.of(np.linspace(-90, 90, count + 1), step * np.arange(2 * count))
