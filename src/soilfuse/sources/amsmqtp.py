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
from soilfuse.sources.door import Request
from soilfuse.sources.door import read as read_files
from soilfuse.sources.targets import layered, list_files, on_grid



def read(root: Path, grid: Grid, first_year: int, last_year: int, min_days: int) -> xr.Dataset:
    """Return canonical monthly soil_moisture (T, 5, H, W) from `root`/AMSMQTP_*_YYYY.nc.

    Days are averaged file by file, so that one year of days is held at a time. Raises UserError
    for a month with fewer than `min_days` days, a missing year, or other layers.
    """
    parts, times, hashes, worlds = [], [], [], set()
    folder = Path(root)
    for year in progress(range(first_year, last_year + 1), "AMSMQTP"):
        files = list_files(folder, f"AMSMQTP_*_{year}.nc", "AMSMQTP")
        request = Request(
            "AMSMQTP", "SM", (year, year), "day", grid, level="layer", min_records=min_days
        )
        field = read_files(files, request)
        if field.sizes["layer"] != len(names.PRODUCT_LAYERS):
            raise UserError(
                f"{field.sizes['layer']} layers in {files[0]} (AMSMQTP); expected "
                f"{len(names.PRODUCT_LAYERS)}: download the file again"
            )
        parts.append(on_grid(field, grid, f"{files[0]} (AMSMQTP)"))
        times.append(field.time.values)
        hashes.append(field.attrs["inputs_sha256"])
        worlds.add(field.attrs["world"])
    if len(worlds) > 1:
        raise UserError(
            f"files of several worlds ({', '.join(sorted(worlds))}) in {folder} (AMSMQTP); "
            "expected one: keep files of one world only"
        )
    soil_moisture = layered(
        np.concatenate(parts), np.concatenate(times), names.PRODUCT_LAYERS, grid
    )
    soil_moisture.attrs["source_calendar"] = field.attrs["source_calendar"]
    attributes = {
        "source": "AMSMQTP",
        "world": worlds.pop(),
        "inputs_sha256": sha256_of_content(hashes),
    }
    return soil_moisture.to_dataset().assign_attrs(attributes)
