"""The sample that studies/pscnet learns from: one file a year, and the stations beside them.

Fine ERA5-Land variables at (time, lat, lon), SMAP at (time, coarse_lat, coarse_lon) with NaN where
nothing was observed, elevation at (lat, lon). Equal content gives equal bytes.
Letters: T steps, H, W fine, h, w coarse.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.files import mending, sha256_of_files, written_aside
from soilfuse.grids.blocks import coarse_of
from soilfuse.grids.grid import Grid
from soilfuse.grids.steps import Steps
from soilfuse.sources.era5_land_hourly import raw_files as era5_files
from soilfuse.sources.era5_land_hourly import read_steps
from soilfuse.sources.netcdf import opened
from soilfuse.sources.processed import PROVIDER
from soilfuse.sources.smap import raw_files as smap_files
from soilfuse.sources.smap import read_smap
from soilfuse.sources.static import ELEVATION_FILE, FOLDER, read_terrain
from soilfuse.sources.station_steps import COLUMNS
from soilfuse.sources.targets import one_world

SMAP, ELEVATION = "smap", "elevation"
FINE, COARSE = ("time", "lat", "lon"), ("time", "coarse_lat", "coarse_lon")
DIMS = dict.fromkeys(names.SAMPLE_VARIABLES, FINE) | {SMAP: COARSE, ELEVATION: FINE[1:]}
UNITS = {
    "swvl1": "m3 m-3",
    "tp": "m",
    "t2m": "K",
    "skt": "K",
    "ssrd": "J m-2",
    "e": "m",
    SMAP: "m3 m-3",
    ELEVATION: "m",
}
ATTRIBUTES = ("step_hours", "block", "world")
EPOCH = "hours since 1970-01-01"
SAME = 1e-4  # degrees


def sample_of(root: Path, grid: Grid, block: int, when: Steps, year: int) -> xr.Dataset:
    """Return a year's sample from the raw files below root; raise UserError for what is wrong."""
    steps, coarse = when.of_year(year), coarse_of(grid, block)
    fine, era5_land = read_steps(root, grid, steps, when.step_hours)
    smap, satellite = read_smap(root, coarse, steps)
    elevation = Path(root) / FOLDER / ELEVATION_FILE
    terrain = read_terrain(elevation, grid)
    worlds = {"era5_land": era5_land, "smap": satellite, FOLDER: str(terrain.attrs["world"])}
    maps = {**fine, SMAP: smap, ELEVATION: terrain[ELEVATION].values}
    north, east = {"units": "degrees_north"}, {"units": "degrees_east"}
    return xr.Dataset(
        {name: (DIMS[name], maps[name], {"units": UNITS[name]}) for name in DIMS},
        {
            "time": steps.astype("datetime64[ns]"),
            "lat": ("lat", grid.lat, north),
            "lon": ("lon", grid.lon, east),
            "coarse_lat": ("coarse_lat", coarse.lat, north),
            "coarse_lon": ("coarse_lon", coarse.lon, east),
        },
        {
            "step_hours": when.step_hours,
            "block": block,
            "world": one_world(worlds, str(root)),
            "inputs_sha256": sha256_of_files([elevation, *era5_files(root), *smap_files(root)]),
        },
    )


def write_sample(path: Path, sample: xr.Dataset) -> None:
    """Write a year's sample, whole or not at all."""
    packed = {"zlib": True, "complevel": 1, "shuffle": True, "dtype": "float32"}
    encoding: dict[str, dict[str, Any]] = {
        str(name): packed if name in DIMS else {"_FillValue": None} for name in sample.variables
    }
    encoding["time"] = {"_FillValue": None, "units": EPOCH, "dtype": "int32"}
    with written_aside(path) as aside:
        sample.to_netcdf(aside, engine="h5netcdf", encoding=encoding)


def read_sample(path: Path) -> xr.Dataset:
    """Read a year's sample into memory; raise UserError where it is not what `sample_of` gives."""
    path = Path(path)
    with (
        opened(path, PROVIDER, mending(path)),
        xr.open_dataset(path, engine="h5netcdf") as dataset,
    ):
        sample = dataset.load()
    if problems := _problems(sample):
        where = f"{path} ({PROVIDER})"
        raise UserError(*(f"{problem} in {where}: {mending(path)}" for problem in problems))
    return sample


def _problems(sample: xr.Dataset) -> list[str]:
    """Return what keeps a Dataset from being a sample, without where it lies."""
    problems = [f"no attribute {name!r}" for name in ATTRIBUTES if name not in sample.attrs]
    problems += [f"no coordinate {name!r}" for name in (*FINE, *COARSE[1:]) if name not in sample]
    for name, dims in DIMS.items():
        if name not in sample:
            problems.append(f"no variable {name!r}")
        elif sample[name].dims != dims:
            problems.append(f"{name} has dimensions {sample[name].dims}; expected {dims}")
        elif sample[name].attrs.get("units") != UNITS[name]:
            got = sample[name].attrs.get("units")
            problems.append(f"units {got!r} of {name}; expected {UNITS[name]!r}")
        elif name != SMAP and not np.isfinite(sample[name].values).all():
            problems.append(f"{name} has gaps; expected a value in each cell and step")
    return problems or _axis_problems(sample)


def _axis_problems(sample: xr.Dataset) -> list[str]:
    problems = []
    step, times = np.timedelta64(int(sample.step_hours), "h"), sample.time.values
    apart = np.diff(times)
    if (apart <= 0).any() or (apart % step).any():
        problems.append(f"time goes on otherwise than in steps of {sample.step_hours} hours")
    grid = Grid(sample.lat.values, sample.lon.values)
    try:
        coarse = coarse_of(grid, int(sample.block))
    except UserError as error:
        return [*problems, *error.problems]
    for name, wanted in (("coarse_lat", coarse.lat), ("coarse_lon", coarse.lon)):
        got = sample[name].values
        if got.shape != wanted.shape or np.abs(got - wanted).max() > SAME:
            problems.append(f"{name} is not the middle of blocks of {sample.block} cells")
    return problems


def write_stations(path: Path, table: pd.DataFrame) -> None:
    """Write records (COLUMNS), whole or not at all."""
    with written_aside(path) as aside:
        table.to_csv(aside, index=False, float_format="%.5f", date_format="%Y-%m-%dT%H:%M:%SZ")


def read_stations(path: Path) -> pd.DataFrame:
    """Return records (COLUMNS), time as datetime64[ns] in UTC; raise UserError for a bad file."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"no file {path} ({PROVIDER}): {mending(path)}")
    try:
        table = pd.read_csv(path)
        if list(table.columns) != COLUMNS:
            raise ValueError(f"columns {', '.join(table.columns)}; expected {', '.join(COLUMNS)}")
        times = pd.to_datetime(table["time"], format="%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UserError(
            f"{path} ({PROVIDER}) is no table of stations: {error}: {mending(path)}"
        ) from None
    return table.assign(time=times.astype("datetime64[ns]"))


def read_truth(raw_root: Path, year: int) -> xr.DataArray | None:
    """Return the true soil_moisture (time, lat, lon) m3 m-3 of a year, None in reality."""
    path = Path(raw_root) / "truth" / f"{year}.nc"
    if not path.exists():
        return None
    with opened(path, PROVIDER), xr.open_dataset(path, engine="h5netcdf") as dataset:
        return dataset[names.SOIL_MOISTURE].load()
