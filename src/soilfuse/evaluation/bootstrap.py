"""Intervals of the difference between two methods, from months resampled in blocks.

Months that follow each other are alike, and both methods are judged on the same months: whole
blocks of consecutive months are drawn with replacement (moving-block bootstrap, Kuensch 1989,
doi:10.1214/aos/1176347265), the same ones for both.
"""

import numpy as np
import pandas as pd

from soilfuse.evaluation.metrics import metrics
from soilfuse.seeding import generator

INTERVAL_COLUMNS = ["layer", "metric", "difference", "low", "high"]
COMPARED = ("rmse", "r")
LEVEL = 0.95
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def block_counts(months: int, samples: int, block: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each of T months is drawn in each of N samples, (N, T) float64.

    A sample joins blocks of `block` consecutive months, starting anywhere, until it has T months.
    """
    length = min(block, months)
    blocks = -(-months // length)
    starts = rng.integers(0, months - length + 1, size=(samples, blocks))
    drawn = (starts[:, :, None] + np.arange(length)).reshape(samples, -1)[:, :months]
    flat = drawn + np.arange(samples)[:, None] * months
    counts = np.bincount(flat.ravel(), minlength=samples * months)
    return counts.reshape(samples, months).astype(np.float64)


def resampled(counts: np.ndarray, statistics: np.ndarray, chosen: tuple[str, ...]) -> np.ndarray:
    """Return the (K, N, ...) metrics of N samples of months: counts (N, T), sums (T, ..., S)."""
    summed = counts @ statistics.reshape(len(statistics), -1)
    values = metrics(summed.reshape(len(counts), *statistics.shape[1:]), chosen)
    return np.stack([values[metric] for metric in chosen])


def with_whole(counts: np.ndarray) -> np.ndarray:
    """Put the months as they are, each once, before the N samples: (1 + N, T)."""
    return np.concatenate([np.ones((1, counts.shape[1])), counts])


def ends(differences: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return value, low and high, each (K, ...), of (K, 1 + N, ...): the whole, then its samples.

    low and high are NaN where a sample has no value.
    """
    low, high = np.quantile(differences[:, 1:], TAILS, axis=1)
    return differences[:, 0], low, high


def require_pairs(candidate: np.ndarray, other: np.ndarray) -> None:
    """Raise ValueError where two arrays of sums are not of the same months and layers."""
    if candidate.shape != other.shape:
        raise ValueError(f"candidate is {candidate.shape}, other {other.shape}")


def paired_intervals(
    candidate: np.ndarray,
    other: np.ndarray,
    samples: int,
    block: int,
    seed: int,
    chosen: tuple[str, ...] = COMPARED,
) -> pd.DataFrame:
    """Return candidate minus other for each layer and metric, with its 95 % interval.

    candidate, other: (T, D, S) sums of the same months in order of time. Negative differences of
    RMSE, positive ones of R, speak for the candidate. Columns INTERVAL_COLUMNS.
    """
    require_pairs(candidate, other)
    counts = with_whole(block_counts(len(candidate), samples, block, generator(seed, "bootstrap")))
    own, theirs = (resampled(counts, sums, chosen) for sums in (candidate, other))
    difference, low, high = ends(own - theirs)
    metric, layer = np.indices(difference.shape).reshape(2, -1)
    columns = [layer + 1, np.array(chosen)[metric], *map(np.ravel, (difference, low, high))]
    return pd.DataFrame(dict(zip(INTERVAL_COLUMNS, columns, strict=True)))


def paired_mean_rmse(
    candidate: np.ndarray, other: np.ndarray, samples: int, block: int, seed: int
) -> tuple[float, float, float]:
    """Return candidate minus other of the RMSE averaged over layers, with its 95 % interval.

    candidate, other: (T, D, S) sums of the same months. Returns (difference, low, high) in m3 m-3.
    """
    require_pairs(candidate, other)
    counts = with_whole(block_counts(len(candidate), samples, block, generator(seed, "bootstrap")))
    own, theirs = (resampled(counts, sums, ("rmse",)) for sums in (candidate, other))
    difference, low, high = ends((own - theirs).mean(axis=-1))
    return float(difference[0]), float(low[0]), float(high[0])
