"""Errors of the future: change maps and trends against the pseudo-reality's known truth."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from soilfuse import names
from soilfuse.evaluation.material import ByExperiment, Series
from soilfuse.grids.months import month_axis, year_of

PERIOD = names.FUTURE_PERIODS[-1]
CHANGE = f"change_{PERIOD[0]}_{PERIOD[1]}"  # m3 m-3
PERCENT = f"change_percent_{PERIOD[0]}_{PERIOD[1]}"  # of the cell's reference mean
SLOPE = "sens_slope"  # m3 m-3 per year
FUTURE_COLUMNS = [
    "method",
    "experiment",
    "layer",
    "quantity",
    "rmse",
    "bias",
    "mean",
    "truth_mean",
]

# (Y, N) annual values -> (N,) slopes per year
SlopeOf = Callable[[np.ndarray], np.ndarray]


class Maps(NamedTuple):
    """One experiment's change and trend at the region's C cells, each (D, C) float64."""

    change: np.ndarray
    percent: np.ndarray
    slope: np.ndarray


def annual_means(
    series: Series, cells: np.ndarray, what: str, period: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the (Y,) whole years and their (Y, D, C) float64 means; a broken year is left out.

    Raises UserError where a month of `period` is missing.
    """
    series.places(month_axis(*period), what)
    values, own = series.values.reshape(*series.values.shape[:2], -1), year_of(series.time)
    years, counts = np.unique(own, return_counts=True)
    whole = years[counts == 12]
    # A year at a time: a copy of all years' cells would be larger than every cache.
    means = [values[own == year][..., cells].mean(axis=0, dtype=np.float64) for year in whole]
    return whole, np.stack(means)


def period_mean(years: np.ndarray, annual: np.ndarray, period: tuple[int, int]) -> np.ndarray:
    """Return the (D, C) mean of the annual means of a period."""
    return annual[(years >= period[0]) & (years <= period[1])].mean(axis=0)


def future_maps(
    series: Series, reference: np.ndarray, cells: np.ndarray, sens_slope: SlopeOf, what: str
) -> Maps:
    """Return change of 2071-2100 from the (D, C) reference mean, and the slope of annual means."""
    years, annual = annual_means(series, cells, what, PERIOD)
    change = period_mean(years, annual, PERIOD) - reference
    slope = np.asarray(sens_slope(annual.reshape(len(annual), -1))).reshape(reference.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Maps(change, 100 * change / reference, slope)


def all_maps(
    by_experiment: ByExperiment,
    scenarios: Sequence[str],
    cells: np.ndarray,
    sens_slope: SlopeOf,
    name: str,
) -> dict[str, Maps]:
    """Return the maps of each scenario; asks for historical and every scenario once."""
    period, what = names.REFERENCE_PERIOD, f"{name} of {names.HISTORICAL}"
    past = annual_means(by_experiment(names.HISTORICAL), cells, what, period)
    reference = period_mean(*past, period)
    return {
        scenario: future_maps(
            by_experiment(scenario), reference, cells, sens_slope, f"{name} of {scenario}"
        )
        for scenario in scenarios
    }


def _errors(predicted: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    valid = np.isfinite(predicted) & np.isfinite(truth)
    weights = np.where(valid, weight, 0.0)
    total = weights.sum(axis=-1)
    x, y = np.where(valid, predicted, 0), np.where(valid, truth, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, truth_mean = ((weights * side).sum(axis=-1) / total for side in (x, y))
        rmse = np.sqrt((weights * (x - y) ** 2).sum(axis=-1) / total)
    return {"rmse": rmse, "bias": mean - truth_mean, "mean": mean, "truth_mean": truth_mean}


def future_errors(
    method: str, maps: Mapping[str, Maps], truth: Mapping[str, Maps], weight: np.ndarray
) -> pd.DataFrame:
    """Compare a method's maps with the truth's, area-weighted by the (C,) weight.

    Returns FUTURE_COLUMNS: errors of each quantity by experiment and layer, and the region's mean
    of both sides, in the quantity's unit.
    """
    parts = []
    for experiment, own in maps.items():
        for quantity, place in ((CHANGE, 0), (PERCENT, 1), (SLOPE, 2)):
            errors = _errors(own[place], truth[experiment][place], weight)
            layers = np.arange(1, len(own[place]) + 1)
            part = pd.DataFrame({"layer": layers, **errors})
            parts.append(part.assign(method=method, experiment=experiment, quantity=quantity))
    return pd.concat(parts, ignore_index=True)[FUTURE_COLUMNS]
