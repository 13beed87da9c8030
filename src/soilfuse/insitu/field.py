"""The in-situ field and its label probability (Li et al. 2024, Algorithm 1 and equation 9)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from soilfuse import config
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_of, year_of
from soilfuse.insitu.boxes import grid_prediction
from soilfuse.insitu.cells import nearest_cells
from soilfuse.insitu.table import rows_in_months
from soilfuse.seeding import derive_seed, generator

FEATURES = ["year", "month", "layer", "lat", "lon"]


def fit_regressor(stations: pd.DataFrame, settings: config.Insitu, seed: int, threads: int) -> Any:
    """Fit soil moisture (m3 m-3) on FEATURES; returns a RandomForestRegressor."""
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=settings.trees,
        min_samples_leaf=settings.min_samples_leaf,
        random_state=derive_seed(seed, "insitu", "regression"),
        n_jobs=threads,
    )
    return forest.fit(stations[FEATURES].to_numpy(), stations["soil_moisture"].to_numpy())


def _domain_rows(
    stations: pd.DataFrame, grid: Grid, months: np.ndarray, layers: Sequence[int]
) -> pd.DataFrame:
    rows = rows_in_months(stations, months)
    rows = rows[rows["layer"].isin(layers) & np.isfinite(rows["soil_moisture"])]
    inside = nearest_cells(grid, rows["lat"].to_numpy(), rows["lon"].to_numpy())[2]
    longitude = (rows["lon"] - grid.lon_bounds[0, 0]) % 360 + grid.lon_bounds[0, 0]
    return rows.assign(lon=longitude)[inside]


def _unlabelled(
    rows: pd.DataFrame,
    grid: Grid,
    months: np.ndarray,
    layers: Sequence[int],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw as many points (N, 5) as there are rows from the cells, months and layers without one.

    A point lies anywhere in its cell, because stations do: were it at the centre, the forest
    would learn the centres.
    """
    shape = (len(months), len(layers), *grid.shape)
    time = np.asarray(months).astype("datetime64[M]").astype(int)
    when = (rows["year"].to_numpy() - 1970) * 12 + rows["month"].to_numpy() - 1
    order = np.argsort(time)
    in_time = order[np.searchsorted(time, when, sorter=order)]
    in_depth = np.array([list(layers).index(layer) for layer in rows["layer"]])
    north, east, _ = nearest_cells(grid, rows["lat"].to_numpy(), rows["lon"].to_numpy())
    free = np.ones(shape, dtype=bool)
    free[in_time, in_depth, north, east] = False
    candidates = np.flatnonzero(free)
    drawn = rng.choice(candidates, size=len(rows), replace=len(rows) > candidates.size)
    t, d, h, w = np.unravel_index(drawn, shape)
    lat = rng.uniform(*grid.lat_bounds[h].T)
    lon = rng.uniform(*grid.lon_bounds[w].T)
    return np.column_stack([year_of(months)[t], month_of(months)[t], np.array(layers)[d], lat, lon])


def _fit_classifier(
    rows: pd.DataFrame, unlabelled: np.ndarray, settings: config.Insitu, seed: int, threads: int
) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        n_estimators=settings.trees,
        min_samples_leaf=settings.min_samples_leaf,
        # All five features at every split: otherwise some trees never ask for the year, and
        # stations would vouch for months before they were built.
        max_features=None,
        random_state=derive_seed(seed, "insitu", "label"),
        n_jobs=threads,
    )
    features = np.concatenate([rows[FEATURES].to_numpy(dtype=float), unlabelled])
    labels = np.repeat([1, 0], [len(rows), len(unlabelled)])
    return forest.fit(features, labels)


def fit_forests(
    rows: pd.DataFrame,
    grid: Grid,
    months: np.ndarray,
    layers: Sequence[int],
    settings: config.Insitu,
    seed: int,
    threads: int = 1,
) -> tuple[Any, Any]:
    """Fit Algorithm 1's forests: soil moisture, and the label 1 of stations, 0 of random points.

    rows: table.COLUMNS, at least one, all of them in `months`, `layers` and the grid. Returns a
    RandomForestRegressor and a RandomForestClassifier of FEATURES.
    """
    rng = generator(seed, "insitu", "unlabelled")
    unlabelled = _unlabelled(rows, grid, months, layers, rng)
    return (
        fit_regressor(rows, settings, seed, threads),
        _fit_classifier(rows, unlabelled, settings, seed, threads),
    )


def vouched(
    rows: pd.DataFrame, grid: Grid, months: np.ndarray, layers: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return where rows can vouch for the field: (T,) months, and (D, H, W) layers of each cell.

    Months from the first row's to the last row's; layers no deeper than any row of the nearest
    cell that has one.
    """
    when = (rows["year"].to_numpy() - 1970) * 12 + rows["month"].to_numpy() - 1
    time = np.asarray(months).astype("datetime64[M]").astype(int)
    in_time = (time >= when.min()) & (time <= when.max())
    deepest = np.zeros(grid.shape, dtype=int)
    north, east, _ = nearest_cells(grid, rows["lat"].to_numpy(), rows["lon"].to_numpy())
    np.maximum.at(deepest, (north, east), rows["layer"].to_numpy())
    nearest = distance_transform_edt(
        deepest == 0, _cell_lengths(grid), return_distances=False, return_indices=True
    )
    return in_time, np.asarray(layers)[:, None, None] <= deepest[tuple(nearest)]


def _cell_lengths(grid: Grid) -> tuple[float, float]:
    """Return a cell's mean extent from south to north and west to east, in degrees of latitude."""
    south_north, west_east = np.diff(grid.lat).mean(), np.diff(grid.lon).mean()
    return float(south_north), float(west_east * np.cos(np.deg2rad(grid.lat.mean())))


def fit_field(
    stations: pd.DataFrame,
    grid: Grid,
    months: np.ndarray,
    layers: Sequence[int],
    settings: config.Insitu,
    seed: int,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Spread station rows over the grid: I_insitu in m3 m-3 and I_prob in [0, 1].

    stations: table.COLUMNS, only the rows of a fold's training months; those outside `months`,
    `layers` (numbers 1 to 5) or the grid are left out. months: (T,) keys. Returns two
    (T, D, H, W) float32 arrays without NaN. I_prob is 0 before the first row's month, after the
    last row's, and below the nearest station's deepest layer. The forest alone would not learn it:
    year and month are two features, and of the unlabelled points, as many as rows on the whole
    grid, hardly one falls below a station. Where no row is left, both are 0: the in-situ loss,
    weighted by I_prob, vanishes.
    """
    rows = _domain_rows(stations, grid, months, layers)
    if rows.empty:
        empty = np.zeros((len(months), len(layers), *grid.shape), dtype=np.float32)
        return empty, empty.copy()
    years, in_year = np.unique(year_of(months), return_inverse=True)
    calendar, in_calendar = np.unique(month_of(months), return_inverse=True)
    depths, in_depth = np.unique(np.asarray(layers), return_inverse=True)
    axes = [years, calendar, depths, grid.lat, grid.lon]
    regressor, classifier = fit_forests(rows, grid, months, layers, settings, seed, threads)
    fields = []
    for forest, output in ((regressor, 0), (classifier, 1)):
        whole = grid_prediction(forest, axes, output).astype(np.float32)
        fields.append(whole[in_year[:, None], in_calendar[:, None], in_depth[None, :]])
    in_months, in_layers = vouched(rows, grid, months, layers)
    fields[1][~in_months] = 0
    fields[1][:, ~in_layers] = 0
    return fields[0], fields[1]
