"""CMIP6 soil moisture in files as ESGF publishes them.

`mrsos` (table Lmon) is the moisture of the upper 10 cm, `mrsol` (Emon) that of each model layer.
What single models do otherwise stands in cmip6_quirks.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.grids.gaps import fill_gaps
from soilfuse.grids.grid import Grid
from soilfuse.sources.cmip6_files import (
    FOLDER,
    LAYERS,
    SURFACE,
    files_of_years,
    find_files,
    header_of,
)
from soilfuse.sources.cmip6_quirks import layers_of_model, quirk_of
from soilfuse.sources.depths import shares
from soilfuse.sources.door import read
from soilfuse.sources.request import Request

__all__ = [
    "FOLDER",
    "find_files",
    "read_model",
    "read_mrsol",
    "read_mrsos",
    "variable_and_table",
]


def read_model(
    root: Path,
    source_id: str,
    variant_label: str,
    experiment: str,
    years: tuple[int, int],
    section: config.Cmip6,
    grid: Grid | None = None,
) -> xr.DataArray:
    """Return canonical soil_moisture (T, h, w) of one model as params.yaml:cmip6 asks for it.

    That is mrsos, or mrsol of table Emon between the two depths of cmip6.depth.
    """
    named, fill = (root, source_id, variant_label), section.fill_cells
    if section.depth is None:
        return read_mrsos(*named, experiment, *years, fill, grid)
    return read_mrsol(*named, LAYERS[1], experiment, *years, *section.depth, fill, grid)


def variable_and_table(section: config.Cmip6) -> tuple[str, str]:
    """Return which variable of which table `read_model` reads."""
    return SURFACE if section.depth is None else LAYERS


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
    Attribute quirk says what was mended of a model's files, if anything (cmip6_quirks).
    """
    quirk = quirk_of(source_id)
    request = Request(
        provider=f"CMIP6 mrsos of {source_id} {experiment}",
        variable="mrsos",
        years=(first_year, last_year),
        grid=grid,
        margin=2 + fill_cells,
        thickness=quirk.mrsos_thickness,
        attributes=header_of(*SURFACE, source_id, experiment, variant_label),
    )
    files = find_files(root, source_id, variant_label, experiment)
    wanted = files_of_years(files, request.years, request.provider)
    about = {"source_id": source_id, "variant_label": variant_label, "experiment": experiment}
    if quirk.mrsos_thickness is not None:
        about["quirk"] = quirk.why
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
    asked = Request(
        provider,
        "mrsol",
        (first_year, last_year),
        grid=grid,
        margin=2 + fill_cells,
        attributes=header_of("mrsol", table, source_id, experiment, variant_label),
    )
    files = find_files(root, source_id, variant_label, experiment, "mrsol", table)
    wanted = files_of_years(files, asked.years, provider)
    level, bounds = layers_of_model(source_id, wanted[0], provider)
    for path in wanted[1:]:
        _require_layers(source_id, path, provider, bounds)
    where = f"{wanted[0]} ({provider})"
    weights = shares(bounds, top, bottom, where)
    layers = read(wanted, replace(asked, level=level, thickness=tuple(np.diff(bounds)[:, 0])))
    used = np.flatnonzero(weights)
    mean = np.tensordot(layers.values[:, used], weights[used], axes=(1, 0)).astype(np.float32)
    field = layers.isel({level: 0}, drop=True).copy(data=mean)
    about = {"source_id": source_id, "variant_label": variant_label, "experiment": experiment}
    if np.array_equal(bounds, (quirk := quirk_of(source_id)).mrsol_layers):
        about["quirk"] = quirk.why
    depths = {"depth_top": float(top), "depth_bottom": float(bottom)}
    return _on_land(field, fill_cells, where, {**about, **depths})


def _require_layers(source_id: str, path: Path, provider: str, bounds: np.ndarray) -> None:
    """Raise UserError where a file's layers are not those of the files before it."""
    _, others = layers_of_model(source_id, path, provider)
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
