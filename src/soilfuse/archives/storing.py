"""Fetched fields as NetCDF files: equal content gives equal bytes, and nothing readable is lost."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.files import sha256_of_file, written_aside
from soilfuse.room import with_room
from soilfuse.sources.netcdf import BROKEN


def store(dataset: xr.Dataset, variable: str, target: Path, provenance: Mapping[str, str]) -> None:
    """Write an undecoded dataset with its own attributes and those of its provenance.

    Raises UserError where another readable file stands under that name.
    """
    plain = dataset.drop_encoding()
    for stored in plain.variables.values():
        stored.attrs = {name: _attribute(value) for name, value in stored.attrs.items()}
    plain.attrs = {name: _attribute(value) for name, value in dataset.attrs.items()}
    plain.attrs |= provenance
    encoding: dict[Any, dict[str, Any]] = {}
    for name in plain.variables:
        if name != variable:
            # Zarr gives every array a fill value, and CF none to a coordinate.
            plain[name].attrs.pop("_FillValue", None)
            encoding[name] = {"_FillValue": None}
    encoding[variable] = {"zlib": True, "complevel": 4, "shuffle": True}
    with written_aside(target) as aside:
        with with_room(aside) as room:
            plain.to_netcdf(room, engine="h5netcdf", encoding=encoding)
        if target.exists() and sha256_of_file(target) != sha256_of_file(aside):
            refuse_to_replace(target)


def refuse_to_replace(target: Path) -> None:
    """Raise UserError where a readable file stands under that name; a damaged one may go."""
    if target.exists() and readable(target):
        raise UserError(
            f"{target} is there already, and is not what was fetched: other cells, months or "
            "version; it was left as it is: move it away, then fetch again"
        )


def readable(path: Path) -> bool:
    """Tell whether every value of a NetCDF file can be read."""
    try:
        with xr.open_dataset(path, decode_cf=False) as dataset:
            dataset.load()
    except BROKEN:
        return False
    return True


def _attribute(value: Any) -> Any:
    """Return an attribute as NetCDF can hold it."""
    if isinstance(value, str | bytes | int | float | np.generic | np.ndarray) and not isinstance(
        value, bool
    ):
        return value
    if isinstance(value, list) and value and all(isinstance(item, int | float) for item in value):
        return np.array(value)
    return json.dumps(value, sort_keys=True)
