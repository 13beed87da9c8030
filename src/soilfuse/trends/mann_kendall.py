"""Mann-Kendall test with ties and Sen's slope for every cell of a grid at once.

Mann (1945, doi:10.2307/1907187), Kendall (1975), Sen (1968, doi:10.1080/01621459.1968.10480934);
Li et al. (2024), equations 11 to 14.
"""

from dataclasses import dataclass

import numpy as np

from soilfuse.trends.blocks import each_block

MINIMUM_VALID = 4  # fewer values cannot reach any usual level of significance


@dataclass(frozen=True)
class TrendResult:
    """Statistics of the test, each (...) float64 with the shape of the cells; NaN = not tested.

    s: Mann-Kendall's S; var_s: its variance with ties; z: normalised with continuity correction;
    p: two-sided; slope: Sen's, in the series' unit per step; n: number of valid values, never NaN.
    """

    s: np.ndarray
    var_s: np.ndarray
    z: np.ndarray
    p: np.ndarray
    slope: np.ndarray
    n: np.ndarray


def two_sided_p(z: np.ndarray | float) -> np.ndarray:
    """Return 2 (1 - Phi(|z|)) through the complementary error function.

    The difference from 1 would be 0 from |z| = 8.3 on.
    """
    from scipy.special import erfc

    return erfc(np.abs(z) / np.sqrt(2.0))


def normalised(s: np.ndarray, var_s: np.ndarray) -> np.ndarray:
    """Return Z = (S - sign S) / sqrt(var S), 0 where S is 0 (Li et al. 2024, equation 13)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(s == 0, 0.0, (s - np.sign(s)) / np.sqrt(var_s))


def trend_test(series: np.ndarray, threads: int = 2) -> TrendResult:
    """Test every series for a monotonic trend and estimate its slope.

    series: (T, ...) of any unit, finite at equally spaced steps or NaN = missing; a missing value
    keeps its place, so that slopes refer to original positions. Returns arrays of shape (...), NaN
    where fewer than 4 values are valid. A constant series has slope 0 and p 1. The result does
    not depend on the number of threads. Raises UserError where a value is infinite.
    """
    from soilfuse.trends.kernels import fill_statistics

    series = np.asarray(series)
    result = np.empty((4, int(np.prod(series.shape[1:]))))

    def fill(rows: np.ndarray, where: slice) -> None:
        fill_statistics(rows, MINIMUM_VALID, result[:, where])

    each_block(series, fill, threads)
    s, var_s, slope, n = result.reshape(4, *series.shape[1:])
    z = normalised(s, var_s)
    return TrendResult(s=s, var_s=var_s, z=z, p=two_sided_p(z), slope=slope, n=n.astype(np.int64))
