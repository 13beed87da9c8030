"""How the world's NetCDF-4 files are stored: quantised, compressed, the same bytes every time.

Written with h5py: through xarray a small file takes tens of milliseconds, and a world is two
hundred of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from soilfuse.room import with_room

STEP = 2.0**-14  # m3 m-3; coarser than noise, finer than any error: it halves the files
RECORDS_A_CHUNK = 120
NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.{:>10d}"


@dataclass(frozen=True)
class Variable:
    """A variable as it is stored: packed values, dimensions in order, attributes.

    compressed: for maps, in chunks of a stretch of records of whole maps.
    """

    dims: tuple[str, ...]
    values: np.ndarray | np.generic
    attributes: Mapping[str, Any] = field(default_factory=dict)
    compressed: bool = False


def quantised(values: np.ndarray, step: float = STEP) -> np.ndarray:
    """Round float32 values to multiples of a power of two, which compress."""
    scale = np.float32(1 / step)
    return np.round(values.astype(np.float32, copy=False) * scale) / scale


def write(path: Path, variables: Mapping[str, Variable], attributes: Mapping[str, Any]) -> None:
    """Write a NetCDF-4 file of variables and global attributes.

    A variable of one dimension of its own name is that dimension's coordinate. OSError where the
    disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = {
        dim: size
        for variable in variables.values()
        for dim, size in zip(variable.dims, variable.values.shape, strict=True)
    }
    with with_room(path) as room, h5py.File(room, "w", track_order=True) as file:
        for number, (dim, size) in enumerate(sizes.items()):
            if dim in variables:
                _create(file, dim, variables[dim]).make_scale(dim)
            else:
                file.create_dataset(dim, data=np.zeros(size, "f4")).make_scale(
                    NO_VARIABLE.format(size)
                )
            file[dim].attrs["_Netcdf4Dimid"] = np.int32(number)
        for name, variable in variables.items():
            if name not in sizes:
                dataset = _create(file, name, variable)
                for axis, dim in enumerate(variable.dims):
                    dataset.dims[axis].attach_scale(file[dim])
        file.attrs.update(attributes)


def _create(file: h5py.File, name: str, variable: Variable) -> h5py.Dataset:
    values = np.asarray(variable.values)
    settings: dict[str, Any] = {"fillvalue": variable.attributes.get("_FillValue")}
    if variable.compressed:
        ahead = [1] * (values.ndim - 3)
        chunks = (min(values.shape[0], RECORDS_A_CHUNK), *ahead, *values.shape[-2:])
        settings |= {
            "compression": "gzip",
            "compression_opts": 1,
            "shuffle": True,
            "chunks": chunks,
        }
    if values.dtype == object:
        settings["dtype"] = h5py.string_dtype()
    dataset = file.create_dataset(name, data=values, **settings)
    for key, value in variable.attributes.items():
        # NetCDF keeps numbers as vectors, a fill value in the type of its variable.
        dataset.attrs[key] = value if isinstance(value, str) else np.atleast_1d(value)
    return dataset
