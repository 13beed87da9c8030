"""Files of the gridded observations and of the truth, in their providers' formats."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.world.netcdf import compressed, quantised, write

PACKED_MISSING = -32767
AMSMQTP_FILL = np.float32(-9999)
LAST_OLD_YEAR = 1989  # files up to here are in the older of the two dialects


def _maps(values: np.ndarray, grid: Grid) -> np.ndarray:
    """(..., N) to (..., H, W) with latitude descending."""
    return values.reshape(*values.shape[:-1], *grid.shape)[..., ::-1, :]


def write_era5_land(
    folder: Path, grid: Grid, values: np.ndarray, years: tuple[int, int], world: str
) -> None:
    """Write (T, 3, N) m3 m-3 of whole years as one file of swvl1-3 in the dialect of its time."""
    first, last = years
    dialect = _older if last <= LAST_OLD_YEAR else _newer
    dataset, encoding = dialect(grid, _maps(values, grid), month_axis(first, last))
    dataset.attrs |= {"Conventions": "CF-1.7", "soilfuse_world": world}
    write(folder / f"era5_land_{first}-{last}.nc", dataset, encoding)


def _swvl(layer: int) -> dict[str, str]:
    return {"units": "m**3 m**-3", "long_name": f"Volumetric soil water layer {layer}"}


def _older(grid: Grid, maps: np.ndarray, months: np.ndarray) -> tuple[xr.Dataset, dict[str, Any]]:
    """Hours since 1900, latitude and longitude in single precision, packed 16-bit numbers."""
    hours = (months - np.datetime64("1900-01-01")) // np.timedelta64(1, "h")
    time = {"units": "hours since 1900-01-01 00:00:00.0", "long_name": "time", "calendar": "gregorian"}
    lat, lon = grid.lat[::-1].astype(np.float32), grid.lon.astype(np.float32)
    coords = {
        "time": ("time", hours.astype(np.int32), time),
        "latitude": ("latitude", lat, {"units": "degrees_north", "long_name": "latitude"}),
        "longitude": ("longitude", lon, {"units": "degrees_east", "long_name": "longitude"}),
    }
    fields, encoding = {}, {}
    for layer in range(3):
        field = maps[:, layer]
        low, high = float(field.min()), float(field.max())
        fields[f"swvl{layer + 1}"] = (("time", "latitude", "longitude"), field, _swvl(layer + 1))
        encoding[f"swvl{layer + 1}"] = compressed(
            field.shape,
            dtype="int16",
            scale_factor=(high - low) / 65532,
            add_offset=(high + low) / 2,
            _FillValue=np.int16(PACKED_MISSING),
            missing_value=np.int16(PACKED_MISSING),
        )
    return xr.Dataset(fields, coords), encoding


def _newer(grid: Grid, maps: np.ndarray, months: np.ndarray) -> tuple[xr.Dataset, dict[str, Any]]:
    """Seconds since 1970 as valid_time, single precision, `number` and `expver` beside it."""
    seconds = months.astype("datetime64[s]").astype(np.int64)
    time = {
        "standard_name": "time",
        "long_name": "time",
        "units": "seconds since 1970-01-01",
        "calendar": "proleptic_gregorian",
    }
    coords = {
        "valid_time": ("valid_time", seconds, time),
        "latitude": ("latitude", grid.lat[::-1], _geographic("latitude", "degrees_north")),
        "longitude": ("longitude", grid.lon, _geographic("longitude", "degrees_east")),
        "number": ((), np.int64(0), {"standard_name": "realization", "units": "1"}),
        "expver": ("valid_time", np.full(len(months), "0001", dtype=object)),
    }
    fields, encoding = {}, {}
    for layer in range(3):
        field = quantised(maps[:, layer])
        more = {"GRIB_shortName": f"swvl{layer + 1}", "GRIB_stepType": "avgua"}
        name = f"swvl{layer + 1}"
        fields[name] = (("valid_time", "latitude", "longitude"), field, _swvl(layer + 1) | more)
        encoding[name] = compressed(field.shape, _FillValue=np.float32("nan"))
    return xr.Dataset(fields, coords), encoding


def _geographic(name: str, units: str) -> dict[str, str]:
    return {"units": units, "standard_name": name, "long_name": name}


def write_amsmqtp(
    folder: Path, grid: Grid, days: np.ndarray, values: np.ndarray, world: str
) -> None:
    """Write (D, 5, N) m3 m-3 of the days (D,) datetime64[D] of one year."""
    year = int(days[0].astype("datetime64[Y]").astype(int)) + 1970
    since = (days - np.datetime64("2000-01-01")).astype(np.int32)
    time = {"units": "days since 2000-01-01 00:00:00", "calendar": "standard"}
    depths = ", ".join(f"{100 * a:.0f}-{100 * b:.0f}" for a, b in names.PRODUCT_LAYERS)
    attributes = {"units": "m3/m3", "long_name": "soil moisture"}
    maps = quantised(_maps(values, grid))
    dataset = xr.Dataset(
        {"SM": (("time", "layer", "lat", "lon"), maps, attributes)},
        {
            "time": ("time", since, time),
            "layer": ("layer", np.arange(1, 6, dtype=np.int32), {"long_name": f"{depths} cm"}),
            "lat": ("lat", grid.lat[::-1], {"units": "degrees_north"}),
            "lon": ("lon", grid.lon, {"units": "degrees_east"}),
        },
        {"title": "AMSMQTP_ensemble (pseudo-reality)", "soilfuse_world": world},
    )
    settings = compressed(maps.shape, _FillValue=AMSMQTP_FILL)
    write(folder / f"AMSMQTP_ensemble_{year}.nc", dataset, {"SM": settings})


def write_truth(folder: Path, grid: Grid, experiment: str, values: np.ndarray, world: str) -> None:
    """Write (T, 5, N) m3 m-3 as canonical soil_moisture."""
    first, last = names.EXPERIMENT_YEARS[experiment]
    bounds = np.array(names.PRODUCT_LAYERS)
    maps = quantised(values).reshape(*values.shape[:-1], *grid.shape)
    attributes = {**names.SOIL_MOISTURE_ATTRIBUTES, "source_calendar": "proleptic_gregorian"}
    dims = ("time", "depth", "lat", "lon")
    dataset = xr.Dataset(
        {names.SOIL_MOISTURE: (dims, maps, attributes)},
        {
            "time": month_axis(first, last),
            "depth": ("depth", bounds.mean(axis=1), {"units": "m", "positive": "down"}),
            "lat": ("lat", grid.lat, _geographic("latitude", "degrees_north")),
            "lon": ("lon", grid.lon, _geographic("longitude", "degrees_east")),
            "depth_bnds": (("depth", "bnds"), bounds, {"units": "m"}),
        },
        {"source": "truth", "experiment": experiment, "world": world, "soilfuse_world": world},
    )
    time = {"units": "days since 1850-01-01", "calendar": "proleptic_gregorian", "dtype": "int32"}
    encoding = {"time": time, names.SOIL_MOISTURE: compressed(maps.shape)}
    write(folder / f"truth_{experiment}.nc", dataset, encoding)


def write_elevation(path: Path, grid: Grid, elevation: np.ndarray, world: str) -> None:
    """Write (N,) elevation in m on the domain's grid."""
    attributes = {"units": "m", "standard_name": "surface_altitude", "long_name": "elevation"}
    dataset = xr.Dataset(
        {"elevation": (("lat", "lon"), elevation.reshape(grid.shape).astype(np.float32), attributes)},
        {
            "lat": ("lat", grid.lat, _geographic("latitude", "degrees_north")),
            "lon": ("lon", grid.lon, _geographic("longitude", "degrees_east")),
        },
        {"soilfuse_world": world},
    )
    write(path, dataset, {})
