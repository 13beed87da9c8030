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


def _differences(
    counts: np.ndarray, candidate: np.ndarray, other: np.ndarray, chosen: tuple[str, ...]
) -> dict[str, np.ndarray]:
    values = []
    for statistics in (candidate, other):
        summed = counts @ statistics.reshape(len(statistics), -1)
        values.append(metrics(summed.reshape(len(counts), *statistics.shape[1:]), chosen))
    return {metric: values[0][metric] - values[1][metric] for metric in chosen}


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
    if candidate.shape != other.shape:
        raise ValueError(f"candidate is {candidate.shape}, other {other.shape}")
    rng = generator(seed, "bootstrap")
    counts = block_counts(len(candidate), samples, block, rng)
    whole = _differences(np.ones((1, len(candidate))), candidate, other, chosen)
    drawn = _differences(counts, candidate, other, chosen)
    parts = []
    for metric in chosen:
        low, high = np.quantile(drawn[metric], TAILS, axis=0)
        part = {
            "layer": np.arange(1, candidate.shape[1] + 1),
            "metric": metric,
            "difference": whole[metric][0],
            "low": low,
            "high": high,
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)[INTERVAL_COLUMNS]


def paired_mean_rmse(
    candidate: np.ndarray, other: np.ndarray, samples: int, block: int, seed: int
) -> tuple[float, float, float]:
    """Return candidate minus other of the RMSE averaged over layers, with its 95 % interval.

    candidate, other: (T, D, S) sums of the same months. Returns (difference, low, high) in m3 m-3.
    """
    if candidate.shape != other.shape:
        raise ValueError(f"candidate is {candidate.shape}, other {other.shape}")
    counts = block_counts(len(candidate), samples, block, generator(seed, "bootstrap"))
    every = np.concatenate([np.ones((1, len(candidate))), counts])
    difference = _differences(every, candidate, other, ("rmse",))["rmse"].mean(axis=-1)
    low, high = np.quantile(difference[1:], TAILS)
    return float(difference[0]), float(low), float(high)
