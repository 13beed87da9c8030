"""Small valid raw files of every source, as its archive writes them, and the stages that read them.

A stage is what its script in pipelines/ does: the reader, then the writer of its output.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from soilfuse import config, names
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.insitu import table
from soilfuse.sources import amsmqtp, cma, era5_land, ismn
from soilfuse.sources.cmip6 import read_model
from soilfuse.sources.netcdf import opened
from soilfuse.sources.processed import read_models, write_field, write_models
from soilfuse.world import gridded_files, netcdf, station_files, station_networks
from soilfuse.world.cmip6_files import write_mrsos
from soilfuse.world.native_grids import native_window
from soilfuse.world.stations import Record, Station

PROFILE = Path(__file__).parents[2] / "profiles" / "smoke.yaml"
WORLD = "v0 seed 0"
DOMAIN = {"west": 93.0, "east": 95.0, "south": 33.0, "north": 35.0, "resolution": 0.5}
GRID = Grid.regular(**DOMAIN)
MODEL, MEMBER, EXPERIMENT = "KACE-1-0-G", "r1i1p1f1", "historical"
DECADES = "NorESM2-LM"  # a model that publishes ten years a file
OLD_YEARS, NEW_YEARS = (1980, 1983), (1990, 1993)
AMSMQTP_YEAR = 2003
GOOD_FLAGS, MIN_RECORDS, MIN_DAYS = ["G", "U"], 3, 3
PLACES = {"MAQU": (33.9, 102.1), "NAQU": (31.4, 92.0)}
LAYERS = np.array([[0.0, 0.05], [0.05, 0.25], [0.25, 1.0], [1.0, 4.0]])
DEPTH = (0.0, 1.0)


def moisture(seed, *shape):
    """Soil moisture that differs in every number, between 0.1 and 0.4 m3 m-3."""
    return np.random.default_rng(seed).uniform(0.1, 0.4, shape).astype(np.float32)


def write_cmip6(root, source_id=MODEL):
    model = names.KNOWN_MODELS[source_id]
    native = native_window(model, GRID)
    values = moisture(1, 780, *native.shape)
    write_mrsos(root / "cmip6", model, MEMBER, EXPERIMENT, native, values, WORLD)


def write_decades(root):
    write_cmip6(root, DECADES)


def write_mrsol(root):
    """Turn the mrsos of the model into mrsol of LAYERS, each layer wetter than the one above."""
    write_cmip6(root)
    folder = root / "cmip6" / MODEL
    surface = next(folder.glob("mrsos_*.nc"))
    variables, attributes = contents(surface)
    mrsos = variables.pop("mrsos")
    factors = np.array([1.0, 1.1, 1.2, 1.3])[:, None, None] * np.diff(LAYERS)[:, :1, None] * 10
    mass = (mrsos.values[:, None] * factors).astype(np.float32)
    dims = ("time", "depth", "lat", "lon")
    variables["depth"] = netcdf.Variable(
        ("depth",), LAYERS.mean(axis=1), {"units": "m", "bounds": "depth_bnds"}
    )
    variables["depth_bnds"] = netcdf.Variable(("depth", "bnds"), LAYERS)
    variables["mrsol"] = netcdf.Variable(dims, mass, mrsos.attributes, compressed=True)
    attributes |= {"variable_id": "mrsol", "table_id": "Emon"}
    name = surface.name.replace("mrsos_Lmon", "mrsol_Emon")
    netcdf.write(folder / name, variables, attributes)
    surface.unlink()


def write_era5(root, years=OLD_YEARS):
    """Write a file in the older dialect where the years end before 1990, else in the newer one."""
    months = 12 * (years[1] - years[0] + 1)
    values = moisture(years[0], months, 3, GRID.lat.size * GRID.lon.size)
    gridded_files.write_era5_land(root / "era5_land", GRID, values, years, WORLD)


def write_era5_new(root):
    write_era5(root, NEW_YEARS)


def days_of(year):
    """Four days of every month."""
    months = month_axis(year, year).astype("datetime64[D]")
    return (months[:, None] + np.array([0, 7, 14, 21])).ravel()


def write_amsmqtp(root, years=(AMSMQTP_YEAR,)):
    for year in years:
        values = moisture(year, 48, 5, GRID.lat.size * GRID.lon.size)
        gridded_files.write_amsmqtp(root / "amsmqtp", GRID, days_of(year), values, WORLD)


def write_ismn(root):
    """One sensor at 0.05 m in each of two networks, six-hourly in the summer of 2010."""
    times = np.arange("2010-06-01", "2010-09-01", 6, dtype="datetime64[h]").astype("datetime64[m]")
    for seed, (name, (lat, lon)) in enumerate(PLACES.items()):
        network = getattr(station_networks, name)
        station = Station(network, f"{network.prefix}01", lat, lon, 3500.0, (lat, lon))
        values = moisture(10 + seed, times.size)
        flags = np.where(np.arange(times.size) % 50 == 7, "D03,D05", "G")
        record = Record(station, (0.05, 0.05), times, values, flags)
        station_files.write_ismn(root / "ismn", record)


def write_ceop(root):
    """The same sensors in the archive's other text format."""
    write_ismn(root)
    for path in (root / "ismn").glob(ismn.PATTERN):
        header, *lines = path.read_text().replace("\r", "\n").splitlines()
        sensor = " ".join(header.split()[:-1])
        rows = []
        for line in lines:
            date, time, value, flag, given = line.split()
            rows.append(f"{date} {time} {date} {time} {sensor} {value} {flag} {given}")
        path.write_text("\n".join(rows) + "\n")


def write_cma(root):
    """Three stations, two depths, three records a month of 2016."""
    percent = 100 * moisture(20, 12, 3, 3, 2)
    rows = [
        f"5602{station},{95 + station}.25,34.5,4100,2016-{month + 1:02d}-{day},{10 * depth},"
        f"{10 * depth + 10},{percent[month, number, station, depth]:.1f},0"
        for month in range(12)
        for number, day in enumerate(("08", "18", "28"))
        for station in range(3)
        for depth in range(2)
    ]
    folder = root / "cma"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "CMA_2016.csv").write_text("\n".join([station_files.CMA_COLUMNS, *rows]) + "\n")


def stage_cmip6(root, out, source_id=MODEL, depth=None):
    changes = {"models": {source_id: MEMBER}, "depth": depth}
    section = config.load(PROFILE).cmip6.model_copy(update=changes)
    years = names.EXPERIMENT_YEARS[EXPERIMENT]
    model = read_model(root, source_id, MEMBER, EXPERIMENT, years, section, GRID)
    write_models(out / "cmip6" / "historical.nc", EXPERIMENT, {source_id: model})
    return read_models(out / "cmip6" / "historical.nc").crops[source_id].values


def stage_decades(root, out):
    return stage_cmip6(root, out, DECADES)


def stage_mrsol(root, out):
    return stage_cmip6(root, out, depth=DEPTH)


def stage_era5(root, out, years=OLD_YEARS):
    target = era5_land.read(root, GRID, *years)
    write_field(out / "era5_land.nc", target)
    return target["soil_moisture"].values


def stage_era5_new(root, out):
    return stage_era5(root, out, NEW_YEARS)


def stage_amsmqtp(root, out):
    target = amsmqtp.read(root, GRID, AMSMQTP_YEAR, AMSMQTP_YEAR, MIN_DAYS)
    write_field(out / "amsmqtp.nc", target)
    return target["soil_moisture"].values


def stage_ismn(root, out):
    return _stations([ismn.monthly_table(root, GOOD_FLAGS, MIN_RECORDS)], out)


def stage_cma(root, out):
    return _stations([cma.monthly_table(root)], out)


def _stations(records, out):
    stations = table.station_table(pd.concat(records, ignore_index=True))
    table.write_table(stations, out / "insitu" / "stations.parquet")
    return stations


def contents(path):
    """Return the variables and global attributes of a NetCDF file, as they are stored."""
    with opened(path, "a test") as file:
        stored = {name: file.variable(name) for name in file.names()}
        variables = {
            name: netcdf.Variable(variable.dims, variable.raw(), variable.attributes)
            for name, variable in stored.items()
        }
        return variables, dict(file.attributes)


def unpacked(variable):
    """Return a variable in single precision, with NaN for gaps and no packing."""
    values = np.asarray(variable.values)
    fill = variable.attributes.get("_FillValue")
    numbers = values.astype(np.float32)
    if fill is not None:
        numbers[values == fill] = np.nan
    scale = np.float32(variable.attributes.get("scale_factor", 1.0))
    numbers = numbers * scale + np.float32(variable.attributes.get("add_offset", 0.0))
    units = {"units": variable.attributes["units"]}
    return replace(variable, values=numbers.astype(np.float32), attributes=units)


@dataclass(frozen=True)
class Source:
    """A source: `write` its whole files, run its `stage`, and which file and variables to break."""

    write: object
    stage: object
    broken: str
    variables: tuple = ()


SOURCES = {
    "cmip6": Source(write_cmip6, stage_cmip6, "cmip6/*/*.nc", ("mrsos",)),
    "cmip6 decades": Source(write_decades, stage_decades, "cmip6/*/*_199001-*.nc", ("mrsos",)),
    "mrsol": Source(write_mrsol, stage_mrsol, "cmip6/*/*.nc", ("mrsol",)),
    "era5 old": Source(write_era5, stage_era5, "era5_land/*.nc", ("swvl1", "swvl2", "swvl3")),
    "era5 new": Source(
        write_era5_new, stage_era5_new, "era5_land/*.nc", ("swvl1", "swvl2", "swvl3")
    ),
    "amsmqtp": Source(write_amsmqtp, stage_amsmqtp, "amsmqtp/*.nc", ("SM",)),
    "ismn": Source(write_ismn, stage_ismn, "ismn/MAQU/*/*.stm"),
    "ceop": Source(write_ceop, stage_ismn, "ismn/MAQU/*/*.stm"),
    "cma": Source(write_cma, stage_cma, "cma/*.csv"),
}
GRIDDED = ("cmip6", "mrsol", "era5 old", "era5 new", "amsmqtp")
