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
def _ordered(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the signs of all pairs (n, n), later less earlier index, and the ranks (n,)."""
    n = values.size
    signs = np.empty((n, n))
    ranks = np.empty(n)
    for i in range(n):
        total = 0.0
        for j in range(n):
            signs[i, j] = np.sign(values[i] - values[j])
            total += signs[i, j]
        ranks[i] = (n + 1 + total) / 2
    return signs, ranks


@njit(nogil=True, cache=True)
def _covariance(values: np.ndarray) -> float:
    """Return the sum of the covariances of S of all pairs of months; values: (months, years)."""
    months, n = values.shape
    signs, ranks = np.empty((months, n, n)), np.empty((months, n))
    for month in range(months):
        signs[month], ranks[month] = _ordered(values[month])
    total = 0.0
    for g in range(months):
        for h in range(months):
            k = 0.0
            for i in range(n):
                for j in range(i):
                    k += signs[g, i, j] * signs[h, i, j]
            total += (k + 4 * (ranks[g] * ranks[h]).sum() - n * (n + 1.0) ** 2) / 3
    return total


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
            continue
        kept = values[:, :whole].copy()
        score = 0.0
        for month in range(period):
            for i in range(whole):
                for j in range(i):
                    score += np.sign(kept[month, i] - kept[month, j])
        result[0, row], result[1, row] = score, _covariance(kept)
