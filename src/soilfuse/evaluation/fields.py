"""One pass over gridded fields: the statistics of every month, layer and region."""

from collections.abc import Mapping

import numpy as np

from soilfuse.evaluation.metrics import STATISTICS, pair_terms
from soilfuse.grids.months import month_of

CHUNK_MONTHS = 6  # whose terms stay in the processor's cache


def region_weights(area: np.ndarray, masks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the (H, W) area weights of each region: its cells' areas in km2, 0 outside."""
    return {region: np.where(mask, area, 0.0) for region, mask in masks.items()}


def truth_climatology(truth: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return the (12, ...) float64 mean of each calendar month of (T, ...), NaN left out.

    NaN where nothing is valid, as in calendar months that do not occur.
    """
    normal = np.full((12, *truth.shape[1:]), np.nan)
    for number in np.unique(month_of(months)):
        part = truth[month_of(months) == number]
        valid = np.isfinite(part)
        total = np.where(valid, part, 0).sum(axis=0, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            normal[number - 1] = total / valid.sum(axis=0)
    return normal


def field_statistics(
    prediction: np.ndarray,
    truth: np.ndarray,
    months: np.ndarray,
    weights: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Return the (T, D, G, S) sums of each month, layer and region over its valid cells.

    prediction, truth: (T, D, H, W) m3 m-3, NaN = missing; months: (T,) keys; weights: G arrays
    (H, W), 0 outside the region. Anomalies are from the truth's climatology over these months.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction is {prediction.shape}, truth {truth.shape}")
    stacked = np.stack([weight.ravel() for weight in weights.values()])
    cells = np.flatnonzero((stacked > 0).any(axis=0))
    stacked = stacked[:, cells].T
    presence = (stacked > 0).astype(np.float64)
    flat = (*truth.shape[:2], -1)
    of_prediction, of_truth = prediction.reshape(flat), truth.reshape(flat)
    normal = truth_climatology(of_truth[:, :, cells], months)
    calendar = month_of(months) - 1
    sums = np.empty((*truth.shape[:2], len(weights), len(STATISTICS)))
    for start in range(0, len(months), CHUNK_MONTHS):
        here = slice(start, start + CHUNK_MONTHS)
        terms = pair_terms(
            of_prediction[here][:, :, cells], of_truth[here][:, :, cells], normal[calendar[here]]
        )
        sums[here, :, :, 0] = terms[0] @ presence
        sums[here, :, :, 1:] = np.moveaxis(terms[1:] @ stacked, 0, -1)
    return sums
