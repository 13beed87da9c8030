"""Taylor statistics of series against a reference, standardised by it, and Taylor's skill score.

Letters: T months, N series.
"""

from collections.abc import Mapping

import numpy as np

from soilfuse.evaluation.metrics import CONSTANT

BEST = 1.0  # correlation that a model can reach at best (R0)


def tss(r: np.ndarray, sd_ratio: np.ndarray) -> np.ndarray:
    """Return 4 (1 + R) / ((s + 1/s)^2 (1 + R0)), 1 at best (Taylor 2001, equation 4).

    r: correlation; sd_ratio: standard deviation over the reference's; NaN where it is 0.
    """
    ratio = np.where(np.asarray(sd_ratio) > 0, sd_ratio, np.nan)
    return np.asarray(4 * (1 + np.asarray(r)) / ((ratio + 1 / ratio) ** 2 * (1 + BEST)))


def standardised_taylor(series: np.ndarray, reference: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return n, r, sd_ratio, crmsd and tss, each (N,), of (T, N) series against (T, N).

    sd_ratio and crmsd (centred) are over the reference's standard deviation, so that
    crmsd^2 = 1 + s^2 - 2 s r. Months with a gap on either side do not count; NaN where either side
    is constant but for rounding or has fewer than three months.
    """
    both = np.isfinite(series) & np.isfinite(reference)
    n = both.sum(axis=0)
    given = [np.where(both, side, np.nan) for side in (series, reference)]
    x, y = (_centred(side) for side in given)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd_x, sd_y = (np.sqrt(np.nansum(z**2, axis=0) / n) for z in (x, y))
        level_x, level_y = (np.nansum(side**2, axis=0) / n for side in given)
        moving = (n > 2) & (sd_x**2 > CONSTANT * level_x) & (sd_y**2 > CONSTANT * level_y)
        r = np.where(moving, np.nansum(x * y, axis=0) / n / (sd_x * sd_y), np.nan)
        ratio = np.where(moving, sd_x / sd_y, np.nan)
        crmsd = np.where(moving, np.sqrt(np.nansum((x - y) ** 2, axis=0) / n) / sd_y, np.nan)
    r = np.clip(r, -1, 1)
    return {"n": n, "r": r, "sd_ratio": ratio, "crmsd": crmsd, "tss": tss(r, ratio)}


def _centred(values: np.ndarray) -> np.ndarray:
    n = np.isfinite(values).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(values - np.nansum(values, axis=0) / n)
