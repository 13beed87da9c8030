"""Stage trends of studies/china: slopes of the standardised index, and change rates.

The index takes a constant away from each calendar month and divides by its own spread: delta
change, which is the ensemble mean and such a constant, has the ensemble mean's index.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from soilfuse import layout, names
from soilfuse.config import ChinaStudy
from soilfuse.grids.regions import regions_of
from soilfuse.inference.china.fields import (
    CLIMATOLOGY,
    ENSEMBLE_MEAN,
    PREDICTED,
    TRUTH,
    YNET,
    Cells,
    Fields,
    layer_on_cells,
    read_fields,
    with_simple_methods,
    write_tables,
)
from soilfuse.room import room_aside
from soilfuse.sources.processed import read_field
from soilfuse.trends.change_rates import change_rates, north_south
from soilfuse.trends.ssmi import ssmi, ssmi_slopes

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("slopes", "change")


@dataclass(frozen=True)
class Changes:
    """Slopes per decade (method, season, lat, lon), and the tables of slopes and change rates."""

    slopes: xr.Dataset
    tables: "dict[str, pd.DataFrame]"


def changes(scenario: str, params: ChinaStudy) -> Changes:
    """Return what a scenario does to soil moisture in YNet, the models' mean and the truth."""
    import pandas as pd

    regions = regions_of(params.domain)
    cells = Cells.of(regions)
    found = _fields(scenario, cells, params)
    split = north_south(cells.lat, cells.lon, params.analysis.north_of, params.analysis.east_of)
    rates = [
        change_rates(values, found.months, split, cells.area, scenario).assign(method=method)
        for method, values in found.values.items()
        if method != CLIMATOLOGY
    ]
    future = found.within(*names.EXPERIMENT_YEARS[scenario])
    slopes = {
        method: ssmi_slopes(
            ssmi(future.values[method], future.months),
            future.months,
            f"{method} of {scenario}",
            params.compute.threads,
        )
        for method in (YNET, ENSEMBLE_MEAN, TRUTH)
        if method in future.values
    }
    tables = {
        "slopes": _slope_table(slopes, cells, split),
        "change": pd.concat(rates, ignore_index=True),
    }
    maps = np.stack([[cells.on_map(x) for x in seasons.values()] for seasons in slopes.values()])
    stacked = xr.DataArray(
        maps.astype(np.float32),
        dims=("method", "season", "lat", "lon"),
        coords={
            "method": list(slopes),
            "season": list(names.SEASONS),
            "lat": regions.grid.lat,
            "lon": regions.grid.lon,
        },
        attrs={"units": "decade-1", "long_name": "Sen slope of SSMI"},
    )
    return Changes(xr.Dataset({"slope": stacked}, attrs={"world": found.world}), tables)


def _fields(scenario: str, cells: Cells, params: ChinaStudy) -> Fields:
    """Return the reference years and the scenario, of all methods and of the truth if there is."""
    historical = read_fields(PREDICTED / f"{names.HISTORICAL}.nc")
    target = layer_on_cells(read_field(layout.ERA5_LAND), cells)
    train = params.pretrain.train_years
    reference = historical.within(names.REFERENCE_PERIOD[0], names.LAST_HISTORICAL)
    whole = read_fields(PREDICTED / f"{scenario}.nc").after(reference)
    made = with_simple_methods(whole, historical, target, train)
    folder = Path(params.raw_root) / "truth"
    paths = [folder / f"truth_{name}.nc" for name in (names.HISTORICAL, scenario)]
    if not all(path.exists() for path in paths):
        return made
    before, after = (layer_on_cells(read_field(path), cells) for path in paths)
    true = after.after(before.within(names.REFERENCE_PERIOD[0], names.LAST_HISTORICAL))
    return Fields({**made.values, TRUTH: true.values[TRUTH]}, made.months, made.world)


def _slope_table(
    slopes: Mapping[str, Mapping[str, np.ndarray]], cells: Cells, split: Mapping[str, np.ndarray]
) -> "pd.DataFrame":
    """Return method, region, season, mean slope, share of the area that dries, and its errors.

    rmse and spatial_r are against the truth's slopes, NaN where there is no truth. Means are over
    the cells that have a slope, NaN where none has; cells_missing counts the others.
    """
    import pandas as pd

    regions = {**cells.zones, **split}
    rows = []
    for method, seasons in slopes.items():
        for season, slope in seasons.items():
            true = slopes[TRUTH][season] if TRUTH in slopes else np.full_like(slope, np.nan)
            for region, mask in regions.items():
                own = {"method": method, "region": region, "season": season}
                found = slope_scores(slope[mask], true[mask], cells.area[mask])
                rows.append({**own, **found})
    return pd.DataFrame(rows)


def slope_scores(slope: np.ndarray, true: np.ndarray, area: np.ndarray) -> dict[str, float]:
    """Return the scores of a region's slopes (N,) against the truth's, both per decade.

    The mean and the share that dries are over the cells with a slope, the errors over those that
    have both; NaN without any, spatial_r also with fewer than three or a constant map.
    """
    known, both = np.isfinite(slope), np.isfinite(slope) & np.isfinite(true)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights, shared = area[known] / area[known].sum(), area[both] / area[both].sum()
        square = ((slope[both] - true[both]) ** 2 * shared).sum() if both.any() else np.nan
    return {
        "slope": float((slope[known] * weights).sum()) if known.any() else float("nan"),
        "share_drying": float(weights[slope[known] < 0].sum()) if known.any() else float("nan"),
        "rmse": float(np.sqrt(square)),
        "spatial_r": _pattern_r(slope[both], true[both], shared),
        "cells": int(known.sum()),
        "cells_missing": int((~known).sum()),
    }


def _pattern_r(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted correlation of two maps (N,)."""
    if len(one) < 3:
        return float("nan")
    spread = np.cov(one, other, aweights=weights)
    # Rounding leaves a constant map a variance.
    moving = [
        spread[i, i] > 1e-13 * float(weights @ values**2) for i, values in enumerate((one, other))
    ]
    if not all(moving):
        return float("nan")
    return float(spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1]))


def write_changes(folder: Path, found: Changes) -> None:
    """Write slopes.csv, change.csv and slopes.nc."""
    write_tables(folder, found.tables)
    packing = {"slope": {"zlib": True, "complevel": 1}}
    with room_aside(folder / "slopes.nc") as room:
        found.slopes.to_netcdf(room, engine="h5netcdf", encoding=packing)


def read_changes(folder: Path) -> Changes:
    """Return what `write_changes` wrote."""
    import pandas as pd

    tables = {name: pd.read_csv(folder / f"{name}.csv") for name in TABLES}
    return Changes(xr.load_dataset(folder / "slopes.nc", engine="h5netcdf"), tables)
