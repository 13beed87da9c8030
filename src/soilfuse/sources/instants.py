"""The time axis of a file of records within a day: UTC instants, in order, of the real calendar."""

import cftime
import numpy as np

from soilfuse.errors import UserError
from soilfuse.sources import axes
from soilfuse.sources.coordinates import numbers
from soilfuse.sources.headers import REAL_CALENDARS
from soilfuse.sources.netcdf import BROKEN, RawFile, Stored


def instants(file: RawFile, stored: Stored) -> np.ndarray:
    """Return the (T,) datetime64[s] of a variable's time axis; raise UserError for a bad one."""
    time = file.variable(stored.dims[axes.dimension(file, stored, "time")])
    where = f"{time.name} in {file.path} ({file.provider})"
    units = str(time.attributes.get("units", "")).strip()
    calendar = str(time.attributes.get("calendar", "standard")).lower()
    if calendar not in REAL_CALENDARS:
        raise UserError(
            f"calendar {calendar!r} of {where}; expected one of {', '.join(REAL_CALENDARS)}: mend "
            "the time axis"
        )
    try:
        dates = cftime.num2pydate(numbers(file, time), units, "standard")
        found = np.array([date.replace(tzinfo=None) for date in dates], dtype="datetime64[us]")
    except BROKEN as error:
        raise UserError(
            f"unreadable {where}: units {units!r}: {error}; expected CF, as 'seconds since "
            "1970-01-01': mend the file"
        ) from None
    seconds = (found + np.timedelta64(500, "ms")).astype("datetime64[s]")
    wrong = np.flatnonzero(np.diff(seconds) <= np.timedelta64(0, "s"))
    if wrong.size:
        raise UserError(
            f"{where} does not increase at record {wrong[0] + 1}, {seconds[wrong[0] + 1]}; "
            "expected each record after the one before it: sort the file by time"
        )
    return seconds
