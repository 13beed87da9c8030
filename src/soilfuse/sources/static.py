"""What does not change: terrain and soil, on any target grid.

`static/elevation.nc` holds elevation in m; slope comes from it. `static/soil.nc` is optional and
holds any of the properties of SOIL. Letters: h, w source latitudes and longitudes; H, W target.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.files import sha256_of_files
from soilfuse.grids.gaps import fill_gaps
from soilfuse.grids.grid import EARTH_RADIUS_KM, Grid
from soilfuse.sources.static_files import ELEVATION, PROVIDER, SOIL, property_of, without_any
from soilfuse.sources.targets import on_grid, one_world

FOLDER = "static"
ELEVATION_FILE, SOIL_FILE = "elevation.nc", "soil.nc"
FILL_CELLS = 4  # target cells that a soil property is carried into lakes, which soil maps leave out
ROUNDING = 1e-3  # of fractions


def read_static(root: Path, grid: Grid) -> xr.Dataset:
    """Return (H, W) float32 maps on a grid: elevation, slope, latitude, longitude, and soil if any.

    A source as fine as the grid or finer is averaged by area, a coarser one interpolated. Root
    attributes: world and inputs_sha256. Raises UserError for a missing elevation file, units,
    values or cells.
    """
    folder = Path(root) / FOLDER
    parts = {folder / ELEVATION_FILE: read_terrain(folder / ELEVATION_FILE, grid)}
    if (folder / SOIL_FILE).exists():
        parts[folder / SOIL_FILE] = read_soil(folder / SOIL_FILE, grid)
    world = one_world({path.name: part.attrs["world"] for path, part in parts.items()}, str(folder))
    lat, lon = np.meshgrid(grid.lat.astype(np.float32), grid.lon.astype(np.float32), indexing="ij")
    return (
        xr.merge(parts.values(), join="exact", combine_attrs="override")
        .assign(
            latitude=(("lat", "lon"), lat, {"units": "degrees_north"}),
            longitude=(("lat", "lon"), lon, {"units": "degrees_east"}),
        )
        .assign_attrs(world=world, inputs_sha256=sha256_of_files(parts))
    )


def read_terrain(path: Path, grid: Grid) -> xr.Dataset:
    """Return elevation (m) and slope (degrees), (H, W), both from one file of elevation.

    The slope is that of the file's own grid, regridded as elevation is: of a finer file it is the
    mean slope within a cell, which the slope of mean heights would understate.
    """
    height = property_of(path, ELEVATION, grid)
    if height is None:
        raise without_any(path, (ELEVATION,))
    steep = height.copy(data=slope(height.values, height.lat.values, height.lon.values))
    steep.attrs = {"units": "degrees", "long_name": "slope of the terrain"}
    maps = {
        "elevation": _on_whole_grid(height, grid, path, 0),
        "slope": _on_whole_grid(steep, grid, path, 0),
    }
    return _dataset(maps, grid, height.attrs)


def read_soil(path: Path, grid: Grid) -> xr.Dataset:
    """Return the (H, W) fractions of SOIL that a file holds; lakes take the nearest soil.

    Attribute filled_cells counts those. Raises UserError where none is there, or where sand and
    clay are more than all, or the residual water content is not below porosity.
    """
    sources = {prop.quantity.name: property_of(path, prop, grid) for prop in SOIL}
    held = {name: source for name, source in sources.items() if source is not None}
    if not held:
        raise without_any(path, SOIL)
    maps = {name: _on_whole_grid(source, grid, path, FILL_CELLS) for name, source in held.items()}
    _require_sense(maps, path)
    return _dataset(maps, grid, next(iter(held.values())).attrs)


def slope(elevation: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return (h, w) steepest slope in degrees of (h, w) elevation in m, by central differences.

    Distances are those on the sphere: a degree of longitude shrinks with the cosine of latitude.
    """
    radius = 1000 * EARTH_RADIUS_KM
    north = np.gradient(elevation.astype(float), radius * np.deg2rad(lat), axis=0)
    east = np.gradient(elevation.astype(float), radius * np.deg2rad(lon), axis=1)
    east = east / np.cos(np.deg2rad(lat))[:, None]
    return np.rad2deg(np.arctan(np.hypot(north, east))).astype(np.float32)


def _on_whole_grid(source: xr.DataArray, grid: Grid, path: Path, fill_cells: int) -> xr.DataArray:
    """Return the (H, W) map; raise UserError where cells stay empty."""
    values = on_grid(source, grid, f"{path} ({PROVIDER})")
    filled, count = fill_gaps(values[None], fill_cells)
    if empty := int(np.isnan(filled).sum()):
        raise UserError(
            f"{source.name or 'a value'} is missing in {empty} cells of the grid in {path} "
            f"({PROVIDER}); expected a value in each: take a file that covers params.yaml:domain"
        )
    about = {key: value for key, value in source.attrs.items() if key != "world"}
    about |= {"filled_cells": count} if fill_cells else {}
    return xr.DataArray(filled[0], dims=("lat", "lon"), attrs=about)


def _require_sense(maps: dict[str, xr.DataArray], path: Path) -> None:
    """Raise UserError where soil fractions contradict each other by more than rounding."""
    texture = [maps[name].values for name in ("sand", "clay") if name in maps]
    if texture and (most := float(np.sum(texture, axis=0).max())) > 1 + ROUNDING:
        raise UserError(
            f"sand and clay in {path} ({PROVIDER}) come to {most:.3f}; expected 1 at most: "
            "check the file's units"
        )
    if {"porosity", "residual_moisture"} <= maps.keys() and bool(
        (maps["residual_moisture"] >= maps["porosity"]).any()
    ):
        raise UserError(
            f"residual_moisture in {path} ({PROVIDER}) is not below porosity everywhere; expected "
            "the residual water content below the saturated one: check the file"
        )


def _dataset(maps: dict[str, xr.DataArray], grid: Grid, about: Mapping[str, str]) -> xr.Dataset:
    coordinates = {
        "lat": ("lat", grid.lat, {"units": "degrees_north", "standard_name": "latitude"}),
        "lon": ("lon", grid.lon, {"units": "degrees_east", "standard_name": "longitude"}),
    }
    return xr.Dataset(maps, coordinates, {"world": about["world"]})
