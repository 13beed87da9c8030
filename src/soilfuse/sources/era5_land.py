"""ERA5-Land monthly soil water, layers 0-7, 7-28 and 28-100 cm, in both dialects of the CDS.

The older files have `time` in hours since 1900, descending `latitude` and packed 16-bit numbers;
the newer ones `valid_time` in seconds since 1970 with `number` and `expver` beside it. Where the
last months are still preliminary, older files carry `expver` as a dimension: 1 is final, 5 is not.
Files converted from GRIB without a name table call swvl1-3 by their codes, 39-41 of table 128.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.files import sha256_of_content
from soilfuse.grids.grid import Grid
from soilfuse.sources.door import read as read_files
from soilfuse.sources.headers import REAL_CALENDARS
from soilfuse.sources.plausibility import require_distinct
from soilfuse.sources.request import Request
from soilfuse.sources.targets import layered, list_files, on_grid

FOLDER = "era5_land"
GRIB_CODES = {"swvl1": "var39", "swvl2": "var40", "swvl3": "var41"}
UNITS = "m**3 m**-3"  # of these codes in ECMWF's table 128, which such files leave out


def read(root: Path, grid: Grid, first_year: int, last_year: int) -> xr.Dataset:
    """Return canonical soil_moisture (T, 3, H, W) of whole years from `root`/era5_land/*.nc.

    Root attributes: world and inputs_sha256. Raises UserError for missing months, units or cells.
    """
    files = list_files(Path(root) / FOLDER, "*.nc", "ERA5-Land")
    fields = []
    for variable, code in GRIB_CODES.items():
        request = Request(
            f"ERA5-Land {variable}",
            variable,
            (first_year, last_year),
            grid=grid,
            versions="expver",
            codes={code: UNITS},
            calendars=REAL_CALENDARS,
        )
        fields.append(read_files(files, request))
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    where = f"{files[0]}{more} (ERA5-Land)"
    require_distinct([field.values for field in fields], where)
    values = np.stack([on_grid(field, grid, where) for field in fields], axis=1)
    attributes = {
        "source": "ERA5-Land",
        "world": fields[0].attrs["world"],
        "inputs_sha256": sha256_of_content([field.attrs["inputs_sha256"] for field in fields]),
    }
    calendar = fields[0].attrs["source_calendar"]
    return layered(
        values, fields[0].time.values, names.ERA5_LAND_LAYERS, grid, calendar, attributes
    )
