"""What the layered targets have in common: regridding to the domain, layers, and Datasets."""

from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import interpolate, regridding

Layers = tuple[tuple[float, float], ...]


def list_files(folder: Path, pattern: str, provider: str) -> list[Path]:
    """Return the sorted files of a pattern; raise UserError that names both where there is none."""
    found = sorted(Path(folder).glob(pattern))
    if not found:
        raise UserError(
            f"no file {pattern} in {folder} ({provider}): put them there, "
            "or edit params.yaml:raw_root"
        )
    return found


def on_grid(field: xr.DataArray, grid: Grid, where: str) -> np.ndarray:
    """Return (T, ..., H, W) float32 of a field (time, ..., lat, lon) on the target grid.

    A source as fine as the grid or finer is averaged by area, a coarser one interpolated. Raises
    UserError that names the files where they do not cover the grid.
    """
    try:
        weights = regridding(field.lat.values, field.lon.values, grid)
    except UserError as error:
        raise UserError(*(f"{where}: {problem}" for problem in error.problems)) from None
    leading = field.shape[:-2]
    flat = interpolate(weights, field.values.reshape(-1, *field.shape[-2:]), grid)
    return flat.reshape(*leading, *grid.shape)


def layered(values: np.ndarray, time: np.ndarray, layers: Layers, grid: Grid) -> xr.DataArray:
    """Return canonical soil_moisture (time, depth, lat, lon) with `depth_bnds` (depth, 2) in m."""
    bounds = np.array(layers, dtype=float)
    coords = {
        "time": time,
        "depth": ("depth", bounds.mean(axis=1), {"units": "m", "positive": "down"}),
        "lat": ("lat", grid.lat, {"units": "degrees_north", "standard_name": "latitude"}),
        "lon": ("lon", grid.lon, {"units": "degrees_east", "standard_name": "longitude"}),
        "depth_bnds": (("depth", "bnds"), bounds, {"units": "m"}),
    }
    dims = ("time", "depth", "lat", "lon")
    attributes = dict(names.SOIL_MOISTURE_ATTRIBUTES)
    return xr.DataArray(
        values.astype(np.float32, copy=False),
        dims=dims,
        coords=coords,
        name=names.SOIL_MOISTURE,
        attrs=attributes,
    )
