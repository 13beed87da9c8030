"""Stations' records at the steps of a sample, from ISMN files. Letter: N records."""

from pathlib import Path

import numpy as np
import pandas as pd

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources.ismn import DATE, FOLDER, PATTERN, TIME, good_rows
from soilfuse.sources.stations import dates_of, require_company
from soilfuse.sources.targets import list_files

COLUMNS = ["network", "station", "lat", "lon", "time", "soil_moisture"]
GOOD_FLAGS = ("G", "U", "M")
DEEPEST = 0.1  # m; what the surface's moisture is compared with
EDGE = 1e-6  # degrees


def read_station_steps(root: Path, grid: Grid, steps: np.ndarray) -> pd.DataFrame:
    """Return good records (COLUMNS) of stations in a grid's cells at UTC steps, (T,) in order.

    soil_moisture in m3 m-3 of a station's shallowest sensors, DEEPEST or above; records at other
    times than those of the steps are left out. Raises UserError as `ismn.good_rows` does, and
    where no record is left.
    """
    parts, places = [], {}
    for path in list_files(Path(root) / FOLDER, PATTERN, "ISMN"):
        sensor, rows = good_rows(path, GOOD_FLAGS)
        places[path] = (float(sensor["lat"]), float(sensor["lon"]))
        if float(sensor["depth_to"]) <= DEEPEST and _inside(places[path], grid):
            parts.append(_at_steps(sensor, rows, steps))
    require_company(places)
    table = pd.concat(parts) if parts else pd.DataFrame()
    if table.empty:
        raise UserError(
            f"no good record above {DEEPEST:g} m in {Path(root) / FOLDER} (ISMN) lies in the "
            f"window {grid.lat[0]:g} to {grid.lat[-1]:g}N, {grid.lon[0]:g} to {grid.lon[-1]:g}E "
            f"at the sample's {steps.size} steps: put stations of that window and those months "
            "there, or edit params.yaml:sample"
        )
    shallowest = table.groupby(["network", "station"])["depth_to"].transform("min")
    table = table[table["depth_to"] == shallowest]
    keys = COLUMNS[:-1]
    return table.groupby(keys, as_index=False, sort=True)["soil_moisture"].mean()[COLUMNS]


def _inside(place: tuple[float, float], grid: Grid) -> bool:
    """Tell whether a place lies in one of a grid's cells."""
    lat, lon = place[0], float(grid.turned(np.array(place[1])))
    (south, north), (west, east) = (
        (bounds[0, 0] - EDGE, bounds[-1, 1] + EDGE) for bounds in (grid.lat_bounds, grid.lon_bounds)
    )
    return bool(south <= lat <= north and west <= lon <= east)


def _at_steps(
    sensor: dict[str, str | float], rows: pd.DataFrame, steps: np.ndarray
) -> pd.DataFrame:
    """Return a sensor's records at the steps, with its description in every row."""
    days, clock = (
        dates_of(rows[name].cat.categories, form).to_numpy()[rows[name].cat.codes]
        for name, form in (("date", DATE), ("time", TIME))
    )
    times = (days + (clock - clock.astype("datetime64[D]"))).astype("datetime64[s]")
    kept = np.isin(times, steps.astype("datetime64[s]"))
    found = pd.DataFrame({"time": times[kept], "soil_moisture": rows["soil_moisture"][kept]})
    return found.assign(**sensor)
