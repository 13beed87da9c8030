"""Compiled loops of the Mann-Kendall test, apart so that only a stage that tests loads numba.

Slopes are written in lag order, which processors do several at a time. Their median is found by
counting: a count of the values up to a pivot costs a tenth of a partition, and six or so counts
leave a handful of candidates. It is the very median, not an approximation of it.

numba's cache of a function does not look at the files of those that it calls: after a change here
delete `__pycache__`, or memory_kernels and seasonal_kernels go on with what was.
"""

import numpy as np
from numba import njit

SAMPLE = 31  # values whose order gives the first pivots
FEW = 12  # candidates that are cheaper to sort than to count once more
SMALL = 64  # slopes that are cheaper to sort than to count at all
PASSES = 24  # counts after which equal values must be what hinders the search
STRIDE = 64  # values whose candidates are counted before any is looked at


@njit(nogil=True, cache=True)
def _sort_few(values: np.ndarray) -> None:
    """Sort a handful of values in place by insertion."""
    for i in range(1, values.size):
        value, j = values[i], i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value


@njit(nogil=True, cache=True)
def _count_within(values: np.ndarray, low: float, high: float) -> int:
    """Count the values in (low, high]."""
    count = 0
    for i in range(values.size):
        count += (values[i] > low) & (values[i] <= high)
    return count


@njit(nogil=True, cache=True)
def _count_to(values: np.ndarray, high: float) -> int:
    """Count the values up to and including `high`."""
    count = 0
    for i in range(values.size):
        count += values[i] <= high
    return count


@njit(nogil=True, cache=True)
def _gather(values: np.ndarray, low: float, high: float, few: np.ndarray) -> int:
    """Copy the values in (low, high] to `few`; return how many there are."""
    found = 0
    for start in range(0, values.size, STRIDE):
        stop = min(start + STRIDE, values.size)
        if _count_within(values[start:stop], low, high) > 0:
            for i in range(start, stop):
                if low < values[i] <= high:
                    few[found] = values[i]
                    found += 1
    return found


@njit(nogil=True, cache=True)
def _middle_of_gap(values: np.ndarray, pivot: float) -> float:
    """Return the mean of the last value up to `pivot` and the first one above it."""
    below, above = -np.inf, np.inf
    for value in values:
        if value <= pivot:
            below = max(below, value)
        else:
            above = min(above, value)
    return (below + above) / 2


@njit(nogil=True, cache=True)
def _median_by_sorting(values: np.ndarray) -> float:
    """Return the median; leaves the values sorted."""
    values.sort()
    return (values[(values.size - 1) // 2] + values[values.size // 2]) / 2


@njit(nogil=True, cache=True)
def median(values: np.ndarray, few: np.ndarray) -> float:
    """Return the median of (P,) finite values, which may be reordered.

    `few` is room for at least SAMPLE values. Pivots are first taken from a sorted sample, then
    between the values that enclose the median, each time where the counts so far let expect it.
    """
    size = values.size
    if size <= SMALL:
        return _median_by_sorting(values)
    first, last = (size - 1) // 2, size // 2  # ranks of the middle values
    for i in range(SAMPLE):
        few[i] = values[(i * size + size // 2) // SAMPLE]
    sample = few[:SAMPLE].copy()
    _sort_few(sample)
    low, high, below, upto = -np.inf, np.inf, 0, size  # the median is in (low, high]
    left, right = -1, SAMPLE
    for _ in range(PASSES):
        if upto - below <= FEW:
            break
        share = (0.5 * (first + last + 1) - below) / (upto - below)
        if right - left > 1:
            place = min(max(left + int(round(share * (right - left))), left + 1), right - 1)
            pivot = sample[place]
        else:
            place = left
            pivot = low + (high - low) * min(max(share, 0.02), 0.98)
        count = _count_to(values, pivot)
        if count <= first:
            low, below, left = pivot, count, place
        elif count > last:
            high, upto, right = pivot, count, max(place, left + 1)
        else:
            return _middle_of_gap(values, pivot)
    if upto - below > FEW:
        return _median_by_sorting(values)
    found = _gather(values, low, high, few)
    _sort_few(few[:found])
    return (few[first - below] + few[last - below]) / 2


@njit(nogil=True, cache=True)
def _ties(values: np.ndarray) -> float:
    """Return the sum of t(t-1)(2t+5) over the groups of t equal values; sorts them."""
    values.sort()
    total, run = 0.0, 1
    for i in range(1, values.size + 1):
        if i < values.size and values[i] == values[i - 1]:
            run += 1
        else:
            total += run * (run - 1) * (2 * run + 5)
            run = 1
    return total


@njit(nogil=True, cache=True)
def _pairs(x: np.ndarray, slopes: np.ndarray) -> tuple[int, int]:
    """Write the slopes of all pairs of (T,) x in lag order; return how many rise and fall."""
    first = 0
    for lag in range(1, x.size):
        pairs, years = x.size - lag, float(lag)
        early, late, out = x[:pairs], x[lag:], slopes[first : first + pairs]
        for i in range(pairs):
            out[i] = (late[i] - early[i]) / years
        first += pairs
    rising, falling = 0, 0
    for i in range(slopes.size):
        rising += slopes[i] > 0.0
        falling += slopes[i] < 0.0
    return rising, falling


@njit(nogil=True, cache=True)
def _keep_valid(values: np.ndarray) -> int:
    """Move the values that are not NaN to the front; return how many there are."""
    kept = 0
    for i in range(values.size):
        values[kept] = values[i]  # without a branch, which scattered gaps would make a gamble
        kept += not np.isnan(values[i])
    return kept


@njit(nogil=True, cache=True)
def fill_statistics(series: np.ndarray, fewest: int, result: np.ndarray) -> None:
    """Fill S, var(S), Sen's slope and the number of valid values of each series.

    series: (N, T) float64, NaN = missing; result: (4, N) float64, whose first three rows are NaN
    where fewer than `fewest` values are valid.
    """
    steps = series.shape[1]
    slopes = np.empty(steps * (steps - 1) // 2)
    few = np.empty(SAMPLE)
    for row in range(series.shape[0]):
        valid = series[row].copy()
        n = _keep_valid(valid)
        result[:3, row] = np.nan
        result[3, row] = n
        if n < fewest:
            continue
        rising, falling = _pairs(series[row], slopes)
        variance = float(n) * (n - 1) * (2 * n + 5)
        if rising + falling < n * (n - 1) // 2:
            variance -= _ties(valid[:n])
        pairs = _keep_valid(slopes) if n < steps else slopes.size
        result[0, row] = rising - falling
        result[1, row] = variance / 18.0
        constant = rising + falling == 0
        result[2, row] = 0.0 if constant else median(slopes[:pairs], few)
