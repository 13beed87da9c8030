"""Tests for series with memory against pymannkendall, scipy, published values, and their size."""

import warnings
from pathlib import Path

import numpy as np
import pymannkendall
import pytest
from benchmarks.trend_sizes import rejected
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, theilslopes
from tests.trends.test_mann_kendall import column, expected, published

from soilfuse import seeding
from soilfuse.trends.field_significance import false_discovery
from soilfuse.trends.mann_kendall import trend_test
from soilfuse.trends.modified import (
    hamed_rao,
    sens_interval,
    trend_free_prewhitened,
    yue_wang,
)


def with_memory(rho, steps, number, slope=0.02):
    rng = seeding.generator(5, "memory", int(100 * rho) + 100, steps)
    noise = rng.normal(size=(steps, number))
    values = noise.copy()
    values[0] /= np.sqrt(1 - rho**2)
    for t in range(1, steps):
        values[t] = rho * values[t - 1] + noise[t]
    return values + slope * np.arange(steps)[:, None]


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.6, 0.9])
@pytest.mark.parametrize("steps", [5, 20, 86])
def test_equal_pymannkendall_without_gaps(rho, steps):
    values = with_memory(rho, steps, 25)
    trend = trend_test(values)
    rao, yue = hamed_rao(values, trend), yue_wang(values, trend)
    white = trend_free_prewhitened(values, trend)
    for i, one in enumerate(values.T):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of negative variances there
            theirs = pymannkendall.hamed_rao_modification_test(one)
            assert rao.factor[i] * trend.var_s[i] == pytest.approx(theirs.var_s)
            if rao.factor[i] > 0:
                assert rao.z[i] == pytest.approx(theirs.z)
            theirs = pymannkendall.yue_wang_modification_test(one, lag=1)
            assert yue.factor[i] * trend.var_s[i] == pytest.approx(theirs.var_s)
            if yue.factor[i] > 0:
                assert yue.z[i] == pytest.approx(theirs.z)
        theirs = pymannkendall.trend_free_pre_whitening_modification_test(one)
        assert (white.s[i], white.var_s[i]) == (theirs.s, theirs.var_s)
        assert white.slope[i] == trend.slope[i]


def test_fewer_lags_are_those_of_pymannkendall():
    values = with_memory(0.6, 40, 20)
    trend = trend_test(values)
    found = hamed_rao(values, trend, lags=3), yue_wang(values, trend, lags=3)
    for i, one in enumerate(values.T):
        theirs = pymannkendall.hamed_rao_modification_test(one, lag=3)
        assert found[0].z[i] == pytest.approx(theirs.z)
        theirs = pymannkendall.yue_wang_modification_test(one, lag=3)
        assert found[1].z[i] == pytest.approx(theirs.z)


def test_rank_ties_share_their_mean():
    values = with_memory(0.5, 30, 20, slope=0.0).round(0)
    trend = trend_test(values)
    flat = trend.slope == 0  # else detrending breaks the ties
    assert flat.sum() > 10
    rao = hamed_rao(values, trend)
    for i in np.flatnonzero(flat):
        theirs = pymannkendall.hamed_rao_modification_test(values[:, i])
        assert rao.factor[i] * trend.var_s[i] == pytest.approx(theirs.var_s)


def test_what_is_missing_at_the_ends_is_no_gap():
    """As the first winter of a product, which has no December before it."""
    values = with_memory(0.6, 40, 30)
    ended = np.concatenate([np.full((1, 30), np.nan), values, np.full((2, 30), np.nan)])
    for method in (hamed_rao, yue_wang, trend_free_prewhitened):
        alone, found = method(values, trend_test(values)), method(ended, trend_test(ended))
        np.testing.assert_allclose(found.z, alone.z, rtol=1e-9, err_msg=method.__name__)


def test_a_lag_is_a_number_of_steps_where_values_are_missing():
    """Every second value of a series with memory of one step has no memory of one step left."""
    values = with_memory(0.9, 86, 300, slope=0.0)
    values[1::2] = np.nan
    trend = trend_test(values)
    alone = yue_wang(values, trend)
    assert (alone.factor == 1).all()  # no pair of neighbours, so nothing is known of lag one
    assert (yue_wang(values, trend, lags=2).factor > 1.3).mean() > 0.9
    compressed = yue_wang(values[::2], trend_test(values[::2]))
    assert np.median(compressed.factor) > 1.3  # what dropping the gaps would have made of it


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_gaps_at_random_change_little(rho):
    """With a tenth of the years missing the tests reject about as often as with all of them."""
    values = with_memory(rho, 86, 800, slope=0.0)
    holed = np.where(seeding.generator(5, "holes").random(values.shape) < 0.1, np.nan, values)
    for method in (hamed_rao, yue_wang, trend_free_prewhitened):
        whole = float((method(values, trend_test(values)).p < 0.05).mean())
        part = float((method(holed, trend_test(holed)).p < 0.05).mean())
        assert part == pytest.approx(whole, abs=0.08), method.__name__


def test_two_pairs_of_neighbours_tell_no_correlation():
    values = with_memory(0.9, 20, 8, slope=0.0)
    values[3::2] = np.nan  # but 0, 1 and 2 are neighbours
    assert (yue_wang(values, trend_test(values)).factor == 1).all()
    values[9] = 0.1  # two pairs more
    assert (yue_wang(values, trend_test(values)).factor != 1).all()


def test_a_correlation_of_few_pairs_stays_within_one():
    values = with_memory(0.5, 30, 400, slope=0.0)
    values[seeding.generator(5, "sparse").random(values.shape) < 0.7] = np.nan
    factor = yue_wang(values, trend_test(values)).factor
    tested = factor[np.isfinite(factor)]
    assert tested.size > 300
    assert (tested > -1).all() and (tested < 3).all()


@pytest.mark.parametrize("method", [hamed_rao, yue_wang, trend_free_prewhitened])
def test_few_values_are_not_tested_and_constant_ones_have_no_trend(method):
    values = np.full((10, 3), np.nan)
    values[:3, 0] = [1, 2, 3]
    values[:, 1] = 0.3
    values[:, 2] = np.arange(10)
    found = method(values, trend_test(values))
    assert np.isnan(found.p[0])
    assert found.p[1] == 1
    assert found.p[2] < 0.05


def test_a_variance_that_is_corrected_away_leaves_the_plain_test():
    values = np.tile([1.0, -1.0], 10)[:, None] + 1e-3 * np.arange(20)[:, None]
    trend = trend_test(values)
    found = yue_wang(values, trend)
    assert found.factor[0] < 0
    assert (found.z[0], found.p[0]) == (trend.z[0], trend.p[0])


def test_sizes_with_and_without_memory():
    """At 5 % of trendless series the tests reject what docs/trends.md says they do."""
    rejected = {}
    for rho in (0.0, 0.6):
        values = with_memory(rho, 86, 1500, slope=0.0)
        trend = trend_test(values)
        tests = {
            "plain": trend,
            "hamed_rao": hamed_rao(values, trend, lags=3),
            "yue_wang": yue_wang(values, trend),
            "prewhitened": trend_free_prewhitened(values, trend),
        }
        rejected[rho] = {name: float((test.p < 0.05).mean()) for name, test in tests.items()}
    assert all(0.03 < share < 0.08 for share in rejected[0.0].values()), rejected
    assert rejected[0.6]["plain"] > 0.25
    for name in ("hamed_rao", "yue_wang"):
        assert rejected[0.6][name] < 0.6 * rejected[0.6]["plain"], rejected
    # no protection: the trend that it adds again is larger than the noise that it leaves
    assert rejected[0.6]["prewhitened"] > rejected[0.6]["plain"], rejected


@pytest.mark.parametrize(("steps", "memory"), [(20, 0.0), (20, 0.6), (30, 0.9), (86, 0.3)])
def test_the_table_of_sizes_in_the_docs_is_what_the_benchmark_counts(steps, memory):
    text = (Path(__file__).parents[2] / "docs" / "trends.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {steps} | {memory} |"))
    told = [float(cell) for cell in row.split("|")[3:-1]]
    assert told == pytest.approx(rejected(steps, memory), abs=0.00051)


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_the_interval_is_scipys(gaps):
    values = with_memory(0.3, 45, 40).round(1)
    values[seeding.generator(5, "gaps").random(values.shape) < gaps] = np.nan
    low, high = sens_interval(values, trend_test(values), 0.9)
    for i, one in enumerate(values.T):
        kept = np.flatnonzero(np.isfinite(one))
        theirs = theilslopes(one[kept], kept, alpha=0.9)
        assert low[i] == pytest.approx(theirs.low_slope, abs=1e-12)
        assert high[i] == pytest.approx(theirs.high_slope, abs=1e-12)


def test_the_interval_of_what_has_none():
    values = np.full((10, 2), np.nan)
    values[:, 1] = 0.3
    low, high = sens_interval(values, trend_test(values))
    assert np.isnan(low[0]) and np.isnan(high[0])
    assert low[1] == high[1] == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40), st.sampled_from([0.5, 0.9, 0.99]))
def test_the_interval_holds_the_slope(seed, steps, level):
    values = np.random.default_rng(seed).normal(size=(steps, 3)).round(1)
    trend = trend_test(values)
    low, high = sens_interval(values, trend, level)
    assert (low <= trend.slope).all() and (trend.slope <= high).all()


@published
def test_published_interval():
    values = column("trend_maxau.csv", "s")[:, None]
    low, high = sens_interval(values, trend_test(values))
    ends = expected()["sens.slope(maxau[,'s'])"]["ci95"]
    assert [low[0], high[0]] == pytest.approx(ends, abs=5e-8)


def test_false_discovery_is_scipys_and_leaves_out_what_was_not_tested():
    rng = seeding.generator(5, "discovery")
    p = np.concatenate([rng.random(200), rng.random(40) * 1e-3])
    held = false_discovery(p, 0.1)
    assert 30 < held.sum() < 60
    np.testing.assert_array_equal(held, false_discovery_control(p) <= 0.1)
    gaps = np.concatenate([p, np.full(1000, np.nan)]).reshape(31, 40)
    np.testing.assert_array_equal(false_discovery(gaps, 0.1).reshape(-1)[:240], held)
    assert not false_discovery(np.full(4, np.nan), 0.1).any()
