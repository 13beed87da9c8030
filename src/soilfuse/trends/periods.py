"""Seasons, regions and periods of monthly soil moisture.

A season's value is the plain mean of its months. DJF belongs to the year of its January and takes
the December before; the first year of a file has none, so its DJF is missing (NaN) and drops out
of every mean and trend, while the years after it keep their places.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.grids import months

Years = tuple[int, int]
FIVE = 5


def seasonal_means(monthly: xr.DataArray, where: str) -> xr.DataArray:
    """Return (season, year, ...) float64 means of whole years of monthly values (time, ...).

    Seasons are those of names.SEASONS; the first DJF is NaN. The months may stand in any order.
    Raises UserError that names `where` when one is missing or repeated.
    """
    time = monthly["time"].values
    first, last = int(months.year_of(time).min()), int(months.year_of(time).max())
    keys = months.month_key(months.year_of(time), months.month_of(time))
    months.require_complete(keys, first, last, where)
    years = monthly.values[np.argsort(keys)].reshape(-1, 12, *monthly.shape[1:])
    return xr.DataArray(
        np.stack([_season(years, numbers) for numbers in names.SEASONS.values()]),
        dims=("season", "year", *monthly.dims[1:]),
        coords={
            "season": list(names.SEASONS),
            "year": np.arange(first, last + 1),
            **{str(dim): monthly[dim] for dim in monthly.dims[1:] if dim in monthly.coords},
        },
    )


def _season(years: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """Average months 1 to 12 of (Y, 12, ...) values; months before January come a year earlier."""
    if numbers[0] < numbers[-1]:
        chosen = years[:, [number - 1 for number in numbers]]
        return chosen.mean(axis=1, dtype=np.float64)
    earlier = [number - 1 for number in numbers if number >= numbers[0]]
    own = [number - 1 for number in numbers if number < numbers[0]]
    chosen = np.concatenate([years[:-1, earlier], years[1:, own]], axis=1)
    means = chosen.mean(axis=1, dtype=np.float64)
    return np.concatenate([np.full((1, *means.shape[1:]), np.nan), means])


def regional_means(
    values: xr.DataArray, masks: Mapping[str, np.ndarray], area: np.ndarray
) -> xr.DataArray:
    """Return (region, ...) means of (..., lat, lon) values, weighted by the cells' area (H, W).

    NaN in one cell of a region makes the region's mean NaN: a hole is no silent change of region.
    """
    means = [
        (values.values[..., mask] * area[mask]).sum(axis=-1) / area[mask].sum()
        for mask in masks.values()
    ]
    dims = ("region", *values.dims[:-2])
    kept = {str(dim): values[dim] for dim in values.dims[:-2] if dim in values.coords}
    return xr.DataArray(np.stack(means), dims=dims, coords={"region": list(masks), **kept})


def label(period: Years) -> str:
    """Return how a period is written in files: "2071-2100"."""
    return f"{period[0]}-{period[1]}"


def full_period(seasonal: xr.DataArray) -> Years:
    """Return the first and last year of seasonal means."""
    return int(seasonal["year"][0]), int(seasonal["year"][-1])


def within(seasonal: xr.DataArray, periods: Sequence[Years]) -> list[Years]:
    """Return the periods that lie within the years of the data."""
    first, last = full_period(seasonal)
    return [(a, b) for a, b in periods if first <= a <= b <= last]


def covered(seasonal: xr.DataArray, periods: Sequence[Years]) -> list[Years]:
    """Return the years of the data as a whole, and the periods within them, each once."""
    return list(dict.fromkeys([full_period(seasonal), *within(seasonal, periods)]))


def period_mean(seasonal: xr.DataArray, period: Years) -> xr.DataArray:
    """Return the mean over a period's years, a missing first DJF left out."""
    return seasonal.sel(year=slice(*period)).mean("year", skipna=True)


def five_year_means(seasonal: xr.DataArray) -> xr.DataArray:
    """Return (season, middle_year, ...) means of five years each, up to the last year there is.

    The first years may be left out. NaN where more than one of the five is missing.
    """
    count = seasonal.sizes["year"] // FIVE
    late = seasonal.isel(year=slice(seasonal.sizes["year"] - count * FIVE, None))
    parts = late.coarsen(year=FIVE).construct(year=("middle_year", "of_five"))
    parts = parts.assign_coords(middle_year=parts["year"].mean("of_five")).drop_vars("year")
    return parts.mean("of_five").where(parts.notnull().sum("of_five") >= FIVE - 1)


def percent_change(later: xr.DataArray, earlier: xr.DataArray) -> xr.DataArray:
    """Return 100 (later - earlier) / earlier; NaN where `earlier` is not above 0.

    Of a negative one the sign of the change would be turned round.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return (100 * (later - earlier) / earlier).where(earlier > 0)
