"""The CF-1.11 NetCDF file of one experiment, streamed, checked, and only then in its place."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np

from soilfuse import names
from soilfuse.checks import Check
from soilfuse.files import written_aside
from soilfuse.grids.regions import Regions
from soilfuse.inference.prediction import Prediction
from soilfuse.product import layout
from soilfuse.product.checks import Limits, require
from soilfuse.product.gate import inspect
from soilfuse.product.static_fields import static_fields
from soilfuse.room import Room, with_room

SOURCES = {  # variable -> the part of a prediction that it holds
    names.SOIL_MOISTURE: "mean",
    layout.FOLD_SPREAD: "fold_spread",
    layout.MODEL_SPREAD: "model_spread",
    layout.OUTSIDE: "outside",
    layout.LEAVE_ONE_OUT: "leave_one_out",
}
COMPRESSION: dict[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def write_product(
    path: Path,
    experiment: str,
    regions: Regions,
    time: np.ndarray,
    depth_bounds: np.ndarray,
    predictions: Iterable[Prediction],
    attributes: Mapping[str, str],
    significant_digits: int,
    limits: Limits,
    left_out: str = "",
) -> list[Check]:
    """Write a product from predictions in batches of months; return the release gate's checks.

    time: (T,) months; depth_bounds: (D, 2) m; predictions: T months in all, any batch sizes;
    attributes: global ones, see `attributes.product_attributes`. Soil moisture is rounded to
    `significant_digits`, its spreads to two. left_out: how climate models were left out one by one,
    empty for a product without what comes of that. Equal arguments give equal bytes. UserError
    where the gate refuses the file, ValueError where predictions are not T months; `path` is then
    as before.
    """
    with written_aside(path) as aside:
        with with_room(aside) as room, h5netcdf.File(room, "w") as file:
            file.attrs.update(layout.characters(attributes))
            axes = layout.axis_values(regions.grid, time, depth_bounds)
            bits = layout.bits_of(significant_digits)
            _define(file, axes, regions, bits, layout.monthly(left_out))
            _fill(file, predictions, bits, room)
        checks = inspect(aside, experiment, limits)
        require(checks, Path(path))
    return checks


def _define(
    file: h5netcdf.File,
    axes: Mapping[str, tuple[np.ndarray, np.ndarray]],
    regions: Regions,
    bits: Mapping[str, int],
    monthly: layout.Variables,
) -> None:
    """Write axes and static fields, and lay out the monthly variables."""
    file.dimensions = {name: centres.size for name, (centres, _) in axes.items()} | {"bnds": 2}
    for name, (centres, bounds) in axes.items():
        axis = file.create_variable(name, (name,), data=centres)
        axis.attrs.update(layout.characters(layout.AXES[name]))
        file.create_variable(layout.AXES[name]["bounds"], (name, "bnds"), data=bounds)
    for name, described in (("crs", layout.CRS), ("quantization_info", layout.QUANTIZATION)):
        empty = file.create_variable(name, (), data=np.int32(0))
        empty.attrs.update(layout.characters(described))
    for name, (values, attributes) in static_fields(regions).items():
        field = file.create_variable(name, ("lat", "lon"), data=values, **COMPRESSION)
        field.attrs.update(layout.characters(attributes))
    for name, (dims, attributes) in monthly.items():
        shape = tuple(axes[dim][0].size for dim in dims)
        variable = file.create_variable(
            name,
            dims,
            dtype=np.float32 if name in bits else np.int8,
            fillvalue=layout.FLOAT_FILL if name in bits else None,
            chunks=layout.chunks_of(shape),
            **COMPRESSION,
        )
        told = {**attributes, **layout.ON_GRID}
        if name in bits:
            told |= {"quantization": "quantization_info", layout.BITS: np.int32(bits[name])}
        variable.attrs.update(layout.characters(told))


def _fill(
    file: h5netcdf.File, predictions: Iterable[Prediction], bits: Mapping[str, int], room: Room
) -> None:
    """Write the months, a whole row of chunks at a time, so that no chunk is packed twice."""
    months, start = file.dimensions["time"].size, 0
    for block in _aligned(predictions, layout.TIME_CHUNK):
        stop = start + len(block.mean)
        if stop > months:
            raise ValueError(f"predictions hold more than the {months} months of the time axis")
        for name, part in SOURCES.items():
            if name not in file.variables:
                continue
            values = getattr(block, part)
            if values is None:
                raise ValueError(f"predictions hold no {part}, which the product is to have")
            rounded = _stored(values, bits[name]) if name in bits else values.astype(np.int8)
            file.variables[name][start:stop] = rounded
            room.require()
        start = stop
    if start < months:
        raise ValueError(f"predictions hold {start} of the {months} months of the time axis")


def _stored(values: np.ndarray, bits: int) -> np.ndarray:
    return np.where(np.isnan(values), layout.FLOAT_FILL, layout.rounded(values, bits))


def _aligned(predictions: Iterable[Prediction], length: int) -> Iterator[Prediction]:
    """Regroup batches of any sizes into blocks of `length` months and a shorter last one."""
    waiting: list[Prediction] = []
    for prediction in predictions:
        waiting.append(prediction)
        while sum(len(part.mean) for part in waiting) >= length:
            joined = _joined(waiting)
            yield _months(joined, slice(None, length))
            rest = _months(joined, slice(length, None))
            waiting = [rest] if len(rest.mean) else []
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[Prediction]) -> Prediction:
    return Prediction(
        **{name: np.concatenate([getattr(p, name) for p in parts]) for name in _held(parts[0])}
    )


def _months(prediction: Prediction, chosen: slice) -> Prediction:
    held = _held(prediction)
    return Prediction(**{name: getattr(prediction, name)[chosen] for name in held})


def _held(prediction: Prediction) -> list[str]:
    """Return the parts that a prediction has; some are there only where they were asked for."""
    names = [field.name for field in fields(Prediction)]
    return [name for name in names if getattr(prediction, name) is not None]
