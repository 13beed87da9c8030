"""Mann-Kendall tests for series with memory, and the confidence interval of Sen's slope.

Neighbouring years resemble each other, and the plain test takes that for a trend. Hamed and Rao
(1998, doi:10.1016/S0022-1694(97)00125-X) and Yue and Wang (2004,
doi:10.1023/B:WARM.0000043140.61082.60) widen var(S) by what the autocorrelation of the detrended
series takes from its number of independent values; trend-free prewhitening (Yue et al. 2002,
doi:10.1002/hyp.1095) takes the memory out and tests what is left. Without gaps between the first
value and the last all three give what pymannkendall gives; with gaps a lag here is a number of
steps, not of values.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from soilfuse.config import Trends
from soilfuse.trends.blocks import each_block
from soilfuse.trends.mann_kendall import MINIMUM_VALID, TrendResult, normalised, two_sided_p


@dataclass(frozen=True)
class ModifiedResult:
    """A test with a corrected variance, each (...) float64; NaN = not tested.

    factor: by how much var(S) grew, n over the effective number of values; z, p: as of the plain
    test with that variance. A factor of 0 or less, which negative memory can give in short series,
    leaves no variance to test with: z and p are then the plain test's, and `factor` tells.
    """

    factor: np.ndarray
    z: np.ndarray
    p: np.ndarray


def hamed_rao(
    series: np.ndarray,
    trend: TrendResult,
    alpha: float = 0.05,
    lags: int | None = None,
    threads: int = 2,
) -> ModifiedResult:
    """Correct the test by the rank autocorrelations that are significant at `alpha`.

    series: (T, ...) as `trend_test` took it; trend: what that returned; lags: how many are looked
    at, None for all, as published.
    """
    from scipy.stats import norm

    from soilfuse.trends.memory_kernels import fill_hamed_rao

    bound = float(norm.ppf(1 - alpha / 2))

    def fill(rows: np.ndarray, slope: np.ndarray, factor: np.ndarray) -> None:
        fill_hamed_rao(rows, slope, lags or 0, bound, factor)

    return _corrected(series, trend, fill, threads)


def yue_wang(
    series: np.ndarray, trend: TrendResult, lags: int = 1, threads: int = 2
) -> ModifiedResult:
    """Correct the test by the first autocorrelations, of lag one alone by default.

    With all lags, the default elsewhere, the correlations of any series sum to about -1/2 and the
    variance of white noise shrinks to a fraction: everything would be significant.
    """
    from soilfuse.trends.memory_kernels import fill_yue_wang

    def fill(rows: np.ndarray, slope: np.ndarray, factor: np.ndarray) -> None:
        fill_yue_wang(rows, slope, lags, factor)

    return _corrected(series, trend, fill, threads)


def trend_free_prewhitened(series: np.ndarray, trend: TrendResult, threads: int = 2) -> TrendResult:
    """Test the series without trend and lag-one memory, the trend added again.

    slope is that of the plain test, since the memory of the noise does not bias it; n counts the
    prewhitened values, one less than T at least. NaN where fewer than 4 are left.
    """
    from soilfuse.trends.memory_kernels import fill_prewhitened, fill_scores

    series = np.asarray(series)
    slopes, result = trend.slope.reshape(-1), np.empty((3, trend.slope.size))

    def fill(rows: np.ndarray, where: slice) -> None:
        white = np.empty((rows.shape[0], rows.shape[1] - 1))
        fill_prewhitened(rows, slopes[where], white)
        fill_scores(white, MINIMUM_VALID, result[:, where])

    each_block(series, fill, threads)
    s, var_s, n = result.reshape(3, *series.shape[1:])
    z = normalised(s, var_s)
    return TrendResult(s, var_s, z, two_sided_p(z), trend.slope, n.astype(np.int64))


def sens_interval(
    series: np.ndarray, trend: TrendResult, level: float = 0.95, threads: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Return the (...) ends of the confidence interval of Sen's slope (Sen 1968, equation 2.6).

    The slopes between every two values whose ranks are +- z sqrt(var S) / 2 from the middle, as in
    scipy.stats.theilslopes, which it equals. A constant series has 0 and 0; NaN where not tested.
    """
    from scipy.stats import norm

    from soilfuse.trends.memory_kernels import fill_between

    n = trend.n.reshape(-1)
    tested = n >= MINIMUM_VALID
    pairs = n * (n - 1) // 2
    width = norm.ppf((1 + level) / 2) * np.sqrt(np.where(tested, trend.var_s.reshape(-1), 0.0))
    first = np.maximum(np.round((pairs - width) / 2) - 1, 0).astype(np.int64)
    last = np.minimum(np.round((pairs + width) / 2), pairs - 1).astype(np.int64)
    first[~tested] = -1
    ends = np.empty((2, n.size))

    def fill(rows: np.ndarray, where: slice) -> None:
        fill_between(rows, first[where], last[where], ends[:, where])

    each_block(np.asarray(series), fill, threads)
    low, high = ends.reshape(2, *trend.slope.shape)
    return low, high


def with_memory(
    series: np.ndarray, trend: TrendResult, settings: Trends, threads: int = 2
) -> dict[str, np.ndarray]:
    """Return what is told of (T, ...) series beside the plain test, each (...), by name."""
    low, high = sens_interval(series, trend, settings.confidence, threads)
    lags = settings.hamed_rao_lags or None
    return {
        "sens_slope_low": low,
        "sens_slope_high": high,
        "p_hamed_rao": hamed_rao(series, trend, settings.alpha, lags, threads).p,
        "p_yue_wang": yue_wang(series, trend, threads=threads).p,
        "p_prewhitened": trend_free_prewhitened(series, trend, threads).p,
    }


Factors = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


def _corrected(
    series: np.ndarray, trend: TrendResult, factors: Factors, threads: int
) -> ModifiedResult:
    series = np.asarray(series)
    slopes: np.ndarray = trend.slope.reshape(-1)
    flat = np.empty(slopes.size)

    def fill(rows: np.ndarray, where: slice) -> None:
        factors(rows, slopes[where], flat[where])

    each_block(series, fill, threads)
    factor: np.ndarray = flat.reshape(trend.slope.shape)
    factor[np.isnan(trend.s)] = np.nan
    with np.errstate(invalid="ignore"):
        variance = np.where(factor > 0, factor, 1.0) * trend.var_s
    z = normalised(trend.s, variance)
    return ModifiedResult(factor, z, two_sided_p(z))
