"""Trend test of the paper's whole grid against a loop over pymannkendall.

71 x 151 cells, five layers, 86 years. The loop is timed on a sample of the cells, since the whole
would take a minute; both ways must agree on that sample.
"""

import numpy as np
import pymannkendall

from benchmarks.harness import Timing, fastest, record
from soilfuse import config, seeding
from soilfuse.trends.mann_kendall import TrendResult, trend_test

SHAPE = (86, 5, 71, 151)
SAMPLE = 400
REPEATS = 7
TOLERANCE = 1e-12


def grid_of_series(gaps: float) -> np.ndarray:
    """Return (86, 5, 71, 151) float32 soil moisture with a trend, a share of it missing."""
    rng = seeding.generator(1, "benchmark", "trends")
    years = np.arange(SHAPE[0])[:, None, None, None]
    values = (0.25 + 2e-4 * years + rng.normal(0, 0.01, SHAPE)).astype(np.float32)
    values[rng.random(SHAPE) < gaps] = np.nan
    return values


def require_agreement(ours: TrendResult, cells: np.ndarray, theirs: list) -> None:
    """Raise AssertionError unless both ways agree on every sampled cell."""
    for cell, result in zip(cells, theirs, strict=True):
        assert ours.s.flat[cell] == result.s
        assert ours.var_s.flat[cell] == result.var_s
        assert abs(ours.p.flat[cell] - result.p) <= TOLERANCE
        assert abs(ours.slope.flat[cell] - result.slope) <= TOLERANCE


def compare(name: str, gaps: float, threads: int) -> Timing:
    """Time both ways in microseconds a series."""
    values = grid_of_series(gaps)
    columns = values.reshape(SHAPE[0], -1)
    cells = seeding.generator(1, "benchmark", "cells").choice(columns.shape[1], SAMPLE, False)
    sample = columns[:, cells].astype(float).T
    ours = trend_test(values, threads)  # compiled by now
    require_agreement(ours, cells, [pymannkendall.original_test(one) for one in sample])
    seconds = fastest(lambda: trend_test(values, threads), REPEATS)
    loop = fastest(lambda: [pymannkendall.original_test(one) for one in sample], 3)
    scale = 1e6
    return Timing(
        name=f"{name}, {threads} threads",
        ours=scale * seconds / columns.shape[1],
        baseline=scale * loop / SAMPLE,
        unit="us a series of 86 years",
        n=columns.shape[1],
    )


def main() -> None:
    """Write benchmarks/results/trends.json."""
    threads = config.load().compute.threads
    record(
        "trends",
        [
            compare("Mann-Kendall and Sen, 53,605 series", gaps=0.0, threads=threads),
            compare("the same with 5 % missing", gaps=0.05, threads=threads),
        ],
    )


if __name__ == "__main__":
    main()
