"""The mean over climate models, which most simple methods start from."""

import warnings

import numpy as np

CHUNK_MONTHS = 24  # of all models at once: nanmean copies what it is given


def multi_model_mean(inputs: np.ndarray) -> np.ndarray:
    """Return the (T, H, W) float32 mean over the climate models of (T, M, H, W), NaN left out."""
    if inputs.shape[1] == 1:
        return inputs[:, 0]
    means = np.empty((len(inputs), *inputs.shape[2:]), dtype=np.float32)
    for start in range(0, len(inputs), CHUNK_MONTHS):
        here = slice(start, start + CHUNK_MONTHS)
        with warnings.catch_warnings():
            # A cell that no model covers is NaN by intention.
            warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
            means[here] = np.nanmean(inputs[here], axis=1, dtype=np.float64)
    return means
