"""Errors of the future: change maps and trends against the pseudo-reality's known truth."""

from collections.abc import Callable
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
    "right_sign",
    "cells",
    "cells_missing",
    "cells_without_sign",
]
NO_CHANGE = 1e-9  # in any quantity's unit; means of equal months differ by rounding

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
    """Return change of 2071-2100 from the (D, C) reference mean, and the slope of annual means.

    The change in percent is NaN where the reference is not above 0.
    """
    years, annual = annual_means(series, cells, what, PERIOD)
    change = period_mean(years, annual, PERIOD) - reference
    slope = np.asarray(sens_slope(annual.reshape(len(annual), -1))).reshape(reference.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        percent = np.where(reference > 0, 100 * change / reference, np.nan)
    return Maps(change, percent, slope)


def reference_mean(by_experiment: ByExperiment, cells: np.ndarray, name: str) -> np.ndarray:
    """Return the (D, C) mean of the reference period, that changes are taken from."""
    period, what = names.REFERENCE_PERIOD, f"{name} of {names.HISTORICAL}"
    return period_mean(*annual_means(by_experiment(names.HISTORICAL), cells, what, period), period)


def _errors(predicted: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    valid = np.isfinite(predicted) & np.isfinite(truth)
    weights = np.where(valid, weight, 0.0)
    total = weights.sum(axis=-1)
    x, y = np.where(valid, predicted, 0), np.where(valid, truth, 0)
    signs = (np.abs(x) > NO_CHANGE) & (np.abs(y) > NO_CHANGE)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, truth_mean = ((weights * side).sum(axis=-1) / total for side in (x, y))
        rmse = np.sqrt((weights * (x - y) ** 2).sum(axis=-1) / total)
        right = (weights * (signs & (x * y > 0))).sum(axis=-1) / (weights * signs).sum(axis=-1)
    return {
        **{"rmse": rmse, "bias": mean - truth_mean, "mean": mean, "truth_mean": truth_mean},
        "right_sign": right,
        "cells": valid.sum(axis=-1),
        "cells_missing": (~valid).sum(axis=-1),
        "cells_without_sign": (valid & ~signs).sum(axis=-1),
    }


def future_errors(
    method: str, experiment: str, own: Maps, truth: Maps, weight: np.ndarray
) -> pd.DataFrame:
    """Compare a method's maps with the truth's, area-weighted by the (C,) weight.

    Returns FUTURE_COLUMNS: errors of each quantity by layer, and the region's mean of both sides,
    in the quantity's unit; right_sign: the share of the area, where both sides are other than 0, in
    which their signs agree; cells: how many of the C count, those missing on either side and those
    of them where a side is 0.
    """
    parts = []
    for quantity, place in ((CHANGE, 0), (PERCENT, 1), (SLOPE, 2)):
        errors = _errors(own[place], truth[place], weight)
        layers = np.arange(1, len(own[place]) + 1)
        part = pd.DataFrame({"layer": layers, **errors})
        parts.append(part.assign(method=method, experiment=experiment, quantity=quantity))
    return pd.concat(parts, ignore_index=True)[FUTURE_COLUMNS]
