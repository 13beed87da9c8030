"""The standardised soil moisture index and its trend (Feng et al. 2022, equations 6 and 7).

Letters: T months of whole years, ... any cells.
"""

import numpy as np
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.grids.months import month_of, year_of
from soilfuse.trends.mann_kendall import trend_test
from soilfuse.trends.periods import Years, seasonal_means

DECADE = 10  # years


def ssmi(monthly: np.ndarray, months: np.ndarray, years: Years | None = None) -> np.ndarray:
    """Return (T, ...) float64 (x - mean) / sd, both of the calendar month over `years`.

    monthly: (T, ...) soil moisture in any unit; months: (T,) keys; years: all by default. sd
    divides by n. NaN where a value is missing, and where the sd is 0: a constant has no index.
    Raises UserError where no month lies in `years`.
    """
    values = np.asarray(monthly, np.float64)
    index = np.full(values.shape, np.nan)
    first, last = years or (int(year_of(months).min()), int(year_of(months).max()))
    known = (year_of(months) >= first) & (year_of(months) <= last)
    for number in np.unique(month_of(months)):
        rows = month_of(months) == number
        base = values[rows & known]
        if not len(base):
            raise UserError(
                f"no calendar month {number} in {first}-{last} to standardise by; expected one or "
                "more: give years that the months cover"
            )
        sd = base.std(axis=0)
        # Rounding leaves a constant float32 series a spread.
        sd = np.where(sd > 1e-7 * np.abs(base).max(axis=0), sd, np.nan)
        index[rows] = (values[rows] - base.mean(axis=0)) / sd
    return index


def ssmi_slopes(
    index: np.ndarray, months: np.ndarray, where: str, threads: int = 1
) -> dict[str, np.ndarray]:
    """Return Sen's slope per decade (...) of the yearly and seasonal means of an index (T, ...).

    The median of all pairwise slopes: Feng's equation 7 prints their mean. NaN where fewer than 4
    years are valid. Raises UserError that names `where` unless the months are whole years.
    """
    dims = ("time", *(f"cell_{i}" for i in range(index.ndim - 1)))
    means = seasonal_means(xr.DataArray(index, dims=dims, coords={"time": months}), where)
    return {
        str(season): DECADE * trend_test(means.sel(season=season).values, threads).slope
        for season in means["season"].values
    }
