"""What the layered targets have in common: regridding to the domain, layers, and Datasets."""

from collections.abc import Mapping
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


def layered(
    values: np.ndarray,
    time: np.ndarray,
    layers: Layers,
    grid: Grid,
    source_calendar: str,
    attributes: Mapping[str, str],
) -> xr.Dataset:
    """Return canonical soil_moisture (time, depth, lat, lon) and depth_bnds (depth, 2) in m.

    attributes: those of the Dataset, such as source, world and inputs_sha256.
    """
    bounds = np.array(layers, dtype=float)
    depth = {"units": "m", "positive": "down", "standard_name": "depth", "bounds": "depth_bnds"}
    variable = {**names.SOIL_MOISTURE_ATTRIBUTES, "source_calendar": source_calendar}
    dims = ("time", "depth", "lat", "lon")
    return xr.Dataset(
        {
            names.SOIL_MOISTURE: (dims, values.astype(np.float32, copy=False), variable),
            "depth_bnds": (("depth", "bnds"), bounds),
        },
        coords={
            "time": time,
            "depth": ("depth", bounds.mean(axis=1), depth),
            "lat": ("lat", grid.lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", grid.lon, {"units": "degrees_east", "standard_name": "longitude"}),
        },
        attrs=dict(attributes),
    )


def one_world(worlds: Mapping[str, str], where: str) -> str:
    """Return the world that all parts (name: world) come from; raise UserError where they mix.

    A world is "real", or which pseudo-reality wrote the raw files.
    """
    owner = {world: name for name, world in worlds.items()}
    if len(owner) > 1:
        listed = ", ".join(f"{name} is of {world!r}" for world, name in owner.items())
        raise UserError(
            f"data of {len(owner)} worlds in {where} ({listed}); expected one: read all from one "
            "params.yaml:raw_root"
        )
    return next(iter(owner))
