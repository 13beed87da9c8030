"""Tables of regional trends, period means and series, in long form.

Layers are numbered from 1, the topmost; periods are written as "2071-2100".
"""

from itertools import product as combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from soilfuse.config import Trends
from soilfuse.trends import periods as calendar
from soilfuse.trends.mann_kendall import MINIMUM_VALID, normalised, trend_test, two_sided_p
from soilfuse.trends.modified import with_memory
from soilfuse.trends.periods import Years

if TYPE_CHECKING:
    import pandas as pd

SLOPE_ENDS = {"sens_slope_low": "slope_low", "sens_slope_high": "slope_high"}


def region_test(values: np.ndarray, alpha: float) -> dict[str, Any]:
    """Test one regional series (T,), NaN = missing, by pymannkendall, as Li et al. 2024 did.

    Its p, a difference from 1, vanishes for strong trends and is taken from its Z instead.
    """
    import pymannkendall

    n = int(np.isfinite(values).sum())
    if n < MINIMUM_VALID:
        return {"slope": np.nan, "p": np.nan, "z": np.nan, "n": n, "significant": False}
    result = pymannkendall.original_test(values, alpha)
    z = float(normalised(np.asarray(result.s), np.asarray(result.var_s)))
    p = float(two_sided_p(z))
    return {"slope": result.slope, "p": p, "z": z, "n": n, "significant": p < alpha}


def _keys(regional: xr.DataArray) -> list[tuple[str, str, int]]:
    layers = range(1, regional.sizes["depth"] + 1)
    regions, seasons = map(str, regional["region"].values), map(str, regional["season"].values)
    return list(combinations(regions, seasons, layers))


def region_table(regional: xr.DataArray, tested: list[Years], settings: Trends) -> "pd.DataFrame":
    """Return the trends of (region, season, year, depth) series, one row a period.

    Beside the plain test stand the interval of its slope, and p of those with memory.
    """
    import pandas as pd

    made = []
    for first, last in tested:
        part = regional.sel(year=slice(first, last))
        values = part.transpose("year", "region", "season", "depth").values
        made.append((calendar.label((first, last)), values, _told_besides(values, settings)))
    rows = []
    for place, (region, season, layer) in enumerate(_keys(regional)):
        key = {"region": region, "season": season}
        for period, years, more in made:
            found = region_test(years.reshape(len(years), -1)[:, place], settings.alpha)
            besides = {name: float(told.flat[place]) for name, told in more.items()}
            held = {"significant_hamed_rao": besides["p_hamed_rao"] < settings.alpha}
            rows.append({**key, "period": period, "layer": layer, **found, **besides, **held})
    return pd.DataFrame(rows)


def _told_besides(years: np.ndarray, settings: Trends) -> dict[str, np.ndarray]:
    """Return the interval and the tests with memory of (year, region, season, depth) series."""
    found = with_memory(years, trend_test(years, 1), settings, 1)
    return {SLOPE_ENDS.get(name, name): values for name, values in found.items()}


def period_table(
    regional: xr.DataArray, reference: xr.DataArray, reference_period: Years, futures: list[Years]
) -> "pd.DataFrame":
    """Return means of the reference and the future periods, and their change in percent.

    regional: (region, season, year, depth); reference: (region, season, depth), m3 m-3. The change
    is that of the regional mean, not the mean of the cells' changes.
    """
    import pandas as pd

    means = {calendar.label(reference_period): reference}
    means |= {calendar.label(period): calendar.period_mean(regional, period) for period in futures}
    changes = {name: calendar.percent_change(mean, reference) for name, mean in means.items()}
    rows = [
        {
            "region": region,
            "season": season,
            "layer": layer,
            "period": period,
            "mean": float(mean.sel(region=region, season=season)[layer - 1]),
            "change_percent": float(changes[period].sel(region=region, season=season)[layer - 1]),
        }
        for region, season, layer in _keys(regional)
        for period, mean in means.items()
    ]
    return pd.DataFrame(rows)


def series_table(regional: xr.DataArray) -> "pd.DataFrame":
    """Return every value of (region, season, year, depth) series; a missing one has no row."""
    import pandas as pd

    parts = []
    for region, season, layer in _keys(regional):
        values = regional.sel(region=region, season=season).isel(depth=layer - 1)
        columns = {"region": region, "season": season, "layer": layer}
        parts.append(pd.DataFrame({**columns, "year": values["year"].values, "value": values}))
    table = pd.concat(parts, ignore_index=True)
    return table.dropna(subset="value")
