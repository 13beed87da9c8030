"""Compiled loops of the tests that take a series' memory into account, and of Sen's interval.

Series are (N, T) float64 with NaN = missing; a missing value keeps its place, so that a lag is a
number of steps and never a number of values.
"""

import numpy as np
from numba import njit

from soilfuse.trends.kernels import _keep_valid, _pairs, _ties

FEWEST_PAIRS = 3  # that gaps must leave for a correlation


@njit(nogil=True, cache=True)
def _span(series: np.ndarray) -> np.ndarray:
    """Return a series without what is missing before its first value and after its last."""
    first, last = 0, series.size
    while first < last and np.isnan(series[first]):
        first += 1
    while first < last and np.isnan(series[last - 1]):
        last -= 1
    return series[first:last]


@njit(nogil=True, cache=True)
def _detrended(series: np.ndarray, slope: float) -> np.ndarray:
    """Return (T,) values less the line through 0 of a slope per step."""
    line = np.empty(series.size)
    for t in range(series.size):
        line[t] = series[t] - (t + 1) * slope
    return line


@njit(nogil=True, cache=True)
def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks 1 to n of the values that are not NaN, equal ones sharing their mean."""
    ranks = np.full(values.size, np.nan)
    order = np.argsort(values)  # NaN last
    start, n = 0, values.size - np.isnan(values).sum()
    while start < n:
        stop = start + 1
        while stop < n and values[order[stop]] == values[order[start]]:
            stop += 1
        for place in range(start, stop):
            ranks[order[place]] = (start + stop + 1) / 2
        start = stop
    return ranks


@njit(nogil=True, cache=True)
def _correlation(centred: np.ndarray, n: int, power: float, lag: int) -> float:
    """Return the autocorrelation at a lag of (T,) centred values whose n squares sum to `power`.

    Without gaps the sum over T - lag pairs is divided by T, as is usual; with gaps the pairs that
    are left stand for those that would be there, within -1 and 1. 0 where fewer than 3 are left.
    T counts from the first value to the last: what is missing outside of them is no gap.
    """
    total, pairs = 0.0, 0
    for t in range(centred.size - lag):
        product = centred[t] * centred[t + lag]
        if not np.isnan(product):
            total += product
            pairs += 1
    if pairs < FEWEST_PAIRS and pairs < centred.size - lag:
        return 0.0
    correlation = total / power * (n * (centred.size - lag) / (centred.size * pairs))
    return min(max(correlation, -1.0), 1.0)


@njit(nogil=True, cache=True)
def _centred(values: np.ndarray) -> tuple[np.ndarray, int, float]:
    """Return values less their mean, how many are not NaN, and the sum of their squares."""
    total, n = 0.0, 0
    for value in values:
        if not np.isnan(value):
            total += value
            n += 1
    centred = values - total / max(n, 1)
    power = 0.0
    for value in centred:
        if not np.isnan(value):
            power += value * value
    return centred, n, power


@njit(nogil=True, cache=True)
def fill_hamed_rao(
    series: np.ndarray, slope: np.ndarray, lags: int, bound: float, result: np.ndarray
) -> None:
    """Fill (N,) factors by which var(S) grows, from ranks of detrended series (1998, equation 9).

    bound: correlations within +-bound / sqrt(n) count as 0; lags: how many are looked at, 0 for all
    that the values reach.
    """
    for row in range(series.shape[0]):
        centred, n, power = _centred(_ranks(_detrended(_span(series[row]), slope[row])))
        result[row] = 1.0
        if power == 0.0:
            continue
        last = min(lags, n - 1) if lags > 0 else n - 1
        total = 0.0
        for lag in range(1, last + 1):
            r = _correlation(centred, n, power, lag)
            if abs(r) > bound / np.sqrt(n):
                total += (n - lag) * (n - lag - 1) * (n - lag - 2) * r
        result[row] += 2.0 / (n * (n - 1.0) * (n - 2.0)) * total


@njit(nogil=True, cache=True)
def fill_yue_wang(series: np.ndarray, slope: np.ndarray, lags: int, result: np.ndarray) -> None:
    """Fill (N,) factors by which var(S) grows, from detrended series (2004, equation 13)."""
    for row in range(series.shape[0]):
        centred, n, power = _centred(_detrended(_span(series[row]), slope[row]))
        result[row] = 1.0
        if power == 0.0:
            continue
        for lag in range(1, min(lags, n - 1) + 1):
            result[row] += 2.0 * (1.0 - lag / n) * _correlation(centred, n, power, lag)


@njit(nogil=True, cache=True)
def fill_prewhitened(series: np.ndarray, slope: np.ndarray, result: np.ndarray) -> None:
    """Fill (N, T - 1): the detrended series less r1 of the value before, the trend added again."""
    for row in range(series.shape[0]):
        detrended = _detrended(series[row], slope[row])
        centred, n, power = _centred(_span(detrended))
        r1 = _correlation(centred, n, power, 1) if power > 0.0 else 0.0
        for t in range(1, detrended.size):
            result[row, t - 1] = detrended[t] - detrended[t - 1] * r1 + t * slope[row]


@njit(nogil=True, cache=True)
def fill_scores(series: np.ndarray, fewest: int, result: np.ndarray) -> None:
    """Fill S, var(S) and the number of valid values, (3, N), without any slope."""
    for row in range(series.shape[0]):
        valid = series[row].copy()
        n = _keep_valid(valid)
        result[:2, row] = np.nan
        result[2, row] = n
        if n < fewest:
            continue
        values = valid[:n]
        rising, falling = 0, 0
        for lag in range(1, n):
            for t in range(n - lag):
                rising += values[t + lag] > values[t]
                falling += values[t + lag] < values[t]
        result[0, row] = rising - falling
        result[1, row] = (float(n) * (n - 1) * (2 * n + 5) - _ties(values)) / 18.0


@njit(nogil=True, cache=True)
def fill_between(
    series: np.ndarray, first: np.ndarray, last: np.ndarray, result: np.ndarray
) -> None:
    """Fill (2, N) with the slopes of ranks first and last (from 0) of each series' sorted slopes.

    A rank below 0 leaves NaN.
    """
    steps = series.shape[1]
    slopes = np.empty(steps * (steps - 1) // 2)
    for row in range(series.shape[0]):
        result[:, row] = np.nan
        if first[row] < 0:
            continue
        _pairs(series[row], slopes)
        pairs = _keep_valid(slopes)
        result[0, row] = np.partition(slopes[:pairs], first[row])[first[row]]
        result[1, row] = np.partition(slopes[:pairs], last[row])[last[row]]
