"""Means and spreads per calendar month, the raw material of every baseline."""

import warnings

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.months import month_of

CHUNK_MONTHS = 24  # of all models at once: nanmean copies what it is given


def multi_model_mean(inputs: np.ndarray) -> np.ndarray:
    """Return the (T, H, W) float32 mean over the climate models of (T, M, H, W), NaN left out."""
    if inputs.shape[1] == 1:
        return inputs[:, 0]
    means = np.empty((len(inputs), *inputs.shape[2:]), dtype=np.float32)
    for start in range(0, len(inputs), CHUNK_MONTHS):
        here = slice(start, start + CHUNK_MONTHS)
        with warnings.catch_warnings():
            # A cell that no model covers is NaN by intention.
            warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
            means[here] = np.nanmean(inputs[here], axis=1, dtype=np.float64)
    return means


def _by_calendar_month(values: np.ndarray, months: np.ndarray) -> list[np.ndarray]:
    if len(values) != len(months):
        raise ValueError(f"{len(values)} fields for {len(months)} months")
    calendar = month_of(months)
    missing = np.setdiff1d(np.arange(1, 13), calendar)
    if missing.size:
        raise UserError(
            f"no training month in calendar month {', '.join(map(str, missing))} among "
            f"{len(months)} months; expected every calendar month at least once: "
            "train on whole years"
        )
    return [values[calendar == number] for number in range(1, 13)]


def monthly_climatology(values: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return the (12, ...) float32 mean of each calendar month of (T, ...), NaN left out.

    months: (T,) keys. Raises UserError where a calendar month is missing.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        means = [
            np.nanmean(part, axis=0, dtype=np.float64)
            for part in _by_calendar_month(values, months)
        ]
    return np.stack(means).astype(np.float32)


def monthly_spread(values: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return the (12, ...) float32 standard deviation (over n) of each calendar month's years."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Degrees of freedom <= 0", RuntimeWarning)
        spreads = [
            np.nanstd(part, axis=0, dtype=np.float64) for part in _by_calendar_month(values, months)
        ]
    return np.stack(spreads).astype(np.float32)
