"""Maps of every test, season by season and period by period.

The plain test is made in every cell. The tests that take memory into account, the interval of the
slope and field significance are of the regions' cells: those are what is reported, and what is
counted when many tests are made.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.config import Trends
from soilfuse.grids import months
from soilfuse.trends import periods as calendar
from soilfuse.trends.field_significance import false_discovery
from soilfuse.trends.mann_kendall import trend_test
from soilfuse.trends.modified import with_memory
from soilfuse.trends.periods import Years
from soilfuse.trends.seasonal_kendall import seasonal_kendall

PER_YEAR = {"units": "year-1", "long_name": "Sen's slope of soil moisture"}
MANN_KENDALL = "Mann-Kendall test with ties"
EVERYWHERE = ("sens_slope", "p_value", "z", "significant")


class Variable(NamedTuple):
    """What a map says of itself, and how its numbers are kept."""

    attributes: Mapping[str, Any]
    kind: Any = np.float32


def variables(settings: Trends) -> dict[str, Variable]:
    """Return the maps (season, period, depth, lat, lon) by name."""
    level, alpha, rate = settings.confidence, settings.alpha, settings.false_discovery_rate

    def p(test: str) -> Variable:
        return Variable({"units": "1", "long_name": f"two-sided p of the {test}"})

    def end(which: str) -> Variable:
        named = f"{which} end of the {level:.0%} interval of Sen's slope of soil moisture"
        return Variable({"units": "year-1", "long_name": named})

    return {
        "sens_slope": Variable(PER_YEAR),
        "p_value": p(MANN_KENDALL),
        "z": Variable({"units": "1", "long_name": f"normalised statistic of the {MANN_KENDALL}"}),
        "significant": Variable({"long_name": f"p_value below {alpha:g}"}, np.int8),
        "sens_slope_low": end("lower"),
        "sens_slope_high": end("upper"),
        "p_hamed_rao": p(
            f"Mann-Kendall test with the variance of Hamed and Rao 1998, "
            f"{settings.hamed_rao_lags or 'all'} lags"
        ),
        "p_yue_wang": p("Mann-Kendall test with the variance of Yue and Wang 2004, lag one"),
        "p_prewhitened": p("Mann-Kendall test of the series prewhitened without its trend"),
        "significant_fdr": Variable(
            {
                "long_name": "p_hamed_rao significant among all cells of the regions at a false "
                f"discovery rate of {rate:g} (Benjamini and Hochberg 1995)"
            },
            np.int8,
        ),
    }


def tested_maps(
    seasonal: xr.DataArray,
    tested: Sequence[Years],
    inside: np.ndarray,
    settings: Trends,
    threads: int,
) -> xr.Dataset:
    """Test (season, year, depth, lat, lon) means in each of the periods; inside: (lat, lon)."""
    described = variables(settings)
    shape = (seasonal.sizes["season"], len(tested), *seasonal.shape[2:])
    maps = {
        name: np.full(shape, 0 if one.kind is np.int8 else np.nan, one.kind)
        for name, one in described.items()
    }
    for j, period in enumerate(tested):
        years = seasonal.sel(year=slice(*period)).values
        for i in range(shape[0]):
            found = trend_test(years[i], threads)
            everywhere = (found.slope, found.p, found.z, found.p < settings.alpha)
            for name, values in zip(EVERYWHERE, everywhere, strict=True):
                maps[name][i, j] = values
            for name, values in _inside(years[i][..., inside], settings, threads).items():
                maps[name][i, j][..., inside] = values
    dims = ("season", "period", *seasonal.dims[2:])
    return xr.Dataset(
        {name: (dims, maps[name], dict(one.attributes)) for name, one in described.items()},
        coords={
            "season": seasonal["season"],
            "period": [calendar.label(period) for period in tested],
            **{str(dim): seasonal[dim] for dim in seasonal.dims[2:]},
        },
    )


def _inside(series: np.ndarray, settings: Trends, threads: int) -> dict[str, np.ndarray]:
    """Test (year, depth, C) series of the regions' cells."""
    found = with_memory(series, trend_test(series, threads), settings, threads)
    rate = settings.false_discovery_rate
    held = [false_discovery(layer, rate) for layer in found["p_hamed_rao"]]
    return {**found, "significant_fdr": np.stack(held)}


def seasonal_maps(
    monthly: xr.DataArray, tested: Sequence[Years], inside: np.ndarray, threads: int
) -> xr.Dataset:
    """Test (time, depth, lat, lon) months of whole years by the seasonal Kendall test.

    The months may stand in any order.
    Returns slope and p (period, depth, lat, lon), NaN outside.
    """
    shape = (len(tested), *monthly.shape[1:])
    slope, p = (np.full(shape, np.nan, np.float32) for _ in range(2))
    order = np.argsort(monthly["time"].values)
    years = months.year_of(monthly["time"].values[order])
    for j, (first, last) in enumerate(tested):
        series = monthly.values[order[(years >= first) & (years <= last)]][..., inside]
        found = seasonal_kendall(series, correlated=True, threads=threads)
        slope[j][..., inside], p[j][..., inside] = found.slope, found.p
    dims = ("period", *monthly.dims[1:])
    test = "seasonal Kendall test with the covariance of the months (Hirsch and Slack 1984)"
    about = {**PER_YEAR, "long_name": f"slope of {names.SOIL_MOISTURE} within calendar months"}
    return xr.Dataset(
        {
            "seasonal_sens_slope": (dims, slope, about),
            "p_seasonal_kendall": (
                dims,
                p,
                {"units": "1", "long_name": f"two-sided p of the {test}"},
            ),
        }
    )
