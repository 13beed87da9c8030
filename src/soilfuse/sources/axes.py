"""The axes of a provider's file: months of any calendar, latitudes and longitudes of any order."""

from dataclasses import dataclass

import cftime
import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_key
from soilfuse.sources.netcdf import RawFile, Stored

AXIS_NAMES = {  # canonical name: names that providers give the dimension
    "time": ("time", "valid_time"),
    "lat": ("lat", "latitude", "rlat"),
    "lon": ("lon", "longitude", "rlon"),
}


@dataclass(frozen=True)
class Axis:
    """Part of a file's axis: read `window`, then take `order` to have ascending `centres`."""

    centres: np.ndarray
    window: slice
    order: np.ndarray


def dimension(file: RawFile, stored: Stored, axis: str) -> int:
    """Return which dimension of a variable is `time`, `lat` or `lon`, else raise UserError."""
    for position, name in enumerate(stored.dims):
        if name in AXIS_NAMES[axis]:
            return position
    raise UserError(
        f"no {axis} dimension in {stored.name} of {file.path} ({file.provider}); got "
        f"({', '.join(stored.dims)}), expected one of {', '.join(AXIS_NAMES[axis])}: "
        "interpolate to a longitude-latitude grid first"
    )


def month_keys(file: RawFile, stored: Stored) -> tuple[np.ndarray, str]:
    """Return (T,) datetime64[ns] month keys of a variable's time axis, and the file's calendar.

    The middle of the time bounds decides where there are bounds around the time stamp: some models
    stamp the end of the month, which is the first instant of the next one.
    """
    time = file.variable(stored.dims[dimension(file, stored, "time")])
    units = str(time.attributes.get("units", "")).strip()
    calendar = str(time.attributes.get("calendar", "standard"))
    try:
        dates = cftime.num2date(
            _middles(file, time), units, calendar, only_use_cftime_datetimes=True
        )
    except (ValueError, OverflowError) as error:
        raise UserError(
            f"unreadable time axis in {file.path} ({file.provider}): units {units!r}, calendar "
            f"{calendar!r}: {error}; expected CF, as 'days since 1850-01-01': mend the file"
        ) from None
    dates = np.atleast_1d(dates)
    years = np.array([date.year for date in dates])
    return month_key(years, np.array([date.month for date in dates])), calendar


def latitudes(file: RawFile, stored: Stored, grid: Grid | None, margin: int) -> Axis:
    """Return the latitude axis, ascending, cut to the grid and `margin` cells around it."""
    centres = _centres(file, stored, "lat", (-90.0, 90.0))
    order = np.argsort(centres)
    if grid is not None:
        order = _cut(centres, order, grid.lat, margin)
    return _axis(centres, order)


def longitudes(file: RawFile, stored: Stored, grid: Grid | None, margin: int) -> Axis:
    """Return the longitude axis, ascending, in the grid's convention and cut likewise.

    Without a grid the file's own convention, 0-360 or -180-180, is kept.
    """
    centres = _centres(file, stored, "lon", (-180.0, 360.0))
    if grid is None:
        return _axis(centres, np.argsort(centres))
    middle = (grid.lon[0] + grid.lon[-1]) / 2
    centres = (centres - middle + 180) % 360 + middle - 180
    return _axis(centres, _cut(centres, np.argsort(centres), grid.lon, margin))


def _middles(file: RawFile, time: Stored) -> np.ndarray:
    stamps = np.atleast_1d(time.raw()).astype(float)
    name = str(time.attributes.get("bounds", "time_bnds"))
    if name not in file:
        return stamps
    bounds = file.variable(name).raw()
    if bounds.shape != (stamps.size, 2):
        return stamps
    around = (bounds[:, 0] <= stamps) & (stamps <= bounds[:, 1]) & (bounds[:, 0] < bounds[:, 1])
    return np.where(around, bounds.mean(axis=1), stamps)


def _centres(file: RawFile, stored: Stored, axis: str, allowed: tuple[float, float]) -> np.ndarray:
    coordinate = file.variable(stored.dims[dimension(file, stored, axis)])
    centres = coordinate.values()
    # Single precision turns 30.9 into 30.8999996, which would overlap the next cell.
    centres = np.round(centres.astype(float), 5) if centres.dtype == np.float32 else centres
    low, high = allowed
    if centres.size == 0 or not (centres.min() >= low and centres.max() <= high + 1e-3):
        raise UserError(
            f"{coordinate.name} in {file.path} ({file.provider}) runs from {centres.min():g} to "
            f"{centres.max():g}; expected degrees from {low:g} to {high:g}: mend the coordinate"
        )
    if np.unique(centres).size != centres.size:
        raise UserError(
            f"{coordinate.name} in {file.path} ({file.provider}) repeats a value; expected each "
            "once: mend the coordinate"
        )
    return centres


def _cut(centres: np.ndarray, order: np.ndarray, target: np.ndarray, margin: int) -> np.ndarray:
    ascending = centres[order]
    first = int(np.searchsorted(ascending, target[0], side="right")) - 1 - margin
    last = int(np.searchsorted(ascending, target[-1], side="left")) + margin
    return order[max(first, 0) : last + 1]


def _axis(centres: np.ndarray, order: np.ndarray) -> Axis:
    if order.size == 0:
        return Axis(centres[order], slice(0, 0), order)
    start = int(order.min())
    return Axis(centres[order], slice(start, int(order.max()) + 1), order - start)
