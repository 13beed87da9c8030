"""The window's raw files, in the formats of those who provide such data, and its truth.

Letters: T steps, H latitudes, W longitudes; h, w coarse.
"""

from pathlib import Path

import numpy as np

from soilfuse.grids.grid import Grid
from soilfuse.world.netcdf import Variable, quantised, write

SMAP_FILL = np.float32(-9999)
WATER = 2.0**-22  # m: less than a thousandth of a mm
DIMS = ("valid_time", "latitude", "longitude")
# name: (units, long_name, step of rounding); those of ACCUMULATED are sums since 00 UTC.
ERA5_LAND = {
    "swvl1": ("m**3 m**-3", "Volumetric soil water layer 1", 2.0**-14),
    "t2m": ("K", "2 metre temperature", 2.0**-6),
    "skt": ("K", "Skin temperature", 2.0**-6),
    "tp": ("m", "Total precipitation", WATER),
    "e": ("m of water equivalent", "Total evaporation", WATER),
    "ssrd": ("J m**-2", "Surface short-wave (solar) radiation downwards", 64.0),
}
ACCUMULATED = ("tp", "e", "ssrd")


def write_era5_land(
    path: Path, grid: Grid, steps: np.ndarray, fields: dict[str, np.ndarray], world: str
) -> None:
    """Write (T, H*W) fields as ERA5_LAND names them in the CDS's present dialect."""
    seconds = steps.astype("datetime64[s]").astype(np.int64)
    about = {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}
    variables = {
        "number": Variable((), np.int64(0), {"units": "1"}),
        "valid_time": Variable(DIMS[:1], seconds, {"standard_name": "time", **about}),
        "latitude": Variable(("latitude",), grid.lat[::-1], _degrees("latitude", "north")),
        "longitude": Variable(("longitude",), grid.lon, _degrees("longitude", "east")),
        "expver": Variable(DIMS[:1], np.full(steps.size, "0001", dtype=object)),
    }
    for name, values in fields.items():
        units, long_name, step = ERA5_LAND[name]
        attributes = {
            "units": units,
            "long_name": long_name,
            "_FillValue": np.float32("nan"),
            "GRIB_shortName": name,
            "GRIB_stepType": "accum" if name in ACCUMULATED else "instant",
        }
        maps = quantised(values, step).reshape(-1, *grid.shape)[:, ::-1]
        variables[name] = Variable(DIMS, maps, attributes, compressed=True)
    about = {"Conventions": "CF-1.7", "institution": "ECMWF (pseudo-reality)"}
    write(path, variables, about | {"soilfuse_world": world})


def write_smap(
    path: Path, coarse: Grid, times: np.ndarray, values: np.ndarray, flags: np.ndarray, world: str
) -> None:
    """Write (T, h*w) retrievals in m3 m-3 (NaN: none) and their retrieval_qual_flag."""
    seconds = (times - np.datetime64("2000-01-01T12", "s")).astype(np.float64)
    filled = np.where(np.isnan(values), SMAP_FILL, values).astype(np.float32)
    about = {
        "units": "cm**3/cm**3",
        "long_name": "Representative soil moisture measurement for the Earth based grid cell",
        "_FillValue": SMAP_FILL,
        "valid_min": np.float32(0.02),
    }
    dims = ("time", "lat", "lon")
    shape = (-1, *coarse.shape)
    variables = {
        "time": Variable(("time",), seconds, {"units": "seconds since 2000-01-01 12:00:00"}),
        "lat": Variable(("lat",), coarse.lat[::-1], {"units": "degrees_north"}),
        "lon": Variable(("lon",), coarse.lon, {"units": "degrees_east"}),
        "soil_moisture": Variable(dims, filled.reshape(shape)[:, ::-1], about, compressed=True),
        "retrieval_qual_flag": Variable(
            dims, flags.reshape(shape)[:, ::-1], {"long_name": "0: recommended"}, compressed=True
        ),
    }
    write(path, variables, {"title": "SMAP L3 (pseudo-reality)", "soilfuse_world": world})


def write_truth(path: Path, grid: Grid, steps: np.ndarray, theta: np.ndarray, world: str) -> None:
    """Write the true soil_moisture (T, H*W) m3 m-3 of 0-5 cm."""
    hours = (steps - np.datetime64("1970-01-01", "h")).astype(np.int32)
    maps = quantised(theta).reshape(-1, *grid.shape)
    about = {"units": "1", "_FillValue": np.float32("nan")}
    variables = {
        "time": Variable(("time",), hours, {"units": "hours since 1970-01-01 00:00:00"}),
        "lat": Variable(("lat",), grid.lat, {"units": "degrees_north"}),
        "lon": Variable(("lon",), grid.lon, {"units": "degrees_east"}),
        "soil_moisture": Variable(("time", "lat", "lon"), maps, about, compressed=True),
    }
    write(path, variables, {"soilfuse_world": world})


def write_elevation(path: Path, grid: Grid, height: np.ndarray, world: str) -> None:
    """Write (H*W,) elevation in m."""
    about = {"units": "m", "standard_name": "surface_altitude"}
    variables = {
        "lat": Variable(("lat",), grid.lat, {"units": "degrees_north"}),
        "lon": Variable(("lon",), grid.lon, {"units": "degrees_east"}),
        "elevation": Variable(("lat", "lon"), height.reshape(grid.shape).astype("f4"), about),
    }
    write(path, variables, {"soilfuse_world": world})


def _degrees(name: str, towards: str) -> dict[str, str]:
    return {"units": f"degrees_{towards}", "standard_name": name}
