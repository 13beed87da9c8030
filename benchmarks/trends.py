"""Trend test of the paper's whole grid against a loop over pymannkendall.

71 x 151 cells, five layers, 86 years. The loop is timed on a sample of the cells, since the whole
would take a minute; both ways must agree on that sample. The same in dask chunks and in torch on
the processor, which exist for fields beyond memory and for GPUs. What is told besides, against the
same tests of pymannkendall and the interval of scipy: the interval of the slope, Hamed and Rao,
Yue and Wang, trend-free prewhitening.
"""

import sys
from collections.abc import Callable

import numpy as np
import pymannkendall
import scipy.stats
import torch
import xarray as xr

from benchmarks.harness import Timing, fastest, floors_met, record
from soilfuse import config, seeding
from soilfuse.trends.lazy import OUTPUTS, trend_dataset
from soilfuse.trends.mann_kendall import TrendResult, trend_test
from soilfuse.trends.modified import with_memory
from soilfuse.trends.on_device import trend_test_torch

SHAPE = (86, 5, 71, 151)
SAMPLE = 400
REPEATS = 7
TOLERANCE = 1e-12
FLOOR = 250.0


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
    ours, baseline = microseconds(lambda: trend_test(values, threads), values)
    return timing(f"{name}, {threads} threads", ours, baseline, values, floor=FLOOR)


def microseconds(
    ours: Callable[[], TrendResult],
    values: np.ndarray,
    theirs: Callable[[np.ndarray], object] = pymannkendall.original_test,
    repeats: int = REPEATS,
) -> tuple[float, float]:
    """Return both ways' microseconds a series, agreed on the sampled ones."""
    columns = values.reshape(SHAPE[0], -1)
    cells = seeding.generator(1, "benchmark", "cells").choice(columns.shape[1], SAMPLE, False)
    sample = columns[:, cells].astype(float).T
    require_agreement(ours(), cells, [pymannkendall.original_test(one) for one in sample])
    seconds = fastest(ours, repeats)  # compiled by now
    loop = fastest(lambda: [theirs(one) for one in sample], 3)
    return 1e6 * seconds / columns.shape[1], 1e6 * loop / SAMPLE


def timing(
    name: str, ours: float, baseline: float, values: np.ndarray, floor: float | None = None
) -> Timing:
    """Return one row."""
    unit, number = "us a series of 86 years", values[0].size
    return Timing(name, ours, baseline, unit, number, floor)


def in_dask(threads: int) -> Timing:
    """Time the lazy path on chunks of half a layer, 2 MB each.

    dask and xarray take a millisecond or so for every chunk: in chunks of ten rows a series took
    6.3 us in place of 4.4.
    """
    values = grid_of_series(0.0)
    field = xr.DataArray(values, dims=("year", "depth", "lat", "lon"))
    chunked = field.chunk({"depth": 1, "lat": 36})

    def ours() -> TrendResult:
        found = trend_dataset(chunked).compute(scheduler="threads", num_workers=threads)
        return TrendResult(**{name: found[name].values for name in OUTPUTS})

    return timing("the same in dask chunks", *microseconds(ours, values), values, floor=FLOOR)


def in_torch() -> Timing:
    """Time the torch path on a tenth of the grid."""
    values = np.ascontiguousarray(grid_of_series(0.0)[:, :, :7])
    series = torch.from_numpy(values)
    columns = values.reshape(SHAPE[0], -1)
    cells = np.arange(50)
    theirs = [pymannkendall.original_test(one) for one in columns[:, cells].T.astype(float)]
    require_agreement(trend_test_torch(series), cells, theirs)
    seconds = fastest(lambda: trend_test_torch(series), 2)
    loop = fastest(lambda: [pymannkendall.original_test(c) for c in columns[:, cells].T], 3)
    ours, baseline = 1e6 * seconds / columns.shape[1], 1e6 * loop / cells.size
    return timing("the same in torch on the processor", ours, baseline, values)


def besides(threads: int) -> Timing:
    """Time what is told beside the plain test."""
    values = grid_of_series(0.0)
    settings = config.load().trends
    lags = settings.hamed_rao_lags or None

    def ours() -> TrendResult:
        trend = trend_test(values, threads)
        told.update(with_memory(values, trend, settings, threads))
        return trend

    def theirs(one: np.ndarray) -> tuple[float, ...]:
        rao = pymannkendall.hamed_rao_modification_test(one, lag=lags)
        yue = pymannkendall.yue_wang_modification_test(one, lag=1)
        white = pymannkendall.trend_free_pre_whitening_modification_test(one)
        interval = scipy.stats.theilslopes(one, alpha=settings.confidence)
        return interval.low_slope, interval.high_slope, rao.p, yue.p, white.p

    told: dict[str, np.ndarray] = {}
    ours()
    for cell, one in enumerate(values.reshape(SHAPE[0], -1)[:, :50].T.astype(float)):
        both = zip(told.values(), theirs(one), strict=True)
        assert all(abs(mine.flat[cell] - other) <= 1e-9 for mine, other in both), cell
    measured = microseconds(ours, values, theirs, 2)
    return timing("plain test, memory and intervals", *measured, values)


def main() -> bool:
    """Write benchmarks/results/trends.json; return whether a floor is missed."""
    threads = config.load().compute.threads
    timings = [
        compare("Mann-Kendall and Sen, 53,605 series", gaps=0.0, threads=threads),
        compare("the same with 5 % missing", gaps=0.05, threads=threads),
        in_dask(threads),
        in_torch(),
        besides(threads),
    ]
    record("trends", timings)
    return not floors_met(timings)


if __name__ == "__main__":
    sys.exit(main())
