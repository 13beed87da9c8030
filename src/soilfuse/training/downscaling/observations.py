"""What the coarse sensor saw, summed up over time and brought to the fine grid.

Letters: T steps, H x W fine and h x w coarse cells.
"""

import numpy as np

from soilfuse.training.downscaling.sample import Sample

FEWEST = 5  # observations that a mean or a spread of one cell needs


def cell_means(observed: np.ndarray, otherwise: np.ndarray | None = None) -> np.ndarray:
    """Return (h, w) means of (T, h, w) with NaN left out.

    otherwise: what stands where a cell has too few; else the mean over all cells.
    """
    count = np.isfinite(observed).sum(axis=0)
    means = np.nansum(observed, axis=0, dtype=np.float64) / np.maximum(count, 1)
    if otherwise is None:
        otherwise = np.full(means.shape, np.nanmean(observed, dtype=np.float64))
    return np.asarray(np.where(count >= FEWEST, means, otherwise))


def between_centres(coarse: np.ndarray, sample: Sample) -> np.ndarray:
    """Return (..., H, W), bilinear between the centres of (..., h, w).

    Beyond the outermost centres their value holds.
    """
    north = _weights(sample.lat, sample.coarse_lat)
    east = _weights(sample.lon, sample.coarse_lon)
    return np.asarray(north @ coarse @ east.T)


def _weights(fine: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """Return the (F, C) weights of linear interpolation, the outermost held beyond the ends."""
    return np.stack([np.interp(fine, coarse, one) for one in np.eye(len(coarse))], axis=1)
