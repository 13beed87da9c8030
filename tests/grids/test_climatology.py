"""Statistics of calendar months, against scipy, numpy's FFT and SVD, and by hand."""

import numpy as np
import pytest
from scipy.signal import savgol_filter

from soilfuse.errors import UserError
from soilfuse.grids.climatology import (
    ORDERS,
    RANKS,
    harmonics,
    low_rank,
    monthly_climatology,
    running_years,
    smooth_climatology,
)
from soilfuse.grids.months import month_axis, month_of, year_of

MONTHS = month_axis(2000, 2007)


def of_january(values):
    """Whole years whose Januaries are `values` and whose other months are 0."""
    series = np.zeros((12 * len(values), 1), np.float32)
    series[::12, 0] = values
    return series, month_axis(2000, 2000 + len(values) - 1)


@pytest.mark.parametrize(("years", "window"), [(9, 3), (9, 5), (9, 9), (151, 31)])
def test_running_years_are_savitzky_golay_of_order_1(years, window):
    rng = np.random.default_rng(window)
    months = month_axis(1950, 1949 + years)
    values = rng.uniform(0, 0.6, (months.size, 2, 3)).astype(np.float32)
    got = running_years(values, months, window)
    assert got.dtype == np.float32
    for month in range(12):
        expected = savgol_filter(values[month::12].astype(float), window, 1, axis=0, mode="interp")
        np.testing.assert_allclose(got[month::12], expected, atol=1e-7)


def test_running_years_by_hand():
    values, months = of_january([0, 0, 3, 3])
    got = running_years(values, months, 3)
    np.testing.assert_allclose(got[::12, 0], [-0.5, 1, 2, 3.5], atol=1e-6)
    assert (got[1::12] == 0).all()


def test_running_years_leave_a_trend_and_the_season_as_they_are():
    months = month_axis(2000, 2010)
    season = np.sin(2 * np.pi * month_of(months) / 12)
    values = (season + 0.01 * (year_of(months) - 2000))[:, None].astype(np.float32)
    np.testing.assert_allclose(running_years(values, months, 7), values, atol=1e-6)
    assert running_years(values, months, 1) is values


def test_a_gap_empties_only_the_windows_that_hold_it():
    values, months = of_january(np.arange(9.0))
    values[12 * 4] = np.nan
    got = running_years(values, months, 3)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(got[:, 0])), [36, 48, 60])


@pytest.mark.parametrize(
    ("months", "years", "message"),
    [
        (month_axis(2000, 2003), 5, "4 years for a running window of 5; expected 5 or more"),
        (month_axis(2000, 2003), 4, "running window of 4 years; expected an odd number"),
        (month_axis(2000, 2003), -1, "running window of -1 years; expected an odd number"),
        (month_axis(2000, 2003)[1:], 3, "47 months that are not whole years"),
        (np.delete(month_axis(2000, 2003), slice(12, 24)), 3, "36 months that are not whole years"),
        (month_axis(2000, 2003)[:0], 3, "0 months that are not whole years"),
    ],
)
def test_running_years_refuse_what_does_not_fit(months, years, message):
    with pytest.raises(UserError, match=message):
        running_years(np.zeros((months.size, 1), np.float32), months, years)


@pytest.mark.parametrize("order", range(7))
def test_harmonics_are_the_first_terms_of_the_fourier_series(order):
    cycle = np.random.default_rng(order).uniform(0, 0.6, (12, 2, 5)).astype(np.float32)
    spectrum = np.fft.rfft(cycle.astype(float), axis=0)
    spectrum[order + 1 :] = 0
    got = harmonics(cycle, order)
    np.testing.assert_allclose(got, np.fft.irfft(spectrum, 12, axis=0), atol=1e-7)
    np.testing.assert_allclose(harmonics(got, order), got, atol=1e-7)


def test_all_harmonics_are_the_climatology_itself_and_gaps_stay():
    cycle = np.random.default_rng(1).uniform(0, 0.6, (12, 4)).astype(np.float32)
    np.testing.assert_array_equal(harmonics(cycle, 6), cycle)
    cycle[:, 2] = np.nan
    np.testing.assert_array_equal(np.isnan(harmonics(cycle, 2)).all(axis=0), [0, 0, 1, 0])
    with pytest.raises(ValueError, match="7 waves of 12 months"):
        harmonics(cycle, 7)


@pytest.fixture
def inside():
    mask = np.random.default_rng(3).uniform(size=(12, 20)) < 0.7
    mask[0, 0], mask[0, 1] = True, False
    return mask


def separable(rank, layers=2, shape=(12, 20), seed=5):
    """A (12, D, H, W) climatology whose maps are a mean and `rank` patterns."""
    rng = np.random.default_rng(seed)
    patterns = rng.standard_normal((rank, *shape))
    weights = rng.standard_normal((12, layers, rank))
    mean = 0.3 + 0.05 * rng.standard_normal((12, layers, 1, 1))
    return (mean + 0.02 * np.tensordot(weights, patterns, 1)).astype(np.float32)


@pytest.mark.parametrize("rank", [1, 4, 11])
def test_low_rank_is_the_truncated_svd_of_the_anomalies(rank, inside):
    values = separable(20)
    maps = values[..., inside].reshape(24, -1).astype(float)
    mean = maps.mean(axis=1, keepdims=True)
    left, singular, right = np.linalg.svd(maps - mean, full_matrices=False)
    expected = mean + (left[:, :rank] * singular[:rank]) @ right[:rank]
    got = low_rank(values, rank, inside)
    np.testing.assert_allclose(got[..., inside].reshape(24, -1), expected, atol=1e-6)
    np.testing.assert_array_equal(got[..., ~inside], values[..., ~inside])


def test_low_rank_returns_a_field_of_that_rank_and_everything_at_full_rank(inside):
    two, full = separable(2), separable(30)
    np.testing.assert_allclose(low_rank(two, 2, inside), two, atol=1e-6)
    assert np.abs(low_rank(two, 1, inside) - two).max() > 0.01
    np.testing.assert_array_equal(low_rank(full, 24, inside), full)
    np.testing.assert_array_equal(low_rank(full, 1, np.zeros_like(inside)), full)


def test_low_rank_leaves_cells_with_a_gap_alone(inside):
    values = separable(20)
    values[3, 1, 0, 0] = np.nan
    got = low_rank(values, 2, inside)
    np.testing.assert_array_equal(got[..., 0, 0], values[..., 0, 0])
    inside[0, 0] = False
    np.testing.assert_array_equal(got, low_rank(values, 2, inside))


def noisy(noise, truth, months=MONTHS):
    rng = np.random.default_rng(11)
    weather = noise * rng.standard_normal((months.size, *truth.shape[1:]))
    return (truth[month_of(months) - 1] + weather).astype(np.float32)


def test_smoothing_takes_noise_out_of_a_smooth_climatology(inside):
    truth = harmonics(separable(3), 2)
    target = noisy(0.05, truth)
    smooth, chosen = smooth_climatology(target, MONTHS, inside)
    raw = monthly_climatology(target, MONTHS)
    error, before = (np.sqrt(((field - truth)[..., inside] ** 2).mean()) for field in (smooth, raw))
    assert chosen["order"] == 2
    assert chosen["rank"] in (3, 4)
    assert error < 0.5 * before
    np.testing.assert_array_equal(smooth[..., ~inside], harmonics(raw, 2)[..., ~inside])


def test_without_noise_nothing_is_smoothed(inside):
    target = noisy(0.0, separable(30))
    smooth, chosen = smooth_climatology(target, MONTHS, inside)
    assert chosen == {"order": 6, "rank": 60}
    np.testing.assert_array_equal(smooth, monthly_climatology(target, MONTHS))


@pytest.mark.parametrize("noise", [0.002, 0.01, 0.03])
def test_the_choice_is_the_best_of_all_left_out_years(noise, inside):
    """Spelled out with the public functions, on months that are no whole years."""
    months = np.delete(MONTHS, [2, 30, 31, 47, 90])
    target = noisy(noise, harmonics(separable(6), 3) + 0.1 * separable(20, seed=6), months)
    errors = {}
    for order in ORDERS:
        for rank in RANKS:
            total = 0.0
            for year in range(2000, 2008):
                out = year_of(months) == year
                others = monthly_climatology(target[~out], months[~out])
                smooth = low_rank(harmonics(others, order), rank, inside)
                misses = smooth[month_of(months[out]) - 1] - target[out]
                total += (misses[..., inside].astype(float) ** 2).sum()
            errors[order, rank] = total
    got, chosen = smooth_climatology(target, months, inside)
    best = chosen["order"], chosen["rank"]
    assert errors[best] <= min(errors.values()) * (1 + 1e-6)
    raw = monthly_climatology(target, months)
    np.testing.assert_allclose(got, low_rank(harmonics(raw, best[0]), best[1], inside), atol=1e-7)


def test_gaps_stay_and_do_not_touch_other_cells(inside):
    target = noisy(0.05, harmonics(separable(3), 2))
    target[:, 1, 0, 0] = np.nan
    target[:, :, 0, 1] = np.nan
    smooth, _ = smooth_climatology(target, MONTHS, inside)
    expected = np.zeros(smooth.shape, bool)
    expected[:, 1, 0, 0] = expected[:, :, 0, 1] = True
    np.testing.assert_array_equal(np.isnan(smooth), expected)
    inside[0, 0] = False
    np.testing.assert_array_equal(smooth_climatology(target, MONTHS, inside)[0], smooth)


def test_one_year_leaves_nothing_to_choose_by(inside):
    target = noisy(0.05, separable(3), MONTHS[:12])
    smooth, chosen = smooth_climatology(target, MONTHS[:12], inside)
    assert chosen == {"order": 6, "rank": 60}
    np.testing.assert_array_equal(smooth, target)
    with pytest.raises(UserError, match="no training month in calendar month 12"):
        smooth_climatology(target[:11], MONTHS[:11], inside)
