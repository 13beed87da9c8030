"""Compiled loops of the seasonal Kendall test. Series are (N, T) float64 with NaN = missing."""

import numpy as np
from numba import njit

from soilfuse.trends.kernels import SAMPLE, _keep_valid, _pairs, _ties, median


@njit(nogil=True, cache=True)
def fill_seasonal(series: np.ndarray, period: int, fewest: int, result: np.ndarray) -> None:
    """Fill S, var(S), the slope per year and the number of values that count, (4, N)."""
    years = series.shape[1] // period
    each = years * (years - 1) // 2
    slopes, few = np.empty(period * each), np.empty(SAMPLE)
    for row in range(series.shape[0]):
        result[:3, row] = np.nan
        score, variance, count, found = 0.0, 0.0, 0, 0
        for month in range(period):
            own = series[row, month::period].copy()
            valid = own.copy()
            n = _keep_valid(valid)
            if n < fewest:
                continue
            here = slopes[found : found + each]
            rising, falling = _pairs(own, here)
            found += _keep_valid(here)
            score += rising - falling
            variance += (float(n) * (n - 1) * (2 * n + 5) - _ties(valid[:n])) / 18.0
            count += n
        result[3, row] = count
        if count > 0:
            result[0, row], result[1, row] = score, variance
            result[2, row] = 0.0 if variance == 0.0 else median(slopes[:found], few)


@njit(nogil=True, cache=True)
def _score_and_variance(values: np.ndarray) -> tuple[float, float]:
    """Return S of all months and the sum of the covariances of every two; values: (months, years).

    The sum over all pairs of months of sign products and of rank products is the square of a sum
    over months, so that nothing is done pair by pair.
    """
    months, n = values.shape
    ranks = np.full(n, months * (n + 1) / 2)  # summed over months
    score, squares = 0.0, 0.0
    for i in range(n):
        for j in range(i):
            rising = 0.0
            for month in range(months):
                rising += np.sign(values[month, i] - values[month, j])
            score += rising
            squares += rising * rising
            ranks[i] += rising / 2
            ranks[j] -= rising / 2
    expected = months * months * n * (n + 1.0) ** 2
    return score, (squares + 4 * (ranks * ranks).sum() - expected) / 3


@njit(nogil=True, cache=True)
def fill_correlated(series: np.ndarray, period: int, fewest: int, result: np.ndarray) -> None:
    """Fill what `fill_seasonal` does, with the covariance of the months in var(S).

    Only years without a missing month count, for S too; the slope takes every value.
    """
    fill_seasonal(series, period, fewest, result)
    years = series.shape[1] // period
    for row in range(series.shape[0]):
        values, whole = np.empty((period, years)), 0
        for year in range(years):
            own = series[row, year * period : (year + 1) * period]
            if not np.isnan(own).any():
                values[:, whole] = own
                whole += 1
        result[:2, row] = np.nan
        result[3, row] = whole * period
        if whole < fewest:
            result[2, row] = np.nan
            continue
        kept = values[:, :whole].copy()
        result[0, row], result[1, row] = _score_and_variance(kept)
