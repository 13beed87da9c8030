"""The files between raw data and training: native crops of all climate models, and layered targets.

Equal content gives equal bytes. Letters: M climate models, T months, h, w native, H, W target.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
import scipy.sparse
import xarray as xr

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.files import mending, sha256_of_content
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import bilinear, interpolate
from soilfuse.room import room_aside
from soilfuse.sources.axes import month_keys
from soilfuse.sources.netcdf import REAL, opened
from soilfuse.sources.targets import one_world

PROVIDER = "processed"
TIME_UNITS = "days since 1850-01-01"
EPOCH = np.datetime64("1850-01-01", "D")
COMPRESSION = 1
Months = slice | np.ndarray | None


@dataclass(frozen=True)
class Crop:
    """One model's native field: values (T, h, w) m3 m-3, centres lat (h,) and lon (w,)."""

    values: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    attrs: dict[str, Any]


@dataclass
class ModelCrops:
    """The native crops of M models at the same months; `attrs` are the file's.

    months: how many trailing months a network is given; earlier: the crops of the months right
    before the first, None where there are none (`sources.experiments` sets both); beside: those of
    the experiment before or after, for a method that looks at the years around a month.
    """

    path: Path
    crops: dict[str, Crop]
    time: np.ndarray
    attrs: dict[str, Any]
    months: int = 1
    earlier: "ModelCrops | None" = None
    beside: "ModelCrops | None" = None
    _weights: dict[tuple[str, bytes], scipy.sparse.csr_array] = field(default_factory=dict)

    @property
    def source_ids(self) -> list[str]:
        """Return the M model names, in the order of the second axis of `interpolated`."""
        return list(self.crops)

    def interpolated(self, grid: Grid, times: Months = None) -> np.ndarray:
        """Return (T, M, H, W) float32 of the months `times` (all by default; slice or indices).

        Bilinear, value x valid / valid. Raises UserError where a cell stays empty.
        """
        wanted = slice(None) if times is None else times
        result = np.empty((self.time[wanted].size, len(self.crops), *grid.shape), np.float32)
        for m, (source_id, crop) in enumerate(self.crops.items()):
            weights = self._weights_of(source_id, crop, grid)
            view = interpolate(weights, crop.values[wanted], grid, out=result[:, m])
            finite = np.isfinite(view)
            if not finite.all():
                empty = int((~finite).any(axis=0).sum())
                raise UserError(
                    f"{empty} cells of the grid have no land value of {source_id} in {self.path}; "
                    "expected none: raise params.yaml:cmip6.fill_cells, or leave the model out"
                )
        return result

    def trailing(self, grid: Grid, times: Months = None) -> np.ndarray:
        """Return (T, months, M, H, W) float32: each wanted month last, those before it in order.

        The months before the first are `earlier`'s; where there are none left, the same calendar
        month a year or more later stands in for them.
        """
        last = np.arange(self.time.size)[slice(None) if times is None else times]
        before = 0 if self.earlier is None else self.earlier.time.size
        places = last[:, None] + np.arange(1 - self.months, 1)
        places += 12 * -(-np.maximum(-before - places, 0) // 12)
        needed, position = np.unique(places, return_inverse=True)
        fields = self.interpolated(grid, needed[needed >= 0])
        if self.earlier is not None and (past := needed[needed < 0]).size:
            fields = np.concatenate([self.earlier.interpolated(grid, past + before), fields])
        return fields[position.reshape(places.shape)]

    def inputs(self, grid: Grid, times: Months = None) -> np.ndarray:
        """Return what a network is given: `interpolated`, or `trailing` where months > 1."""
        return self.interpolated(grid, times) if self.months == 1 else self.trailing(grid, times)

    def _weights_of(self, source_id: str, crop: Crop, grid: Grid) -> scipy.sparse.csr_array:
        key = (source_id, grid.lat.tobytes() + b"/" + grid.lon.tobytes())
        if key not in self._weights:
            try:
                self._weights[key] = bilinear(crop.lat, crop.lon, grid)
            except UserError as error:
                where = f"{source_id} in {self.path}"
                raise UserError(*(f"{where}: {line}" for line in error.problems)) from None
        return self._weights[key]


def write_models(path: Path, experiment: str, models: Mapping[str, xr.DataArray]) -> None:
    """Write the crops of all models to one NetCDF file, one group a model in the given order.

    Root attributes: experiment, world (one for all, else UserError), inputs_sha256, source_ids.
    Raises UserError where the models' months differ.
    """
    worlds = {name: str(crop.attrs.get("world", REAL)) for name, crop in models.items()}
    world = one_world(worlds, str(path))
    first = next(iter(models.values()))
    for source_id, crop in models.items():
        if not np.array_equal(crop.time.values, first.time.values):
            raise UserError(
                f"months of {source_id} differ from those of {next(iter(models))} for {path}; "
                "expected the same: read all models for the same years"
            )
    hashes = {name: crop.attrs.get("inputs_sha256", "") for name, crop in models.items()}
    with room_aside(path) as room, h5netcdf.File(room, "w") as file:
        file.attrs["experiment"] = experiment
        file.attrs["inputs_sha256"] = sha256_of_content(hashes)
        file.attrs["source_ids"] = " ".join(models)
        file.attrs["world"] = world
        for source_id, crop in models.items():
            _write_crop(file.create_group(source_id), crop)


def read_models(path: Path) -> ModelCrops:
    """Read what `write_models` wrote; raise UserError where the file is absent or damaged."""
    path = Path(path)
    crops: dict[str, Crop] = {}
    with opened(path, PROVIDER, mending(path)) as file:
        attributes = dict(file.attributes)
        for source_id in str(attributes.get("source_ids", "")).split():
            group = file.group(source_id)
            stored = group.variable(names.SOIL_MOISTURE)
            lat, lon = group.variable("lat").values(), group.variable("lon").values()
            crops[source_id] = Crop(stored.values(), lat, lon, stored.attributes)
            time = month_keys(group, stored)[0]
    if not crops:
        raise UserError(f"no climate model in {path}: {mending(path)}")
    return ModelCrops(path, crops, time, attributes)


def write_field(path: Path, dataset: xr.Dataset) -> None:
    """Write a layered target, whole or not at all, compressed; equal content gives equal bytes."""
    compressed = {"zlib": True, "complevel": COMPRESSION}
    encoding: dict[str, dict[str, Any]] = {
        str(name): compressed if variable.ndim > 2 else {"_FillValue": None}
        for name, variable in dataset.variables.items()
    }
    encoding["time"] |= {"units": TIME_UNITS, "calendar": "standard", "dtype": "int32"}
    with room_aside(path) as room:
        dataset.to_netcdf(room, engine="h5netcdf", encoding=encoding)


def read_field(path: Path) -> xr.Dataset:
    """Read a layered field into memory; raise UserError where it is absent or damaged."""
    path = Path(path)
    with (
        opened(path, PROVIDER, mending(path)),
        xr.open_dataset(path, engine="h5netcdf") as dataset,
    ):
        return dataset.load()


def _write_crop(group: h5netcdf.Group, crop: xr.DataArray) -> None:
    group.dimensions = {str(name): size for name, size in crop.sizes.items()}
    days = (crop.time.values.astype("datetime64[D]") - EPOCH).astype(np.int32)
    time = group.create_variable("time", ("time",), data=days)
    time.attrs.update({"units": TIME_UNITS, "calendar": "standard"})
    for name, units in (("lat", "degrees_north"), ("lon", "degrees_east")):
        axis = group.create_variable(name, (name,), data=crop[name].values.astype(float))
        axis.attrs["units"] = units
    values = crop.values.astype(np.float32)
    stored = group.create_variable(
        names.SOIL_MOISTURE,
        ("time", "lat", "lon"),
        data=values,
        compression="gzip",
        compression_opts=COMPRESSION,
        chunks=values.shape,
        fillvalue=np.float32("nan"),
    )
    stored.attrs.update({key: crop.attrs[key] for key in sorted(crop.attrs)})
