"""Correlation of soil moisture with the water that the surface gains, and its significance.

Letters: T months, H, W cells.
"""

from typing import NamedTuple

import numpy as np

from soilfuse.evaluation.metrics import CONSTANT, MINIMUM_PAIRS


class Correlation(NamedTuple):
    """Each (H, W): correlation, its p, and p with the sample that autocorrelation leaves."""

    r: np.ndarray
    p: np.ndarray
    p_effective: np.ndarray


def correlation_map(one: np.ndarray, other: np.ndarray) -> Correlation:
    """Return Pearson's correlation per cell of two (T, H, W) fields, with two-sided p values.

    p counts every month as independent, as the paper does; p_effective takes
    n (1 - r1 r2) / (1 + r1 r2) months, r1 and r2 the lag-one autocorrelations (Bretherton et al.
    1999). NaN where a month is missing, a series is constant but for rounding, or there are fewer
    than three months.
    """
    x, y = (field - field.mean(axis=0, dtype=np.float64) for field in (one, other))
    n = len(x)
    moves = [
        (z**2).sum(axis=0) > CONSTANT * (field.astype(np.float64) ** 2).sum(axis=0)
        for z, field in ((x, one), (y, other))
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))
        known = moves[0] & moves[1] & (n >= MINIMUM_PAIRS)
        r = np.where(known, np.clip((x * y).sum(axis=0) / spread, -1, 1), np.nan)
        memory = _lag_one(x) * _lag_one(y)
        effective = np.clip(n * (1 - memory) / (1 + memory), 3, n)
    return Correlation(r, _p_value(r, np.full(r.shape, float(n))), _p_value(r, effective))


def _lag_one(centred: np.ndarray) -> np.ndarray:
    return np.asarray((centred[1:] * centred[:-1]).sum(axis=0) / (centred**2).sum(axis=0))


def _p_value(r: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return two-sided p of a correlation of n pairs by Student's t."""
    import scipy.stats

    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.abs(r) * np.sqrt((n - 2) / (1 - r**2))
    return np.asarray(2 * scipy.stats.t.sf(t, n - 2))
