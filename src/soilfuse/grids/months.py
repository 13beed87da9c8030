"""The (year, month) time key that joins every calendar.

A 360-day and a standard calendar share no time stamp, so subtracting their months gives nothing and
no error. Canonical data carry the first day of each month instead, whatever the file's calendar.
"""

import numpy as np

from soilfuse.errors import UserError


def month_axis(first_year: int, last_year: int) -> np.ndarray:
    """Return the (T,) months of whole years as datetime64[ns], first day of each."""
    months = np.arange(f"{first_year}-01", f"{last_year + 1}-01", dtype="datetime64[M]")
    return months.astype("datetime64[ns]")


def month_key(years: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return (T,) datetime64[ns] keys of year and month numbers (1-12)."""
    index = (np.asarray(years) - 1970) * 12 + np.asarray(months) - 1
    return index.astype("datetime64[M]").astype("datetime64[ns]")


def year_of(time: np.ndarray) -> np.ndarray:
    """Return the (T,) calendar years of month keys."""
    return np.asarray(time).astype("datetime64[Y]").astype(int) + 1970


def month_of(time: np.ndarray) -> np.ndarray:
    """Return the (T,) month numbers, 1 to 12, of month keys."""
    return np.asarray(time).astype("datetime64[M]").astype(int) % 12 + 1


def label_of(month: np.datetime64) -> str:
    """Return a month as messages name it, 2000-01."""
    return str(month.astype("datetime64[M]"))


def require_complete(time: np.ndarray, first_year: int, last_year: int, where: str) -> None:
    """Raise UserError naming the missing and repeated months of whole years, and the file."""
    got = np.asarray(time).astype("datetime64[M]")
    wanted = month_axis(first_year, last_year).astype("datetime64[M]")
    missing = np.setdiff1d(wanted, got)
    values, counts = np.unique(got, return_counts=True)
    repeated = values[counts > 1]
    if missing.size:
        shown = ", ".join(str(month) for month in missing[:3])
        more = f" and {missing.size - 3} more" if missing.size > 3 else ""
        raise UserError(
            f"missing month {shown}{more} in {where}; expected every month of "
            f"{first_year}-{last_year}: add the file that holds it"
        )
    if repeated.size:
        raise UserError(
            f"month {repeated[0]} stands {counts.max()} times in {where}; expected once: "
            "remove the overlapping file"
        )
