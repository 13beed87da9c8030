"""Tables of regional trends, period means and series, in long form.

Layers are numbered from 1, the topmost; periods are written as "2071-2100".
"""

from itertools import product as combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from soilfuse.trends import periods as calendar
from soilfuse.trends.mann_kendall import MINIMUM_VALID, normalised, two_sided_p
from soilfuse.trends.periods import Years

if TYPE_CHECKING:
    import pandas as pd


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


def region_table(regional: xr.DataArray, tested: list[Years], alpha: float) -> "pd.DataFrame":
    """Return the trends of (region, season, year, depth) series, one row a period."""
    import pandas as pd

    rows = []
    for region, season, layer in _keys(regional):
        values = regional.sel(region=region, season=season).isel(depth=layer - 1)
        for period in tested:
            key = {"region": region, "season": season, "period": calendar.label(period)}
            found = region_test(values.sel(year=slice(*period)).values, alpha)
            rows.append({**key, "layer": layer, **found})
    return pd.DataFrame(rows)


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
