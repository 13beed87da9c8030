"""Files of the gridded observations and of the truth, in their providers' formats."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from soilfuse import names
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.world.netcdf import Variable, quantised, write
from soilfuse.world.soil import SoilMap

Variables = dict[str, Variable]
PACKED_MISSING = np.int16(-32767)
AMSMQTP_FILL = np.float32(-9999)
LAST_OLD_YEAR = 1989  # files up to here are in the older of the two dialects


def write_era5_land(
    folder: Path, grid: Grid, values: np.ndarray, years: tuple[int, int], world: str
) -> None:
    """Write (T, 3, N) m3 m-3 of whole years as one file of swvl1-3 in the dialect of its time."""
    first, last = years
    dialect = _older if last <= LAST_OLD_YEAR else _newer
    variables = dialect(grid, _maps(values, grid), month_axis(first, last))
    attributes = {"Conventions": "CF-1.7", "institution": "ECMWF (pseudo-reality)"}
    path = folder / f"era5_land_{first}-{last}.nc"
    write(path, variables, attributes | {"soilfuse_world": world})


def _maps(values: np.ndarray, grid: Grid) -> np.ndarray:
    """(..., N) to (..., H, W) with latitude descending."""
    return values.reshape(*values.shape[:-1], *grid.shape)[..., ::-1, :]


def _swvl(layer: int) -> dict[str, str]:
    return {"units": "m**3 m**-3", "long_name": f"Volumetric soil water layer {layer}"}


def _older(grid: Grid, maps: np.ndarray, months: np.ndarray) -> Variables:
    """Hours since 1900, axes in single precision, packed 16-bit numbers."""
    hours = (months - np.datetime64("1900-01-01")) // np.timedelta64(1, "h")
    units = "hours since 1900-01-01 00:00:00.0"
    time = {"units": units, "long_name": "time", "calendar": "gregorian"}
    north = {"units": "degrees_north", "long_name": "latitude"}
    east = {"units": "degrees_east", "long_name": "longitude"}
    variables = {
        "longitude": Variable(("longitude",), grid.lon.astype(np.float32), east),
        "latitude": Variable(("latitude",), grid.lat[::-1].astype(np.float32), north),
        "time": Variable(("time",), hours.astype(np.int32), time),
    }
    for layer in range(3):
        field = maps[:, layer]
        low, high = float(field.min()), float(field.max())
        scale, offset = (high - low) / 65532, (high + low) / 2
        attributes = {
            "scale_factor": scale,
            "add_offset": offset,
            "_FillValue": PACKED_MISSING,
            "missing_value": PACKED_MISSING,
            **_swvl(layer + 1),
        }
        packed = np.round((field - offset) / scale).astype(np.int16)
        dims = ("time", "latitude", "longitude")
        variables[f"swvl{layer + 1}"] = Variable(dims, packed, attributes, compressed=True)
    return variables


def _newer(grid: Grid, maps: np.ndarray, months: np.ndarray) -> Variables:
    """Seconds since 1970 as valid_time, single precision, `number` and `expver` beside it."""
    time = {
        **_named("time"),
        "units": "seconds since 1970-01-01",
        "calendar": "proleptic_gregorian",
    }
    member = {"long_name": "ensemble member numerical id", "units": "1"}
    versions = np.full(len(months), "0001", dtype=object)
    variables = {
        "number": Variable((), np.int64(0), member),
        "valid_time": Variable(("valid_time",), months.astype("datetime64[s]").astype(int), time),
        "latitude": Variable(("latitude",), grid.lat[::-1], _geographic("latitude", "north")),
        "longitude": Variable(("longitude",), grid.lon, _geographic("longitude", "east")),
        "expver": Variable(("valid_time",), versions),
    }
    for layer in range(3):
        attributes = {
            **_swvl(layer + 1),
            "_FillValue": np.float32("nan"),
            "GRIB_shortName": f"swvl{layer + 1}",
            "GRIB_stepType": "avgua",
            "coordinates": "number valid_time latitude longitude expver",
        }
        dims = ("valid_time", "latitude", "longitude")
        field = quantised(maps[:, layer])
        variables[f"swvl{layer + 1}"] = Variable(dims, field, attributes, compressed=True)
    return variables


def _named(name: str) -> dict[str, str]:
    return {"standard_name": name, "long_name": name}


def _geographic(name: str, towards: str) -> dict[str, str]:
    return {"units": f"degrees_{towards}"} | _named(name)


def write_amsmqtp(
    folder: Path, grid: Grid, days: np.ndarray, values: np.ndarray, world: str
) -> None:
    """Write (D, 5, N) m3 m-3 of the days (D,) datetime64[D] of one year."""
    year = days[0].astype("datetime64[Y]").astype(int) + 1970
    since = (days - np.datetime64("2000-01-01")).astype(np.int32)
    depths = ", ".join(f"{100 * top:.0f}-{100 * base:.0f}" for top, base in names.PRODUCT_LAYERS)
    time = {"units": "days since 2000-01-01 00:00:00", "calendar": "standard"}
    about = {"units": "m3/m3", "long_name": "soil moisture", "_FillValue": AMSMQTP_FILL}
    maps = quantised(_maps(values, grid))
    numbers = np.arange(1, len(names.PRODUCT_LAYERS) + 1, dtype=np.int32)
    variables = {
        "time": Variable(("time",), since, time),
        "layer": Variable(("layer",), numbers, {"long_name": f"soil layer: {depths} cm"}),
        "lat": Variable(("lat",), grid.lat[::-1], {"units": "degrees_north"}),
        "lon": Variable(("lon",), grid.lon, {"units": "degrees_east"}),
        "SM": Variable(("time", "layer", "lat", "lon"), maps, about, compressed=True),
    }
    attributes = {"title": "AMSMQTP_ensemble (pseudo-reality)", "soilfuse_world": world}
    write(folder / f"AMSMQTP_ensemble_{year}.nc", variables, attributes)


def write_truth(
    folder: Path,
    grid: Grid,
    experiment: str,
    values: np.ndarray,
    world: str,
    layers: tuple[tuple[float, float], ...] = names.PRODUCT_LAYERS,
) -> None:
    """Write (T, D, N) m3 m-3 of layers (bounds in m) as canonical soil_moisture."""
    bounds = np.array(layers)
    months = month_axis(*names.EXPERIMENT_YEARS[experiment])
    days = (months - np.datetime64("1850-01-01")) // np.timedelta64(1, "D")
    maps = quantised(values).reshape(*values.shape[:-1], *grid.shape)
    calendar = {"units": "days since 1850-01-01", "calendar": "proleptic_gregorian"}
    depth = {"units": "m", "positive": "down", "bounds": "depth_bnds", **_named("depth")}
    about = {
        **names.SOIL_MOISTURE_ATTRIBUTES,
        "source_calendar": "proleptic_gregorian",
        "_FillValue": np.float32("nan"),
    }
    variables = {
        "time": Variable(("time",), days.astype(np.int32), calendar | _named("time")),
        "depth": Variable(("depth",), bounds.mean(axis=1), depth),
        "lat": Variable(("lat",), grid.lat, _geographic("latitude", "north")),
        "lon": Variable(("lon",), grid.lon, _geographic("longitude", "east")),
        "depth_bnds": Variable(("depth", "bnds"), bounds),
        names.SOIL_MOISTURE: Variable(
            ("time", "depth", "lat", "lon"), maps, about, compressed=True
        ),
    }
    attributes = {"source": "truth", "experiment": experiment, "world": world}
    write(folder / f"truth_{experiment}.nc", variables, attributes | {"soilfuse_world": world})


def write_elevation(path: Path, grid: Grid, elevation: np.ndarray, world: str) -> None:
    """Write (N,) elevation in m on the domain's grid."""
    about = {"units": "m", "standard_name": "surface_altitude", "long_name": "elevation"}
    _write_maps(path, grid, {"elevation": (elevation, about)}, world)


def write_soil(path: Path, grid: Grid, soil: SoilMap, world: str) -> None:
    """Write the soil map on the domain's grid: texture in per cent, water contents in m3 m-3."""
    maps = {
        "sand": (100 * soil.sand, {"units": "%", "long_name": "sand content by mass"}),
        "clay": (100 * soil.clay, {"units": "%", "long_name": "clay content by mass"}),
        "porosity": (soil.porosity, {"units": "m3 m-3", "long_name": "saturated water content"}),
        "residual_moisture": (
            soil.residual_moisture,
            {"units": "m3 m-3", "long_name": "residual water content"},
        ),
    }
    _write_maps(path, grid, maps, world)


def _write_maps(
    path: Path, grid: Grid, maps: Mapping[str, tuple[np.ndarray, dict[str, str]]], world: str
) -> None:
    """Write maps (N,) that do not change with time, with their attributes."""
    variables = {
        "lat": Variable(("lat",), grid.lat, _geographic("latitude", "north")),
        "lon": Variable(("lon",), grid.lon, _geographic("longitude", "east")),
    }
    for name, (values, about) in maps.items():
        field = values.reshape(grid.shape).astype(np.float32)
        variables[name] = Variable(("lat", "lon"), field, about)
    write(path, variables, {"soilfuse_world": world})
