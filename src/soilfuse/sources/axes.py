"""The axes of a provider's file: months of any calendar, latitudes and longitudes of any order."""

from dataclasses import dataclass

import cftime
import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import bilinear
from soilfuse.grids.months import month_key
from soilfuse.sources.coordinates import middles_of, numbers, require_one_way
from soilfuse.sources.netcdf import BROKEN, RawFile, Stored

AXIS_NAMES = {  # canonical name: names that providers give the dimension
    "time": ("time", "valid_time"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "longitude"),
}
DEGREES = {  # as CF spells the units, in lower case; degrees alone or nothing at all will do
    "lat": ("degrees_north", "degree_north", "degrees_n", "degree_n", "degreesn", "degreen"),
    "lon": ("degrees_east", "degree_east", "degrees_e", "degree_e", "degreese", "degreee"),
}
YEARS = (1678, 2261)  # what nanoseconds since 1970 can hold
SAME_CENTRE = 1e-4  # degrees


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
    stamp the end of the month, which is the first instant of the next one. Raises UserError where
    the axis cannot be read, or time stamps lie beside their bounds.
    """
    time = file.variable(stored.dims[dimension(file, stored, "time")])
    units = str(time.attributes.get("units", "")).strip()
    calendar = str(time.attributes.get("calendar", "standard"))
    middles = middles_of(file, time)
    try:
        dates = cftime.num2date(middles, units, calendar, only_use_cftime_datetimes=True)
    except BROKEN as error:
        raise UserError(
            f"unreadable time axis in {file.path} ({file.provider}): units {units!r}, calendar "
            f"{calendar!r}: {error}; expected CF, as 'days since 1850-01-01': mend the file"
        ) from None
    dates = np.atleast_1d(dates)
    years = np.array([date.year for date in dates])
    if not (YEARS[0] <= years.min() and years.max() <= YEARS[1]):
        raise UserError(
            f"time in {file.path} ({file.provider}) runs from year {years.min()} to {years.max()}; "
            f"expected {YEARS[0]} to {YEARS[1]}: mend the units {units!r} of its time axis"
        )
    return month_key(years, np.array([date.month for date in dates])), calendar


def require_cover(file: RawFile, lat: Axis, lon: Axis, grid: Grid) -> None:
    """Raise UserError that names the file where its cells do not reach over the whole grid."""
    where = f"{file.path} ({file.provider})"
    corners = Grid(lat=grid.lat[[0, -1]], lon=grid.lon[[0, -1]])
    try:
        bilinear(lat.centres, lon.centres, corners)
    except UserError as error:
        raise UserError(*(f"{where}: {problem}" for problem in error.problems)) from None


def latitudes(file: RawFile, stored: Stored, grid: Grid | None, margin: int) -> Axis:
    """Return the latitude axis, ascending, cut to the grid and `margin` cells around it."""
    centres = _centres(file, stored, "lat", (-90.0, 90.0))
    order = np.argsort(centres)
    if grid is not None:
        order = cells_around(centres, order, grid.lat, margin)
    return _axis(centres, order)


def longitudes(file: RawFile, stored: Stored, grid: Grid | None, margin: int) -> Axis:
    """Return the longitude axis, ascending, in the grid's convention and cut likewise.

    Without a grid the file's own convention, 0-360 or -180-180, is kept.
    """
    centres = _centres(file, stored, "lon", (-180.0, 360.0))
    if grid is None:
        return _axis(centres, np.argsort(centres))
    centres = grid.turned(centres)
    return _axis(centres, cells_around(centres, np.argsort(centres), grid.lon, margin))


def _centres(file: RawFile, stored: Stored, axis: str, allowed: tuple[float, float]) -> np.ndarray:
    """Return the cell centres in the file's order; raise UserError where they make no axis."""
    coordinate = file.variable(stored.dims[dimension(file, stored, axis)])
    where = f"{coordinate.name} in {file.path} ({file.provider})"
    if len(coordinate.shape) != 1:
        raise UserError(
            f"{where} has {len(coordinate.shape)} dimensions; expected one, of a grid along "
            "longitudes and latitudes: interpolate to such a grid first"
        )
    units = str(coordinate.attributes.get("units", "")).strip().lower()
    if units not in ("", "degrees", "degree", *DEGREES[axis]):
        raise UserError(
            f"{where} has units {units!r}; expected {DEGREES[axis][0]}: mend them, or interpolate "
            "to a longitude-latitude grid first"
        )
    centres = numbers(file, coordinate)
    # Single precision turns 30.9 into 30.8999996, which would overlap the next cell.
    centres = np.round(centres, 5) if coordinate.raw().dtype == np.float32 else centres
    low, high = allowed
    if centres.size == 0 or not (centres.min() >= low and centres.max() <= high + 1e-3):
        ends = f"{centres.min():g} to {centres.max():g}" if centres.size else "nothing to nothing"
        raise UserError(
            f"{where} runs from {ends}; expected degrees from {low:g} to {high:g}: mend the "
            "coordinate"
        )
    require_one_way(centres, axis, where)
    return centres


def cells_around(
    centres: np.ndarray, order: np.ndarray, target: np.ndarray, margin: int
) -> np.ndarray:
    """Return the part of `order`, which sorts centres, over the target and `margin` cells more."""
    ascending = centres[order]
    # Files of one model differ in the last digits: a centre on the edge is on it in all of them.
    first = int(np.searchsorted(ascending, target[0] + SAME_CENTRE, side="right")) - 1 - margin
    last = int(np.searchsorted(ascending, target[-1] - SAME_CENTRE, side="left")) + margin
    return order[max(first, 0) : last + 1]


def _axis(centres: np.ndarray, order: np.ndarray) -> Axis:
    if order.size == 0:
        return Axis(centres[order], slice(0, 0), order)
    start = int(order.min())
    return Axis(centres[order], slice(start, int(order.max()) + 1), order - start)
