"""CMIP6 mrsos files as ESGF publishes them: names, calendars, splitting, headers."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import cftime
import numpy as np

from soilfuse import names
from soilfuse.names import ClimateModel
from soilfuse.world.native_grids import NORTH_TO_SOUTH, NativeGrid
from soilfuse.world.netcdf import STEP, Variable, quantised, write

LAYER_THICKNESS = 0.1  # m
KILOGRAMS = names.WATER_DENSITY * LAYER_THICKNESS  # kg m-2 per m3 m-3
FILL = np.float32(1e20)
UNITS = "days since 1850-01-01"
# Groups that publish ten years a file: in the historical run, and in the scenarios as well.
TEN_YEARS_A_FILE = {
    "MIROC6": (names.HISTORICAL,),
    "NorESM2-LM": tuple(names.EXPERIMENT_YEARS),
    "NorESM2-MM": tuple(names.EXPERIMENT_YEARS),
}
MRSOS = {
    "standard_name": "mass_content_of_water_in_soil_layer",
    "long_name": "Moisture in Upper Portion of Soil Column",
    "comment": "The mass of water in all phases in the upper 10cm of the soil layer.",
    "units": "kg m-2",
    "cell_methods": "area: mean where land time: mean",
    "cell_measures": "area: areacella",
    "coordinates": "depth",
    "_FillValue": FILL,
    "missing_value": FILL,
}


def write_mrsos(
    folder: Path,
    model: ClimateModel,
    variant_label: str,
    experiment: str,
    native: NativeGrid,
    soil_moisture: np.ndarray,
    world: str,
) -> None:
    """Write (T, h, w) m3 m-3 (NaN: no land) of a whole experiment below folder/source_id."""
    first, last = names.EXPERIMENT_YEARS[experiment]
    mrsos = quantised(soil_moisture * np.float32(KILOGRAMS), STEP * 128)
    mrsos[np.isnan(mrsos)] = FILL
    for start, stop in spans(model.source_id, experiment):
        rows = slice((start - first) * 12, (stop + 1 - first) * 12)
        variables = _variables(model, native, mrsos[rows], start, stop)
        name = (
            f"mrsos_Lmon_{model.source_id}_{experiment}_{variant_label}_{model.grid_label}_"
            f"{start}01-{stop}12.nc"
        )
        attributes = _attributes(model, variant_label, experiment, world)
        write(folder / model.source_id / name, variables, attributes)


def spans(source_id: str, experiment: str) -> list[tuple[int, int]]:
    """Return the first and last year of every file of an experiment."""
    first, last = names.EXPERIMENT_YEARS[experiment]
    if experiment not in TEN_YEARS_A_FILE.get(source_id, ()):
        return [(first, last)]
    # The historical decades begin in years ...0, those of the scenarios in years ...1.
    digit = 0 if experiment == names.HISTORICAL else 1
    starts = [first, *(year for year in range(first + 1, last + 1) if year % 10 == digit)]
    return list(zip(starts, [*(year - 1 for year in starts[1:]), last], strict=True))


@lru_cache
def month_edges(calendar: str, first: int, last: int) -> np.ndarray:
    """Return (T+1,) days since 1850 at which the months of whole years begin and end."""
    starts = [
        cftime.datetime(year, month, 1, calendar=calendar)
        for year in range(first, last + 1)
        for month in range(1, 13)
    ]
    starts.append(cftime.datetime(last + 1, 1, 1, calendar=calendar))
    return np.asarray(cftime.date2num(starts, UNITS, calendar=calendar), dtype=float)


def _variables(
    model: ClimateModel, native: NativeGrid, mrsos: np.ndarray, first: int, last: int
) -> dict[str, Variable]:
    turned = model.source_id in NORTH_TO_SOUTH
    order = slice(None, None, -1 if turned else 1)
    edges = month_edges(model.calendar, first, last)
    bounds = np.stack([edges[:-1], edges[1:]], axis=1)
    time = {"bounds": "time_bnds", "units": UNITS, "calendar": model.calendar, "axis": "T"}
    depth = {"bounds": "depth_bnds", "units": "m", "positive": "down", "axis": "Z"}
    north = _axis("lat", "latitude", "degrees_north", "Y")
    east = _axis("lon", "longitude", "degrees_east", "X")
    return {
        "time": Variable(("time",), bounds.mean(axis=1), time | _named("time")),
        "lat": Variable(("lat",), native.lat[order], north),
        "lon": Variable(("lon",), native.lon, east),
        "depth": Variable((), np.float64(LAYER_THICKNESS / 2), depth | _named("depth")),
        "time_bnds": Variable(("time", "bnds"), bounds),
        "lat_bnds": Variable(("lat", "bnds"), native.lat_bounds[order, order]),
        "lon_bnds": Variable(("lon", "bnds"), native.lon_bounds),
        "depth_bnds": Variable(("bnds",), np.array([0.0, LAYER_THICKNESS])),
        "mrsos": Variable(("time", "lat", "lon"), mrsos[:, order], MRSOS, compressed=True),
    }


def _named(name: str) -> dict[str, str]:
    return {"standard_name": name, "long_name": name}


def _axis(name: str, standard_name: str, units: str, letter: str) -> dict[str, str]:
    return {"bounds": f"{name}_bnds", "units": units, "axis": letter} | _named(standard_name)


def _attributes(
    model: ClimateModel, variant_label: str, experiment: str, world: str
) -> dict[str, Any]:
    historical = experiment == names.HISTORICAL
    coarse = max(model.lon_step, model.lat_step)
    return {
        "Conventions": "CF-1.7 CMIP-6.2",
        "activity_id": "CMIP" if historical else "ScenarioMIP",
        "comment": f"Pseudo-reality of soilfuse in the place of {model.source_id}: no model output",
        "experiment_id": experiment,
        "frequency": "mon",
        "grid_label": model.grid_label,
        "institution_id": model.institution_id,
        "mip_era": "CMIP6",
        "nominal_resolution": f"{250 if coarse > 1.5 else 100 if coarse > 0.6 else 50} km",
        "parent_experiment_id": "piControl" if historical else names.HISTORICAL,
        "product": "model-output",
        "realm": "land",
        "soilfuse_world": world,
        "source": f"{model.source_id} (pseudo-reality)",
        "source_id": model.source_id,
        "table_id": "Lmon",
        "variable_id": "mrsos",
        "variant_label": variant_label,
    }
