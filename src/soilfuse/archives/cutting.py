"""CMIP6 fields cut to a region and to whole years, as stored: no unit, calendar or gap is changed.

Letters: T months, h, w native latitudes and longitudes.
"""

from dataclasses import dataclass

import cftime
import numpy as np
import xarray as xr

from soilfuse.archives.wanted import Region, Wanted
from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis, month_key
from soilfuse.sources.axes import AXIS_NAMES, cells_around


@dataclass(frozen=True)
class Cut:
    """Part of an undecoded dataset, in memory, and its (T,) months as keys."""

    dataset: xr.Dataset
    months: np.ndarray


def cut(dataset: xr.Dataset, wanted: Wanted, region: Region, where: str) -> Cut:
    """Return the wanted years and cells of an undecoded dataset; only those are read.

    Every variable along the field's axes is cut with it, all others are kept whole. T may be 0.
    Raises UserError that names `where` for axes that are no longitudes and latitudes.
    """
    if wanted.variable not in dataset:
        raise UserError(
            f"no {wanted.variable} in {where}; it holds {', '.join(map(str, dataset.variables))}: "
            "leave the model out of params.yaml:cmip6.models"
        )
    field = dataset[wanted.variable]
    time, lat, lon = (_dimension(field, axis, where) for axis in AXIS_NAMES)
    months = _month_keys(dataset, time, where)
    records = np.flatnonzero(np.isin(months, month_axis(*wanted.years)))
    grid, margin = region.grid, region.margin
    rows = _around(dataset[lat].values.astype(float), grid.lat, margin)
    columns = _around(grid.turned(dataset[lon].values.astype(float)), grid.lon, margin)
    part = dataset.isel({time: _slice(records), lat: _slice(rows), lon: _slice(columns)})
    return Cut(part.load(), months[records])


def require_months(months: np.ndarray, years: tuple[int, int], where: str) -> None:
    """Raise UserError unless (T,) months are each month of the years, once."""
    expected = month_axis(*years)
    missing = np.setdiff1d(expected, months).astype("datetime64[M]")
    more = f" and {missing.size - 1} more months" if missing.size > 1 else ""
    found = f"lacks {missing[0]}{more}" if missing.size else ""
    if not missing.size and months.size != expected.size:
        found = f"has {months.size} months"
    if found:
        raise UserError(
            f"{where} {found}; expected each month of {years[0]}-{years[1]} once: fetch again, "
            "or from the other archive (--from), or leave the model out of params.yaml:cmip6.models"
        )


def _dimension(field: xr.DataArray, axis: str, where: str) -> str:
    for name in AXIS_NAMES[axis]:
        if name in field.dims and name in field.coords:
            return name
    raise UserError(
        f"no {axis} axis of {field.name} in {where}; got ({', '.join(map(str, field.dims))}), "
        f"expected {' or '.join(AXIS_NAMES[axis])}: regrid such a model by other means, or leave "
        "it out of params.yaml:cmip6.models"
    )


def _month_keys(dataset: xr.Dataset, time: str, where: str) -> np.ndarray:
    """Return (T,) months of the middles of the time bounds, where there are bounds.

    Some models stamp the end of a month, which is the first instant of the next.
    """
    stamps = dataset[time].values
    units, calendar = (str(dataset[time].attrs.get(key, "")) for key in ("units", "calendar"))
    name = dataset[time].attrs.get("bounds")
    if name in dataset and dataset[name].shape == (stamps.size, 2):
        low, high = dataset[name].values.T
        around = (low <= stamps) & (stamps <= high) & (low < high)
        stamps = np.where(around, (low + high) / 2, stamps)
    try:
        dates = cftime.num2date(
            stamps, units, calendar or "standard", only_use_cftime_datetimes=True
        )
    except (ValueError, OverflowError) as error:
        raise UserError(
            f"unreadable time axis in {where}: units {units!r}, calendar {calendar!r}: {error}; "
            "expected CF: leave the model out of params.yaml:cmip6.models"
        ) from None
    years = np.array([date.year for date in dates])
    return month_key(years, np.array([date.month for date in dates]))


def _around(centres: np.ndarray, target: np.ndarray, margin: int) -> np.ndarray:
    """Return ascending indices of the cells over the target and `margin` cells on each side."""
    return np.sort(cells_around(centres, np.argsort(centres), target, margin))


def _slice(indices: np.ndarray) -> slice | np.ndarray:
    """Return a slice where indices are consecutive: stores read it in fewer pieces."""
    if indices.size and indices[-1] - indices[0] + 1 == indices.size:
        return slice(int(indices[0]), int(indices[-1]) + 1)
    return indices
