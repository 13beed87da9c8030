"""The test and the slope against pymannkendall, published values and properties that must hold."""

import json
import os
from pathlib import Path

import numpy as np
import pymannkendall
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from soilfuse import seeding
from soilfuse.errors import UserError
from soilfuse.trends.mann_kendall import trend_test, two_sided_p

PUBLISHED = Path(os.environ.get("SOILFUSE_REAL_DATA", "../shared/data")) / "mann_kendall"

SITES = ("we", "ka", "mz", "ko", "bh", "bi")
published = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason="SOILFUSE_REAL_DATA holds no folder mann_kendall"
)


def expected():
    return json.loads((PUBLISHED / "trend_expected.json").read_text(encoding="utf-8"))


def column(file, name):
    table = np.genfromtxt(PUBLISHED / file, delimiter=",", names=True)
    return table[name]


def series(kind, steps, number=70):
    rng = seeding.generator(7, kind, steps)
    values = rng.normal(size=(steps, number)) + 0.02 * np.arange(steps)[:, None]
    if kind == "ties":
        values = values.round(1)
    if kind == "gaps":
        values[rng.random(values.shape) < 0.3] = np.nan
    if kind == "tied_gaps":
        values = values.round(0)
        values[rng.random(values.shape) < 0.3] = np.nan
    return values


@pytest.mark.parametrize("kind", ["plain", "ties", "gaps", "tied_gaps"])
@pytest.mark.parametrize("steps", [4, 5, 12, 20, 30, 85, 86, 240])
def test_equals_pymannkendall(kind, steps):
    values = series(kind, steps)
    ours = trend_test(values)
    tested = 0
    for i, one in enumerate(values.T):
        if np.isfinite(one).sum() < 4:
            assert np.isnan([ours.s[i], ours.var_s[i], ours.z[i], ours.p[i], ours.slope[i]]).all()
            continue
        tested += 1
        theirs = pymannkendall.original_test(one)
        assert ours.s[i] == theirs.s
        assert ours.var_s[i] == theirs.var_s
        assert ours.z[i] == pytest.approx(theirs.z, abs=1e-12)
        assert ours.p[i] == pytest.approx(theirs.p, abs=1e-12)
        assert ours.slope[i] == pytest.approx(theirs.slope, abs=1e-12)
        assert ours.n[i] == np.isfinite(one).sum()
    assert tested > 0


def test_slope_is_the_very_median_of_all_pairs():
    values = series("plain", 86)
    early, late = np.triu_indices(86, 1)
    slopes = (values[late] - values[early]) / (late - early)[:, None]
    np.testing.assert_array_equal(trend_test(values).slope, np.median(slopes, axis=0))


def test_one_cell_of_a_grid_equals_its_series():
    cube = series("gaps", 40, 5 * 3 * 4).reshape(40, 5, 3, 4)
    whole = trend_test(cube)
    alone = trend_test(cube[:, 2, 1, 3][:, None])
    assert whole.slope.shape == (5, 3, 4)
    assert whole.slope[2, 1, 3] == alone.slope[0]
    assert whole.p[2, 1, 3] == alone.p[0]


def test_threads_and_precision_of_the_input_change_nothing():
    values = series("gaps", 30, 1500).astype(np.float32)
    one, two = trend_test(values, threads=1), trend_test(values.astype(float), threads=2)
    np.testing.assert_array_equal(one.slope, two.slope)
    np.testing.assert_array_equal(one.z, two.z)


def test_gaps_keep_their_places():
    line = np.arange(10.0)
    line[[2, 3, 7]] = np.nan
    assert trend_test(line[:, None]).slope[0] == 1.0


def test_constant_series_has_no_trend():
    result = trend_test(np.full((20, 3), 0.25))
    np.testing.assert_array_equal(result.slope, 0)
    np.testing.assert_array_equal(result.p, 1)
    np.testing.assert_array_equal(result.var_s, 0)


def test_two_values_that_alternate_fall_back_on_sorting():
    values = np.tile([0.0, 1.0], 43)[:, None]
    theirs = pymannkendall.original_test(values[:, 0])
    assert trend_test(values).slope[0] == theirs.slope


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_short_series_are_not_tested(steps):
    result = trend_test(np.arange(float(steps))[:, None])
    assert np.isnan(result.slope[0])
    assert np.isnan(result.p[0])
    assert result.n[0] == steps


def test_empty_cells_stay_empty():
    values = series("plain", 20, 6)
    values[:, 2] = np.nan
    values[:17, 4] = np.nan
    assert np.isnan(trend_test(values).slope).tolist() == [False, False, True, False, True, False]


def test_infinite_values_are_refused():
    values = series("plain", 20, 6)
    values[3, 2], values[5, 4] = np.inf, -np.inf
    with pytest.raises(UserError, match="2 of 6 series hold infinite values; expected finite"):
        trend_test(values)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_the_unit_of_the_values_does_not_matter(scale):
    values = series("gaps", 30)
    plain, scaled = trend_test(values), trend_test(values * scale)
    np.testing.assert_array_equal(scaled.z, plain.z)
    np.testing.assert_allclose(scaled.slope, plain.slope * scale, rtol=1e-12)


def test_p_of_a_strong_trend_does_not_vanish():
    p = trend_test(np.arange(200.0)[:, None]).p[0]
    assert 0 < p < 1e-90
    assert two_sided_p(0.0) == 1.0


finite = st.floats(-1e3, 1e3, allow_subnormal=False).map(lambda value: round(value, 6))
some_series = hnp.arrays(
    float, st.tuples(st.integers(4, 40), st.integers(1, 5)), elements=finite | st.just(np.nan)
)


@settings(max_examples=60, deadline=None)
@given(some_series)
def test_reversing_time_turns_the_sign(values):
    forward, backward = trend_test(values), trend_test(values[::-1])
    np.testing.assert_array_equal(forward.s, -backward.s)
    np.testing.assert_array_equal(forward.slope, -backward.slope)
    np.testing.assert_array_equal(forward.p, backward.p)


@settings(max_examples=60, deadline=None)
@given(some_series, st.floats(-10, 10))
def test_a_linear_trend_shifts_the_slope(values, rate):
    shifted = trend_test(values + rate * np.arange(len(values))[:, None])
    np.testing.assert_allclose(shifted.slope, trend_test(values).slope + rate, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(some_series)
def test_a_monotonic_transform_leaves_the_test_alone(values):
    plain, cubed = trend_test(values), trend_test(np.sign(values) * np.abs(values) ** 3)
    np.testing.assert_array_equal(plain.s, cubed.s)
    np.testing.assert_array_equal(plain.p, cubed.p)


@published
def test_published_maximum_discharge():
    want = expected()["mk.test(maxau[,'Q'])"]
    got = trend_test(column("trend_maxau.csv", "Q")[:, None])
    assert (got.s[0], got.var_s[0], got.n[0]) == (want["S"], want["varS"], want["n"])
    assert got.z[0] == pytest.approx(want["z"], abs=5e-5)
    assert got.p[0] == pytest.approx(want["p"], abs=5e-5)


@published
def test_published_sen_slope():
    want = expected()["sens.slope(maxau[,'s'])"]
    got = trend_test(column("trend_maxau.csv", "s")[:, None])
    assert got.slope[0] == pytest.approx(want["slope"], abs=5e-8)
    assert got.z[0] == pytest.approx(want["z"], abs=5e-5)
    assert got.p[0] == pytest.approx(want["p"], abs=5e-8)
    assert got.n[0] == want["n"]


@published
@pytest.mark.parametrize("site", SITES)
def test_published_tests_with_ties(site):
    want = expected()["mk.test(hcb[,site], continuity=TRUE)"][site]
    got = trend_test(column("trend_hcb.csv", site)[:, None])
    assert got.s[0] == want["S"]
    assert got.var_s[0] == pytest.approx(want["varS"], abs=0.05)
    assert got.z[0] == pytest.approx(want["z"], abs=5e-5)
    assert got.p[0] == pytest.approx(want["p"], rel=1e-3)


@published
def test_published_months_of_a_seasonal_test():
    want = expected()["smk.test(nottem)"]
    by_month = column("nottem.csv", "degF").reshape(-1, 12)
    got = trend_test(by_month)
    assert (got.s[7], got.s[8]) == (want["August"]["S"], want["September"]["S"])
    without_continuity = two_sided_p(got.s / np.sqrt(got.var_s))  # as printed there of each month
    for month, name in ((7, "August"), (8, "September")):
        assert without_continuity[month] == pytest.approx(want[name]["p"], abs=5.1e-4)
    assert got.s.sum() == want["S"]
    assert got.var_s.sum() == pytest.approx(want["varS"], abs=0.5)
