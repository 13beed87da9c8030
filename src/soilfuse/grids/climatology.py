"""Calendar-month statistics of monthly fields, and what makes them smoother.

Letters: T months, D layers, H latitudes, W longitudes.
"""

import warnings
from collections.abc import Iterator

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis, month_of, year_of

ORDERS = (2, 3, 6)  # waves of the annual cycle; 6 are all that 12 months can hold
RANKS = (3, 4, 6, 8, 12, 60)  # 60 are all that 12 months of five layers can hold


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


def running_years(values: np.ndarray, months: np.ndarray, years: int) -> np.ndarray:
    """Return (T, ...) float32, each calendar month smoothed over an odd number of years.

    A straight line is fitted to the window round each year; within half a window of either end the
    line of the first or last whole window is read (Savitzky and Golay 1964, order 1). One year
    returns the values themselves. A missing value empties the windows that hold it, no others.
    months: (T,) keys. Raises UserError for an even window, for months that are not the whole years
    one after the other, and for fewer years than the window.
    """
    if years < 1 or years % 2 == 0:
        raise UserError(
            f"a running window of {years} years; expected an odd number, 1 or more: "
            "edit params.yaml:network.smoothing_years"
        )
    if years == 1:
        return values
    if len(values) != len(months):
        raise ValueError(f"{len(values)} fields for {len(months)} months")
    count = _whole_years(months)
    if count < years:
        raise UserError(
            f"{count} years for a running window of {years}; expected {years} or more: lower "
            "params.yaml:network.smoothing_years, or read more years"
        )
    smooth = np.empty(values.shape, np.float32)
    for month in range(12):
        smooth[month::12] = _running_lines(values[month::12].astype(np.float64), years)
    return smooth


def _whole_years(months: np.ndarray) -> int:
    numbers = year_of(months)
    if not numbers.size or not np.array_equal(months, month_axis(numbers[0], numbers[-1])):
        raise UserError(
            f"{numbers.size} months that are not whole years, one after the other, for a running "
            "window of years; expected January of the first to December of the last, each once: "
            "read whole years"
        )
    return int(numbers[-1] - numbers[0]) + 1


def _running_lines(series: np.ndarray, years: int) -> np.ndarray:
    """Return the (Y, ...) values of the running straight lines of (Y, ...)."""
    half, last = years // 2, len(series) - years
    smooth = np.empty_like(series)
    # In the middle of its window a fitted line has the window's mean.
    smooth[half : len(series) - half] = sum(
        series[start : start + last + 1] for start in range(years)
    )
    smooth[half : len(series) - half] /= years
    place = np.arange(-half, half + 1.0)
    line = 1 / years + np.outer(place, place) / (place**2).sum()
    smooth[:half] = np.tensordot(line[:half], series[:years], 1)
    smooth[len(series) - half :] = np.tensordot(line[half + 1 :], series[last:], 1)
    return smooth


def harmonics(climatology: np.ndarray, order: int) -> np.ndarray:
    """Return (12, ...) float32: the annual mean and the first `order` waves (Epstein 1988).

    climatology: (12, ...), any unit; order 0 (the mean) to 6 (the climatology itself). NaN stays.
    """
    flat = np.asarray(climatology, np.float64).reshape(12, -1)
    return (_waves(order) @ flat).reshape(climatology.shape).astype(np.float32)


def _waves(order: int) -> np.ndarray:
    """Return the (12, 12) projection on the mean and `order` waves."""
    if not 0 <= order <= 6:
        raise ValueError(f"{order} waves of 12 months; expected 0 to 6")
    if order == 6:
        return np.eye(12)
    phase = 2 * np.pi / 12 * np.subtract.outer(np.arange(12), np.arange(12))
    return 1 / 12 + sum((np.cos(k * phase) for k in range(1, order + 1)), np.zeros((12, 12))) / 6


def low_rank(climatology: np.ndarray, rank: int, mask: np.ndarray) -> np.ndarray:
    """Return (12, D, H, W) float32 with only the first `rank` patterns inside the mask.

    The patterns are the empirical orthogonal functions (Lorenz 1956) of the 12 D maps, each taken
    from its mean over the cells inside. climatology: (12, D, H, W); mask: (H, W), True inside.
    Cells outside, and cells where any map is NaN, keep their values; so do all of them where
    `rank` is 12 D or more.
    """
    result = np.array(climatology, np.float32)
    cells = np.asarray(mask, bool) & np.isfinite(result).all(axis=(0, 1))
    maps = result[..., cells].reshape(12 * result.shape[1], -1).astype(np.float64)
    if rank < len(maps) and maps.size:
        result[..., cells] = next(_truncated(maps, (rank,))).reshape(*result.shape[:2], -1)
    return result


def _truncated(maps: np.ndarray, ranks: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield the (N, cells) maps with only their first patterns, for each of the ranks."""
    mean = maps.mean(axis=1, keepdims=True)
    anomalies = maps - mean
    # The N x N Gram matrix has the left singular vectors at a fraction of the cost.
    vectors = np.linalg.eigh(anomalies @ anomalies.T)[1][:, ::-1]
    for rank in ranks:
        kept = vectors[:, :rank]
        yield maps if rank >= len(maps) else mean + kept @ (kept.T @ anomalies)


def smooth_climatology(
    target: np.ndarray, months: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, dict[str, int]]:
    """Return the (12, D, H, W) float32 smoothed climatology and the chosen order and rank.

    The number of waves (of ORDERS) and of patterns (of RANKS) are those with which the climatology
    of all other years predicts a left-out year best, in the mean square over the cells inside.
    target: (T, D, H, W), any months; mask: (H, W), True inside. Years that alone hold a calendar
    month are not left out; where none can be, nothing is smoothed. Cells of `low_rank`'s exception
    (outside, or with a gap) are smoothed by waves alone, and empty ones stay NaN.
    Raises UserError where a calendar month is missing.
    """
    raw = monthly_climatology(target, months)
    cells = np.asarray(mask, bool) & np.isfinite(target).all(axis=(0, 1))
    errors = _left_out_errors(target[:, :, cells], months)
    places = np.unravel_index(np.argmin(errors), errors.shape) if errors.any() else (-1, -1)
    order, rank = ORDERS[places[0]], RANKS[places[1]]
    smooth = low_rank(harmonics(raw, order), rank, cells)
    return smooth, {"order": order, "rank": rank}


def _left_out_errors(values: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return (orders, ranks): the sum of squares over the left-out years of (T, D, cells)."""
    errors = np.zeros((len(ORDERS), len(RANKS)))
    calendar, years = month_of(months) - 1, year_of(months)
    counts = np.bincount(calendar, minlength=12)
    sums = np.stack([values[calendar == month].sum(axis=0, dtype=float) for month in range(12)])
    for year in np.unique(years):
        held = values[years == year].astype(np.float64)
        here = calendar[years == year]
        left = counts - np.bincount(here, minlength=12)
        if not left.all() or not values.size:
            continue
        others = sums.copy()
        np.subtract.at(others, here, held)
        others /= left[:, None, None]
        for number, order in enumerate(ORDERS):
            maps = (_waves(order) @ others.reshape(12, -1)).reshape(12 * values.shape[1], -1)
            for place, smooth in enumerate(_truncated(maps, RANKS)):
                errors[number, place] += ((smooth.reshape(others.shape)[here] - held) ** 2).sum()
    return errors
