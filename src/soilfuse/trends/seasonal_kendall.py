"""Seasonal Kendall test: every calendar month against itself alone, all months together.

Hirsch, Slack and Smith (1982, doi:10.1029/WR018i001p00107): S and its variance are sums over the
months, so that the seasonal cycle is no trend. Months that resemble each other add their covariance
(Hirsch and Slack 1984, doi:10.1029/WR020i006p00727): without it soil moisture, which remembers the
month before, has far too many trends.
"""

import numpy as np

from soilfuse.trends.blocks import each_block
from soilfuse.trends.mann_kendall import MINIMUM_VALID, TrendResult, normalised, two_sided_p


def seasonal_kendall(
    series: np.ndarray, correlated: bool = False, period: int = 12, threads: int = 2
) -> TrendResult:
    """Test (T, ...) series of whole years, T a multiple of `period`, for a trend in any month.

    NaN = missing. Months with fewer than 4 values do not count; NaN where none counts. slope is the
    median of the slopes within months, per year; n the number of values that count. correlated:
    take the covariance of the months into account, from the years in which none is missing, then
    without continuity correction, as published. Raises ValueError where T is no whole number of
    years.
    """
    from soilfuse.trends.seasonal_kernels import fill_correlated, fill_seasonal

    series = np.asarray(series)
    if series.shape[0] % period:
        raise ValueError(f"{series.shape[0]} steps are no whole number of {period} a year")
    result = np.empty((4, int(np.prod(series.shape[1:]))))
    kernel = fill_correlated if correlated else fill_seasonal

    def fill(rows: np.ndarray, where: slice) -> None:
        kernel(rows, period, MINIMUM_VALID, result[:, where])

    each_block(series, fill, threads)
    s, var_s, slope, n = result.reshape(4, *series.shape[1:])
    if correlated:
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.where(s == 0, 0.0, s / np.sqrt(var_s))
    else:
        z = normalised(s, var_s)
    return TrendResult(s, var_s, z, two_sided_p(z), slope, n.astype(np.int64))
