"""What a file says of itself against its name, its own time axis and what was asked for.

A file that opens may still be another model's, another member's, or shifted in time; values do not
tell. Letter: T months or days.
"""

import re

import cftime
import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.months import label_of, month_of, year_of
from soilfuse.sources import axes
from soilfuse.sources.coordinates import time_bounds
from soilfuse.sources.netcdf import RawFile, Stored
from soilfuse.sources.request import Request

PERIOD = re.compile(r"_(\d{4})(\d{2})(?:\d{2})?-(\d{4})(\d{2})(?:\d{2})?\.nc$")
OUTSIDE_DAYS = 2  # that bounds of a month may reach beyond it
LEAST_DAYS = 15  # that bounds of a month must span; some models' span the middle 20 only
LONGEST_MONTH = 31
Period = tuple[np.datetime64, np.datetime64]
REAL_CALENDARS = ("standard", "gregorian", "proleptic_gregorian")  # of what was observed


def require_header(
    file: RawFile, stored: Stored, months: np.ndarray, calendar: str, request: Request
) -> None:
    """Raise UserError where a file's header or time axis contradicts itself or the request.

    months: (T,) keys of all its records, in its order.
    """
    where = f"{file.path} ({request.provider})"
    for name, wanted in request.attributes.items():
        got = str(file.attributes.get(name, wanted))
        if got != wanted:
            raise UserError(
                f"attribute {name} of {where} is {got!r}; expected {wanted!r}: put the right file "
                "there, or give this one its own name"
            )
    if request.calendars and calendar.lower() not in request.calendars:
        raise UserError(
            f"calendar {calendar!r} of {where}; expected one of {', '.join(request.calendars)}: "
            "mend its time axis"
        )
    years = tuple(np.datetime64(f"{year}", "Y").astype("datetime64[M]") for year in request.years)
    whole_years = years[0], years[1] + 11
    _require_period(whole_years if request.exclusive else period_of(file.path.name), months, where)
    _require_order(file, stored, months, request.frequency, where)
    if request.frequency == "mon" and request.complete:
        _require_months(file, stored, months, calendar, where)
    _require_levels(file, request, where)


def period_of(name: str) -> Period | None:
    """Return the first and last month of a file by its name as CMIP gives them."""
    if (named := PERIOD.search(name)) is None:
        return None
    months = [int(named[i]) * 12 + int(named[i + 1]) - 1 - 1970 * 12 for i in (1, 3)]
    return np.datetime64(months[0], "M"), np.datetime64(months[1], "M")


def _require_period(period: Period | None, months: np.ndarray, where: str) -> None:
    """Raise UserError where records lie outside the period of their file's name."""
    if period is None:
        return
    first, last = period
    held = months.astype("datetime64[M]")
    outside = held[(held < first) | (held > last)]
    if outside.size:
        raise UserError(
            f"{where} holds {outside.size} records outside the {first} to {last} of its name, the "
            f"first of {outside[0]}; expected none: mend its time axis (units, calendar, a shift)"
        )


def _require_order(
    file: RawFile, stored: Stored, months: np.ndarray, frequency: str, where: str
) -> None:
    """Raise UserError where time runs backwards, or days stand twice or are no days."""
    time = file.variable(stored.dims[axes.dimension(file, stored, "time")])
    steps = np.diff(np.atleast_1d(time.raw()).astype(float))
    wrong = np.flatnonzero((steps < 0) | ((steps == 0) & (frequency == "day")))
    if wrong.size:
        at = int(wrong[0]) + 1
        raise UserError(
            f"{time.name} in {where} does not increase at record {at}, of {label_of(months[at])}; "
            "expected each record after the one before it: sort the file by time, and leave out "
            "what stands twice"
        )
    counts = np.unique(months, return_counts=True)[1]
    if frequency == "day" and counts.max() > LONGEST_MONTH:
        raise UserError(
            f"month {label_of(np.unique(months)[counts.argmax()])} has {counts.max()} records in "
            f"{where}; expected one a day: average each day first"
        )


def _require_months(
    file: RawFile, stored: Stored, months: np.ndarray, calendar: str, where: str
) -> None:
    """Raise UserError where time bounds are not those of a month of the file's own calendar."""
    time = file.variable(stored.dims[axes.dimension(file, stored, "time")])
    bounds = time_bounds(file, time)
    if bounds is None:
        return
    units = str(time.attributes["units"]).strip()
    starts, ends, day = _month_edges(months, units, calendar)
    outside = (bounds[:, 0] < starts - OUTSIDE_DAYS * day) | (
        bounds[:, 1] > ends + OUTSIDE_DAYS * day
    )
    wrong = outside | (bounds[:, 1] - bounds[:, 0] < LEAST_DAYS * day)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        days = (bounds[at] - starts[at]) / day
        raise UserError(
            f"time bounds of {label_of(months[at])} in {where} run from day {days[0]:g} to day "
            f"{days[1]:g} of that month in the calendar {calendar!r}; expected a whole month: mend "
            "the calendar, or put monthly means there"
        )


def _month_edges(
    months: np.ndarray, units: str, calendar: str
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return (T,) first instants of months and of the months after them, and a day, in `units`."""
    year, month = year_of(months), month_of(months)
    firsts = [
        cftime.datetime(int(y) + int(m) // 12, int(m) % 12 + 1, 1, calendar=calendar)
        for y, m in [*zip(year, month - 1, strict=True), *zip(year, month, strict=True)]
    ]
    edges = np.asarray(cftime.date2num(firsts, units, calendar=calendar), dtype=float)
    here = cftime.datetime(int(year[0]), int(month[0]), 1, calendar=calendar)
    second = cftime.datetime(int(year[0]), int(month[0]), 2, calendar=calendar)
    day = float(cftime.date2num(second, units, calendar=calendar)) - float(
        cftime.date2num(here, units, calendar=calendar)
    )
    return edges[: months.size], edges[months.size :], day


def _require_levels(file: RawFile, request: Request, where: str) -> None:
    """Raise UserError where the levels are not numbered as asked."""
    if request.levels is None or request.level is None or request.level not in file:
        return
    got = tuple(np.ravel(file.variable(request.level).raw()).tolist())
    if got != request.levels:
        raise UserError(
            f"{request.level} in {where} is {', '.join(map(str, got))}; expected "
            f"{', '.join(f'{number:g}' for number in request.levels)} from top to bottom: sort the "
            "layers, or download the file again"
        )
