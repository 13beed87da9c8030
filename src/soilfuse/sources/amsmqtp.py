"""AMSMQTP: daily soil moisture of the Tibetan Plateau, five layers to 110 cm, one file a year.

It was built from ISMN and CMA stations, so its agreement with them is no independent check.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_content
from soilfuse.grids.grid import Grid
from soilfuse.progress import progress
from soilfuse.sources.door import read as read_files
from soilfuse.sources.headers import REAL_CALENDARS
from soilfuse.sources.plausibility import require_moist, require_steady_mask
from soilfuse.sources.request import Request
from soilfuse.sources.targets import layered, list_files, on_grid, one_world

FOLDER = "amsmqtp"
LEVEL = "layer"
LEVELS = tuple(range(1, len(names.PRODUCT_LAYERS) + 1))


def read(root: Path, grid: Grid, first_year: int, last_year: int, min_days: int) -> xr.Dataset:
    """Return canonical monthly soil_moisture (T, 5, H, W) from `root`/amsmqtp/AMSMQTP_*_YYYY.nc.

    Days are averaged file by file, so that one year of days is held at a time. Raises UserError
    for a month with fewer than `min_days` days, a missing year, or other layers.
    """
    years = [
        _year(files_of(root, year), grid, year, min_days)
        for year in progress(range(first_year, last_year + 1), "AMSMQTP")
    ]
    require_steady_mask(
        [
            (f"{files_of(root, number)[0]} (AMSMQTP)", year["time"].values, year.values)
            for number, year in enumerate(years, start=first_year)
        ]
    )
    worlds = {str(year.time.values[0])[:4]: year.attrs["world"] for year in years}
    attributes = {
        "source": "AMSMQTP",
        "world": one_world(worlds, f"{Path(root) / FOLDER} (AMSMQTP)"),
        "inputs_sha256": sha256_of_content([year.attrs["inputs_sha256"] for year in years]),
    }
    return layered(
        np.concatenate([year.values for year in years]),
        np.concatenate([year.time.values for year in years]),
        names.PRODUCT_LAYERS,
        grid,
        years[0].attrs["source_calendar"],
        attributes,
    )


def files_of(root: Path, year: int) -> list[Path]:
    """Return the files of one year; raise UserError where there is none."""
    return list_files(Path(root) / FOLDER, f"AMSMQTP_*_{year}.nc", "AMSMQTP")


def _year(files: list[Path], grid: Grid, year: int, min_days: int) -> xr.DataArray:
    """Return the monthly means (12, 5, H, W) of one year on the grid, with its attributes."""
    request = Request(
        "AMSMQTP",
        "SM",
        (year, year),
        "day",
        grid,
        level=LEVEL,
        levels=LEVELS,
        calendars=REAL_CALENDARS,
        exclusive=True,
        min_records=min_days,
    )
    field = read_files(files, request)
    if field.sizes[LEVEL] != len(names.PRODUCT_LAYERS):
        raise UserError(
            f"{field.sizes[LEVEL]} layers in {files[0]} (AMSMQTP); expected "
            f"{len(names.PRODUCT_LAYERS)}: download the file again"
        )
    for number, layer in zip(LEVELS, np.moveaxis(field.values, 1, 0), strict=True):
        require_moist(layer, f"layer {number} of {files[0]} (AMSMQTP)")
    values = on_grid(field, grid, f"{files[0]} (AMSMQTP)")
    return xr.DataArray(
        values,
        dims=("time", LEVEL, "lat", "lon"),
        coords={"time": field.time},
        attrs=field.attrs,
    )
