"""Files of the globe as the archives publish them: CMIP6, ERA5 and ERA-Interim, GLDAS.

Letters: T months, D layers, h latitudes, w longitudes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from soilfuse import names
from soilfuse.grids.months import label_of, month_axis
from soilfuse.world.cmip6_files import FILL, UNITS, month_edges
from soilfuse.world.netcdf import Variable, write
from soilfuse.world.wide.wide_grids import GlobalGrid

KEPT_BITS = 12  # of a mantissa: finer than any error, and half the file
TABLES = {
    "mrsos": "Lmon",
    "mrsol": "Emon",
    "pr": "Amon",
    "evspsbl": "Amon",
    "mrros": "Lmon",
    "snm": "LImon",
}
FLUX, MASS = "kg m-2 s-1", "kg m-2"
MODEL_LAYERS = ((0.0, 0.1), (0.1, 0.35), (0.35, 1.0), (1.0, 2.0))  # m, of mrsol
ERA_LAYERS = ((0.0, 0.07), (0.07, 0.28), (0.28, 1.0), (1.0, 2.89))
GLDAS_LAYERS = {
    "SoilMoi0_10cm_inst": (0.0, 0.1),
    "SoilMoi10_40cm_inst": (0.1, 0.4),
    "SoilMoi40_100cm_inst": (0.4, 1.0),
    "SoilMoi100_200cm_inst": (1.0, 2.0),
}


def write_cmip6(
    folder: Path,
    source_id: str,
    member: str,
    variable: str,
    grid: GlobalGrid,
    values: np.ndarray,
    years: tuple[int, int],
    world: str,
) -> None:
    """Write (T, [D,] h, w) of one variable in kg m-2 (s-1), NaN in the sea, below folder/source_id.

    D: MODEL_LAYERS, of mrsol.
    """
    known = names.KNOWN_MODELS.get(source_id)
    calendar = known.calendar if known else "proleptic_gregorian"
    label = known.grid_label if known else "gn"
    edges = month_edges(calendar, *years)
    bounds = np.stack([edges[:-1], edges[1:]], axis=1)
    time = {"bounds": "time_bnds", "units": UNITS, "calendar": calendar, "axis": "T"}
    layered = values.ndim == 4
    dims = ("time", "depth", "lat", "lon") if layered else ("time", "lat", "lon")
    about = {"units": MASS if variable.startswith("mrso") else FLUX, "_FillValue": FILL}
    packed = rounded(values)
    packed[np.isnan(packed)] = FILL
    variables = {
        "time": Variable(("time",), bounds.mean(axis=1), time),
        "lat": Variable(("lat",), grid.lat, {"units": "degrees_north", "bounds": "lat_bnds"}),
        "lon": Variable(("lon",), grid.lon, {"units": "degrees_east", "bounds": "lon_bnds"}),
        "time_bnds": Variable(("time", "bnds"), bounds),
        "lat_bnds": Variable(("lat", "bnds"), grid.lat_bounds),
        "lon_bnds": Variable(("lon", "bnds"), grid.lon_bounds),
        variable: Variable(dims, packed, about, compressed=True),
    }
    if layered:
        depth = np.array(MODEL_LAYERS)
        metres = {"units": "m", "positive": "down", "bounds": "depth_bnds"}
        variables["depth"] = Variable(("depth",), depth.mean(axis=1), metres)
        variables["depth_bnds"] = Variable(("depth", "bnds"), depth)
    table = TABLES[variable]
    name = (
        f"{variable}_{table}_{source_id}_historical_{member}_{label}_{years[0]}01-{years[1]}12.nc"
    )
    attributes = {
        "Conventions": "CF-1.7 CMIP-6.2",
        "comment": f"Pseudo-reality of soilfuse in the place of {source_id}: no model output",
        "experiment_id": "historical",
        "frequency": "mon",
        "soilfuse_world": world,
        "source_id": source_id,
        "table_id": table,
        "variable_id": variable,
        "variant_label": member,
    }
    write(folder / source_id / name, variables, attributes)


def write_era(
    path: Path,
    grid: GlobalGrid,
    fields: Mapping[str, tuple[np.ndarray, str]],
    years: tuple[int, int],
    world: str,
) -> None:
    """Write monthly fields (T, h, w), each with its units, north to south as the CDS does."""
    months = month_axis(*years)
    hours = (months - np.datetime64("1900-01-01")) // np.timedelta64(1, "h")
    time = {"units": "hours since 1900-01-01 00:00:00.0", "calendar": "gregorian"}
    variables = {
        "time": Variable(("time",), hours.astype(np.int32), time),
        "latitude": Variable(("latitude",), grid.lat[::-1], {"units": "degrees_north"}),
        "longitude": Variable(("longitude",), grid.lon, {"units": "degrees_east"}),
    }
    dims = ("time", "latitude", "longitude")
    for name, (values, units) in fields.items():
        about: dict[str, Any] = {"units": units, "_FillValue": np.float32("nan")}
        variables[name] = Variable(dims, rounded(values[:, ::-1]), about, compressed=True)
    write(path, variables, {"Conventions": "CF-1.6", "soilfuse_world": world})


def write_gldas(
    folder: Path,
    grid: GlobalGrid,
    fields: Mapping[str, tuple[np.ndarray, str]],
    years: tuple[int, int],
    world: str,
) -> None:
    """Write one file a month, as GES DISC publishes GLDAS_NOAH10_M of version 2.0."""
    missing = np.float32(-9999.0)
    packed = {name: rounded(values) for name, (values, _) in fields.items()}
    for i, month in enumerate(month_axis(*years)):
        first = month.astype("datetime64[D]")
        days = (first - np.datetime64("1948-01-01")).astype(np.int32)
        variables = {
            "time": Variable(("time",), np.array([days]), {"units": "days since 1948-01-01"}),
            "lat": Variable(("lat",), grid.lat, {"units": "degrees_north"}),
            "lon": Variable(("lon",), grid.lon, {"units": "degrees_east"}),
        }
        for name, (_, units) in fields.items():
            about = {"units": units, "_FillValue": missing, "missing_value": missing}
            values = np.where(np.isnan(packed[name][i]), missing, packed[name][i])
            dims = ("time", "lat", "lon")
            variables[name] = Variable(dims, values[None], about, compressed=True)
        stamp = label_of(month).replace("-", "")
        name = f"GLDAS_NOAH10_M.A{stamp}.020.nc4"
        write(folder / name, variables, {"soilfuse_world": world})


def rounded(values: np.ndarray) -> np.ndarray:
    """Return float32 values with KEPT_BITS of their mantissas, which compress; NaN stays."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    cut = 23 - KEPT_BITS
    half = np.uint32(1 << (cut - 1))
    kept = ((bits + half) >> np.uint32(cut) << np.uint32(cut)).view(np.float32)
    return np.where(np.isnan(values), np.float32("nan"), kept)
