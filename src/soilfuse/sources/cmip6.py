"""CMIP6 `mrsos` (moisture in the upper 10 cm, table Lmon) in files as ESGF publishes them."""

import difflib
import re
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.ndimage import distance_transform_edt

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources.door import Request, read

FOLDER = "cmip6"
PERIOD = re.compile(r"_(\d{4})\d{2}-(\d{4})\d{2}\.nc$")


def find_files(root: Path, source_id: str, variant_label: str, experiment: str) -> list[Path]:
    """Return the mrsos files of one model, member and experiment in `root`/cmip6/source_id.

    Raises UserError that names the pattern, the folder and similar files where there is none, or
    where there are several grid labels.
    """
    folder = Path(root) / FOLDER / source_id
    pattern = f"mrsos_Lmon_{source_id}_{experiment}_{variant_label}_*.nc"
    found = sorted(folder.glob(pattern))
    if not found:
        raise UserError(_none_found(folder, pattern))
    labels = sorted({path.name.removeprefix(pattern[:-4]).split("_")[0] for path in found})
    if len(labels) > 1:
        raise UserError(
            f"files {pattern} of several grids ({', '.join(labels)}) in {folder}; expected one "
            "grid label: remove the others"
        )
    return found


def read_mrsos(
    root: Path,
    source_id: str,
    variant_label: str,
    experiment: str,
    first_year: int,
    last_year: int,
    fill_cells: int,
    grid: Grid | None = None,
) -> xr.DataArray:
    """Return canonical soil_moisture (T, h, w) m3 m-3 of one model on its native grid.

    theta = mrsos / (1000 kg m-3 x 0.1 m) (Li et al. 2024). Land values are carried at most
    `fill_cells` native cells into lakes and coasts; attribute filled_cells counts them. With a
    `grid` the native field is cut to it and a margin, so that global files stay small in memory.
    """
    files = find_files(root, source_id, variant_label, experiment)
    request = Request(
        provider=f"CMIP6 mrsos of {source_id} {experiment}",
        variable="mrsos",
        years=(first_year, last_year),
        grid=grid,
        margin=2 + fill_cells,
    )
    wanted = [path for path in files if _overlaps(path, first_year, last_year)]
    if not wanted:
        raise UserError(
            f"no file with {first_year}-{last_year} among {', '.join(path.name for path in files)} "
            f"in {files[0].parent} ({request.provider}): add the files of those years"
        )
    field = read(wanted, request)
    values, filled = fill_gaps(field.values, fill_cells)
    if not np.isfinite(values).any():
        raise UserError(
            f"no land in {wanted[0]} ({request.provider}): every cell is missing; "
            "download the file again, or leave the model out of params.yaml:cmip6.models"
        )
    field = field.copy(data=values)
    field.attrs |= {
        "source_id": source_id,
        "variant_label": variant_label,
        "experiment": experiment,
        "filled_cells": filled,
    }
    return field


def fill_gaps(values: np.ndarray, fill_cells: int) -> tuple[np.ndarray, int]:
    """Return (T, h, w) with empty cells given the series of the nearest land cell, and their count.

    Only cells that are empty in all months are filled, and only from within `fill_cells` cells
    (straight distance in cells).
    """
    empty = np.isnan(values).all(axis=0)
    if not empty.any() or empty.all() or fill_cells == 0:
        return values, 0
    distance, (row, column) = distance_transform_edt(empty, return_indices=True)
    near = empty & (distance <= fill_cells)
    filled = values.copy()
    filled[:, near] = values[:, row[near], column[near]]
    return filled, int(near.sum())


def _overlaps(path: Path, first_year: int, last_year: int) -> bool:
    """Tell by its name whether a file may hold a wanted year; a name without a period may."""
    period = PERIOD.search(path.name)
    return period is None or (int(period[1]) <= last_year and int(period[2]) >= first_year)


def _none_found(folder: Path, pattern: str) -> str:
    if not folder.is_dir():
        siblings = sorted(path.name for path in folder.parent.glob("*/"))
        near = difflib.get_close_matches(folder.name, siblings, n=2)
        hint = f"; similar: {', '.join(near)}" if near else ""
        return f"no folder {folder} for {pattern}{hint}: put the model's files there"
    present = sorted(path.name for path in folder.glob("*.nc"))
    near = difflib.get_close_matches(pattern, present, n=2, cutoff=0.5)
    hint = f"; similar: {', '.join(near)}" if near else f"; it holds {len(present)} other .nc files"
    return f"no file {pattern} in {folder}{hint}: add it, or edit params.yaml:cmip6.models"
