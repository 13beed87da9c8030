"""Percent change of regional soil moisture by month, season and year (Feng et al. 2022, figure 8).

Letters: T months of whole years, N cells.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.grids.months import year_of
from soilfuse.trends.periods import Years, label, percent_change, period_mean, seasonal_means

if TYPE_CHECKING:
    import pandas as pd

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNITS = (*MONTHS, "MAM", "JJA", "SON", "DJF", "annual")


def north_south(
    lat: np.ndarray, lon: np.ndarray, north_of: float = 35.0, east_of: float = 100.0
) -> dict[str, np.ndarray]:
    """Return (N,) bool of cells east of a meridian, north and south of a parallel, in degrees.

    A cell's centre decides; one on the parallel is south of it, one on the meridian is in neither.
    """
    east = np.asarray(lon) > east_of
    north = np.asarray(lat) > north_of
    return {"north": east & north, "south": east & ~north}


def change_rates(
    monthly: np.ndarray,
    months: np.ndarray,
    masks: Mapping[str, np.ndarray],
    area: np.ndarray,
    where: str,
    reference: Years = names.REFERENCE_PERIOD,
    periods: Sequence[Years] = names.FUTURE_PERIODS,
) -> "pd.DataFrame":
    """Return region, unit (Jan ... annual), period, percent against the reference period, cells.

    monthly: (T, N) of the reference and the periods, one after the other without a gap, so that
    each DJF has the December before it; masks: (N,) of each region; area: (N,) weights. The change
    is that of the area's mean. A month in which a cell lacks a value is left out of the period's
    means, and its year of the annual ones; cells_missing says how many cells have such a gap, and
    the change is NaN where nothing is left. Raises UserError that names `where` for months that are
    missing.
    """
    import pandas as pd

    rows = []
    for region, mask in masks.items():
        missing = int((~np.isfinite(monthly[:, mask])).any(axis=0).sum())
        counts = len(area[mask]), missing
        means = _by_unit(_area_mean(monthly[:, mask], area[mask]), months, where)
        before = period_mean(means, reference)
        for period in periods:
            changed = percent_change(period_mean(means, period), before)
            rows += [
                (region, unit, label(period), float(changed.sel(unit=unit)), *counts)
                for unit in UNITS
            ]
    columns = ["region", "unit", "period", "percent", "cells", "cells_missing"]
    return pd.DataFrame(rows, columns=columns)


def _area_mean(values: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return the (T,) mean of (T, N); NaN without a cell."""
    if not area.size:
        return np.full(len(values), np.nan)
    return np.asarray(values.astype(np.float64) @ (area / area.sum()))


def _by_unit(series: np.ndarray, months: np.ndarray, where: str) -> xr.DataArray:
    """Return (unit, year) means of a (T,) series."""
    seasonal = seasonal_means(
        xr.DataArray(series, dims="time", coords={"time": months}), where
    ).rename(season="unit")
    order = np.argsort(months)
    years = np.unique(year_of(months))
    by_month = xr.DataArray(
        series[order].reshape(-1, 12).T,
        dims=("unit", "year"),
        coords={"unit": list(MONTHS), "year": years},
    )
    return xr.concat([by_month, seasonal], dim="unit")
