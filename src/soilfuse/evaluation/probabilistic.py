"""What the spread is worth: CRPS, and how often intervals hold the observed value.

Two intervals about a prediction. `spread`: mean +- z x standard deviation over the fold networks,
as the product's files give it. `residuals`: prediction +- the quantile of the absolute errors that
were made out of fold in the same cell and layer (split conformal prediction, Lei et al. 2018,
doi:10.1080/01621459.2017.1307116). Both are judged in the final test, and against
the pseudo-reality's future (evaluation.future_spread): out of fold one network predicts a month
that others were trained on, so no spread exists there.
"""

import numpy as np
from scipy.special import ndtr, ndtri

SPREAD, RESIDUALS = "spread", "residuals"
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def crps_gaussian(mean: np.ndarray, sd: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the continuous ranked probability score of normal predictions, in their unit.

    Gneiting et al. 2005 (doi:10.1175/MWR2904.1), equation 5; |mean - truth| where sd is 0, NaN
    where any of the three is NaN or sd is negative.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (truth - mean) / sd
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        score = sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return np.where(sd > 0, score, np.where(sd == 0, np.abs(truth - mean), np.nan))


def conformal_half_widths(residuals: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Return (L, ...) half widths that hold a new error with probability `level`, or more.

    residuals: (T, ...) errors of months that the prediction was not fitted on, NaN = missing. Of n
    errors it is the ceil((n + 1) level)-th smallest absolute one; NaN where n is too small for
    that. Exact for exchangeable errors; those of neighbouring months are alike, so it is near.
    """
    if not len(residuals):
        return np.full((len(levels), *residuals.shape[1:]), np.nan)
    ordered = np.sort(np.abs(residuals), axis=0)  # NaN last
    n = np.isfinite(ordered).sum(axis=0)
    widths = []
    for level in levels:
        # A hair below, or 0.7 x 10 would be the eighth of nine errors.
        rank = np.ceil((n + 1) * level - 1e-9).astype(int)
        place = np.clip(rank - 1, 0, len(ordered) - 1)
        found = np.take_along_axis(ordered, place[None], axis=0)[0]
        widths.append(np.where((rank >= 1) & (rank <= n), found, np.nan))
    return np.stack(widths)


def normal_half_widths(sd: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Return the (L, ...) half widths of central intervals of normal predictions."""
    z = ndtri((1 + np.array(levels)) / 2)
    return z.reshape(-1, *[1] * sd.ndim) * sd


def coverage_sums(error: np.ndarray, half_width: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return (5, D, G) sums over months and cells: n, and weights, held, x width, x overshoot.

    The overshoot is how far an observed value lies beyond an interval, 0 inside. Arguments as of
    `coverage`; sums of parts of the months add up.
    """
    valid = np.isfinite(error) & np.isfinite(half_width)
    absolute = np.abs(error)
    held = valid & (absolute <= half_width)
    beyond = np.where(valid & ~held, absolute - half_width, 0).sum(axis=0, dtype=np.float64)
    n, width = valid.sum(axis=0), np.where(np.isfinite(half_width), 2 * half_width, 0)
    if half_width.ndim == error.ndim:
        width = np.where(valid, width, 0).sum(axis=0, dtype=np.float64)
    else:
        width = n * width
    terms = (n, held.sum(axis=0), width, beyond)
    return np.stack([n @ (weights > 0).astype(float), *(term @ weights for term in terms)])


def coverage(
    error: np.ndarray, half_width: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (D, G) n, share and mean width of the intervals that hold the observed value.

    error: (T, D, C) prediction minus truth; half_width: the same or (D, C); weights: (C, G). Pairs
    that lack either do not count; NaN where none is left.
    """
    n, share, width, _ = shares(coverage_sums(error, half_width, weights))
    return n, share, width


def shares(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return n, share, mean width and mean overshoot of the sums of `coverage_sums`."""
    n, weight, held, width, beyond = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        return n.astype(int), held / weight, width / weight, beyond / weight


def interval_score(width: np.ndarray, overshoot: np.ndarray, level: float) -> np.ndarray:
    """Return the mean interval score, in the width's unit: width plus 2 / (1 - level) overshoot.

    Lower is better. Proper for intervals as CRPS is for distributions (Gneiting and Raftery 2007,
    doi:10.1198/016214506000001437, equation 43).
    """
    return np.asarray(width + 2 / (1 - level) * overshoot)


def crps_sums(error: np.ndarray, spread: np.ndarray | None, weights: np.ndarray) -> np.ndarray:
    """Return (6, D, G) sums: n, weight, and of CRPS, |error|, error squared, variance by weight.

    error: (T, D, C); spread: the same of standard deviations; weights: (C, G). Pairs that lack
    either do not count. Without a spread CRPS is the absolute error, which the score is for such a
    prediction, and the variance NaN.
    """
    absolute = np.abs(error.astype(np.float64))
    if spread is None:
        score, variance = absolute, np.full_like(absolute, np.nan)
    else:
        score = crps_gaussian(error, spread, np.zeros_like(error))
        variance = spread.astype(np.float64) ** 2
    valid = np.isfinite(score)
    terms = [valid, *(np.where(valid, x, 0) for x in (score, absolute, absolute**2, variance))]
    weight, *sums = (term.sum(axis=0) @ weights for term in terms)
    return np.stack([valid.sum(axis=0) @ (weights > 0).astype(float), weight, *sums])
