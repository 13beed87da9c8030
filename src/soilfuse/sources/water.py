"""Moisture and water fluxes of one climate model or reanalysis on a common grid.

Letters: T months, H, W the common grid.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.files import sha256_of_content
from soilfuse.grids.grid import Grid
from soilfuse.sources import fluxes, reanalyses
from soilfuse.sources.cmip6 import read_mrsol, read_mrsos
from soilfuse.sources.reanalyses import DEPTHS
from soilfuse.sources.targets import on_grid

FLUXES = tuple(fluxes.TABLES)
VARIABLES = (*DEPTHS, *FLUXES)
FILL_CELLS = 1  # native cells that land moisture is carried into coasts
UNITS = dict.fromkeys(DEPTHS, "kg m-2") | dict.fromkeys(FLUXES, "mm day-1")


def model_water(
    root: Path, source_id: str, members: Sequence[str], years: tuple[int, int], grid: Grid
) -> xr.Dataset:
    """Return the mean over members of VARIABLES (T, H, W) of one climate model.

    Moisture in kg m-2 of the upper 10 (mrsos) and 200 cm (mrsol), fluxes in mm a day. What the
    paper's table 1 lacks of this model is not read; attribute left_out names it.
    """
    model = EVALUATED_MODELS[source_id]
    left_out = [d for d, count in (("shallow", model.shallow), ("deep", model.deep)) if not count]
    wanted = [variable for variable in VARIABLES if variable not in left_out]
    means, hashes = {}, []
    for variable in wanted:
        total = np.zeros(1, np.float32)
        for member in members:
            field = _of_model(root, source_id, member, variable, years)
            hashes.append(field.attrs["inputs_sha256"])
            total = total + on_grid(field, grid, f"{variable} of {source_id} {member}")
        means[variable] = total / np.float32(len(members))
    about: dict[str, str | int] = {"left_out": ", ".join(left_out), "members": len(members)}
    return _dataset(means, field, grid, hashes, about)


def reanalysis_water(root: Path, name: str, years: tuple[int, int], grid: Grid) -> xr.Dataset:
    """Return VARIABLES (T, H, W) of one reanalysis, a key of reanalyses.REANALYSES."""
    title = reanalyses.REANALYSES[name].title
    fields = reanalyses.read_moisture(root, name, years)
    for flux in FLUXES:
        fields[flux] = reanalyses.read_water_flux(root, name, flux, years)
    values = {key: on_grid(one, grid, f"{key} of {title}") for key, one in fields.items()}
    hashes = [one.attrs["inputs_sha256"] for one in fields.values()]
    return _dataset(values, fields["pr"], grid, hashes, {"left_out": "", "members": 1})


def write_water(path: Path, water: xr.Dataset) -> None:
    """Write a source's Dataset, the same bytes for the same content."""
    from soilfuse.room import room_aside

    packing = {name: {"zlib": True, "complevel": 1, "shuffle": True} for name in water.data_vars}
    with room_aside(path) as room:
        water.to_netcdf(room, engine="h5netcdf", encoding=packing)


def read_water(paths: Iterable[Path]) -> dict[str, xr.Dataset]:
    """Return the Datasets that `write_water` wrote, by the names of their files."""
    return {Path(path).stem: xr.load_dataset(path, engine="h5netcdf") for path in paths}


def _of_model(
    root: Path, source_id: str, member: str, variable: str, years: tuple[int, int]
) -> xr.DataArray:
    if variable in FLUXES:
        return fluxes.read_flux(root, source_id, member, variable, years)
    base = DEPTHS[variable]
    if variable == "shallow":
        field = read_mrsos(root, source_id, member, "historical", *years, FILL_CELLS)
    else:
        named = (root, source_id, member, "Emon", "historical")
        field = read_mrsol(*named, *years, 0.0, base, FILL_CELLS)
    return field.copy(data=field.values * np.float32(base * names.WATER_DENSITY))


def _dataset(
    values: dict[str, np.ndarray],
    like: xr.DataArray,
    grid: Grid,
    hashes: Sequence[str],
    about: Mapping[str, str | int],
) -> xr.Dataset:
    dims = ("time", "lat", "lon")
    attributes: dict[str, str | int] = {
        "world": like.attrs["world"],
        "inputs_sha256": sha256_of_content(list(hashes)),
    }
    return xr.Dataset(
        {name: (dims, one, {"units": UNITS[name]}) for name, one in values.items()},
        coords={"time": like.time.values, "lat": grid.lat, "lon": grid.lon},
        attrs=attributes | dict(about),
    )
