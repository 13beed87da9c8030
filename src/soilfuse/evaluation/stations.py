"""Gridded fields against station months, at the cell and layer in which each sensor stands."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from soilfuse.evaluation.cells import holding_cells
from soilfuse.evaluation.metrics import metrics, pair_terms
from soilfuse.grids.grid import Grid

STATION_METRICS = ("n", "mae", "rmse", "mape", "r", "bias", "ubrmse")
SERIES = ["network", "station", "layer"]
STATION_COLUMNS = ["method", "block", *SERIES, *STATION_METRICS]
PRINTED_METRICS = ("mae", "rmse", "mape", "r")  # of figure 5 and table S1 (Li et al. 2024)
QUARTILES = ("q25", "median", "q75")
QUARTILE_COLUMNS = ["method", "block", "layer", "metric", "series", *QUARTILES, "covered"]
MINIMUM_MONTHS = 12  # of a correlation


def matched_rows(
    stations: pd.DataFrame, grid: Grid, months: np.ndarray, layers: int
) -> pd.DataFrame:
    """Return the rows inside the grid, months and layers, with their place in a (T, D, H, W) field.

    stations: network, station, lat, lon, layer, year, month, soil_moisture. Adds t, d, h, w.
    """
    time = np.asarray(months).astype("datetime64[M]").astype(int)
    when = (stations["year"].to_numpy() - 1970) * 12 + stations["month"].to_numpy() - 1
    order = np.argsort(time)
    place = order[np.searchsorted(time, when, sorter=order).clip(max=time.size - 1)]
    north, east, inside = holding_cells(
        grid, stations["lat"].to_numpy(), stations["lon"].to_numpy()
    )
    layer = stations["layer"].to_numpy()
    kept = inside & (time[place] == when) & (layer >= 1) & (layer <= layers)
    placed = stations.assign(t=place, d=layer - 1, h=north, w=east)
    return placed[kept].reset_index(drop=True)


def _series_sums(rows: pd.DataFrame, predicted: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    number = rows.groupby(SERIES, sort=True).ngroup().to_numpy()
    keys = rows[SERIES].drop_duplicates().sort_values(SERIES).reset_index(drop=True)
    terms = pair_terms(predicted, rows["soil_moisture"].to_numpy(dtype=float))
    sums = [np.bincount(number, weights=term, minlength=len(keys)) for term in terms]
    return keys, np.stack(sums, axis=-1)


def station_scores(
    method: str,
    block: str,
    field: np.ndarray,
    months: np.ndarray,
    stations: pd.DataFrame,
    grid: Grid,
) -> pd.DataFrame:
    """Score a field (T, D, H, W) against every station series; one row a station and layer.

    Returns STATION_COLUMNS, m3 m-3 (mape a fraction); n counts the months of a series, and R is
    NaN where they are fewer than 12 or either side is constant. Series without a month in `field`
    are left out.
    """
    rows = matched_rows(stations, grid, months, field.shape[1])
    predicted = field[rows["t"], rows["d"], rows["h"], rows["w"]]
    valid = np.isfinite(predicted) & np.isfinite(rows["soil_moisture"].to_numpy(dtype=float))
    rows, predicted = rows[valid], predicted[valid]
    if rows.empty:
        return pd.DataFrame(columns=STATION_COLUMNS)
    keys, sums = _series_sums(rows, predicted)
    values = metrics(sums, STATION_METRICS)
    table = keys.assign(method=method, block=block, **values)
    table["n"] = table["n"].astype(int)
    table.loc[table["n"] < MINIMUM_MONTHS, "r"] = np.nan
    return table[STATION_COLUMNS]


def station_medians(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the median over station series of each metric, by method, block and layer.

    Adds `series` (how many) and `series_with_r` (how many have a correlation).
    """
    chosen = [metric for metric in STATION_METRICS if metric != "n"]
    grouped = scores.groupby(["method", "block", "layer"], sort=True)
    table = grouped[chosen].median()
    table["series"] = grouped.size()
    table["series_with_r"] = grouped["r"].count()
    return table.reset_index()


def station_quartiles(scores: pd.DataFrame, covered: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return quartiles over station series, a row a method, block, layer and printed metric.

    series: how many have a value, which for R are those of 12 months or more; covered: the share of
    the layer's thickness that the method holds, from (D,) shares by method, 1 without.
    """
    if scores.empty:
        return pd.DataFrame(columns=QUARTILE_COLUMNS)
    scores = scores.astype(dict.fromkeys(PRINTED_METRICS, float))
    parts = []
    for metric in PRINTED_METRICS:
        grouped = scores.groupby(["method", "block", "layer"], sort=True)[metric]
        values = grouped.quantile([0.25, 0.5, 0.75]).unstack()
        values.columns = list(QUARTILES)
        parts.append(values.assign(series=grouped.count(), metric=metric).reset_index())
    made = pd.concat(parts, ignore_index=True)
    made["covered"] = [
        covered[method][layer - 1] if method in covered else 1.0
        for method, layer in zip(made["method"], made["layer"], strict=True)
    ]
    return made.sort_values(QUARTILE_COLUMNS[:4], ignore_index=True)[QUARTILE_COLUMNS]
