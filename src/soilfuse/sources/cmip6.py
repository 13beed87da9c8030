"""CMIP6 soil moisture in files as ESGF publishes them.

`mrsos` (table Lmon) is the moisture of the upper 10 cm, `mrsol` (Emon) that of each model layer.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.ndimage import distance_transform_edt

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources.depths import layers_of, shares
from soilfuse.sources.door import Request, read

FOLDER = "cmip6"
PERIOD = re.compile(r"_(\d{4})\d{2}-(\d{4})\d{2}\.nc$")


def find_files(
    root: Path,
    source_id: str,
    variant_label: str,
    experiment: str,
    variable: str = "mrsos",
    table: str = "Lmon",
) -> list[Path]:
    """Return the files of one model, member, experiment and variable in `root`/cmip6/source_id.

    Raises UserError that names the pattern, the folder and similar files where there is none, or
    where there are several grid labels.
    """
    folder = Path(root) / FOLDER / source_id
    pattern = f"{variable}_{table}_{source_id}_{experiment}_{variant_label}_*.nc"
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
    request = Request(
        provider=f"CMIP6 mrsos of {source_id} {experiment}",
        variable="mrsos",
        years=(first_year, last_year),
        grid=grid,
        margin=2 + fill_cells,
    )
    files = find_files(root, source_id, variant_label, experiment)
    wanted = _of_years(files, request)
    about = {"source_id": source_id, "variant_label": variant_label, "experiment": experiment}
    return _on_land(read(wanted, request), fill_cells, f"{wanted[0]} ({request.provider})", about)


def read_mrsol(
    root: Path,
    source_id: str,
    variant_label: str,
    table: str,
    experiment: str,
    first_year: int,
    last_year: int,
    top: float,
    bottom: float,
    fill_cells: int,
    grid: Grid | None = None,
) -> xr.DataArray:
    """Return canonical soil_moisture (T, h, w) m3 m-3 between two depths (m) of one model.

    Moisture is uniform inside a model layer, hence linear in thickness (Qiao et al. 2022): the mean
    of the layers' mrsol / (1000 kg m-3 x thickness), weighted by their thickness within the range.
    A cell is empty where a layer of the range is. Attributes depth_top and depth_bottom keep the
    range; the rest is as in `read_mrsos`. Raises UserError where the layers do not fill the range.
    """
    provider = f"CMIP6 mrsol of {source_id} {experiment}"
    asked = Request(provider, "mrsol", (first_year, last_year), grid=grid, margin=2 + fill_cells)
    files = find_files(root, source_id, variant_label, experiment, "mrsol", table)
    wanted = _of_years(files, asked)
    level, bounds = layers_of(wanted[0], provider, "mrsol")
    for path in wanted[1:]:
        _require_layers(path, provider, bounds)
    where = f"{wanted[0]} ({provider})"
    weights = shares(bounds, top, bottom, where)
    layers = read(wanted, replace(asked, level=level, thickness=tuple(np.diff(bounds)[:, 0])))
    used = np.flatnonzero(weights)
    mean = np.tensordot(layers.values[:, used], weights[used], axes=(1, 0)).astype(np.float32)
    field = layers.isel({level: 0}, drop=True).copy(data=mean)
    about = {"source_id": source_id, "variant_label": variant_label, "experiment": experiment}
    depths = {"depth_top": float(top), "depth_bottom": float(bottom)}
    return _on_land(field, fill_cells, where, {**about, **depths})


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


def _of_years(files: list[Path], request: Request) -> list[Path]:
    """Return the files whose names allow a wanted year; raise UserError where there is none."""
    first, last = request.years
    wanted = [path for path in files if _overlaps(path, first, last)]
    if not wanted:
        raise UserError(
            f"no file with {first}-{last} among {', '.join(path.name for path in files)} "
            f"in {files[0].parent} ({request.provider}): add the files of those years"
        )
    return wanted


def _require_layers(path: Path, provider: str, bounds: np.ndarray) -> None:
    """Raise UserError where a file's layers are not those of the files before it."""
    _, others = layers_of(path, provider, "mrsol")
    if others.shape != bounds.shape or not np.allclose(others, bounds, atol=1e-4):
        raise UserError(
            f"layers of mrsol in {path} ({provider}) are {others.tolist()} m; expected "
            f"{bounds.tolist()} as in the files before: keep files of one model only"
        )


def _on_land(
    field: xr.DataArray, fill_cells: int, where: str, about: Mapping[str, str | float]
) -> xr.DataArray:
    """Return the field with near gaps filled and `about` among its attributes."""
    values, filled = fill_gaps(field.values, fill_cells)
    if not np.isfinite(values).any():
        raise UserError(
            f"no land in {where}: every cell is missing; "
            "download the file again, or leave the model out of params.yaml:cmip6.models"
        )
    field = field.copy(data=values)
    field.attrs |= {**about, "filled_cells": filled}
    return field


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
