"""The forced change is fitted as it promises: expected Sen slopes, no jumps, dry only in summer."""

import numpy as np
import pytest
from scipy.stats import theilslopes

from soilfuse import names
from soilfuse.world import published as record
from soilfuse.world import regional_fit, targets
from soilfuse.world.calibration import region_of, regional_means, series
from soilfuse.world.truth import Truth

STEP = np.where(np.arange(86) < 10, 0.0, 1.0) + 0.002 * np.arange(86)


@pytest.mark.parametrize("noise", [0.05, 0.5, 5.0])
def test_expected_sen_slope_is_that_of_many_noisy_series(noise):
    rng = np.random.default_rng(4)
    drawn = [theilslopes(STEP + rng.normal(0, noise, 86))[0] for _ in range(300)]
    error = np.std(drawn) / np.sqrt(300)
    expected = regional_fit.expected_sen_slope(STEP, noise)
    assert expected == pytest.approx(np.mean(drawn), abs=4 * error + 1e-5)


def test_expected_sen_slope_of_a_line_is_its_slope():
    assert regional_fit.expected_sen_slope(0.3 * np.arange(86), 2.0) == pytest.approx(0.3)


@pytest.mark.parametrize("ssp", record.SSPS)
@pytest.mark.parametrize("layer", range(5))
def test_curves_start_from_the_reference_and_dry_in_summer_only(layer, ssp):
    curve = regional_fit.regional_change(layer, ssp)
    assert curve[regional_fit.REFERENCE].mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-15)
    past = regional_fit.YEARS <= 2014
    assert np.array_equal(curve[past], regional_fit.regional_change(layer, "ssp126")[past])
    lowest = np.diff(curve, axis=0).min(axis=0)
    summer = record.SEASONAL.index("JJA")
    assert np.delete(lowest, summer).min() >= -1e-12
    assert lowest[summer] > -0.61e-4
    assert np.abs(np.diff(curve, axis=0)).max() < 16e-4  # no jumps: the fastest rate is published


@pytest.mark.parametrize("layer", range(5))
def test_rows_are_the_slope_and_the_change_of_the_curve(layer):
    curve = regional_fit.regional_change(layer, "ssp370")
    knots = np.searchsorted(regional_fit.YEARS, regional_fit.KNOTS)
    rates = np.diff(curve[knots], axis=0) / np.diff(regional_fit.KNOTS)[:, None]
    years, century = regional_fit.YEARS, curve[regional_fit.CENTURY]
    slopes = np.polyfit(years[regional_fit.CENTURY], century, 1)[0]
    assert regional_fit.slope_row(2015, 2100) @ rates == pytest.approx(slopes)
    assert regional_fit.change_row() @ rates == pytest.approx(curve[years >= 2071].mean(axis=0))


def test_inner_ssps_lie_within_the_printed_range():
    for season in names.SEASONS:
        for layer in range(5):
            low, high = record.CHANGES[season][layer]
            percent = 100 * targets.changes(layer, season) / targets.seasonal_mean(layer, season)
            assert (percent.min(), percent.max()) == pytest.approx((low, high))


def test_the_record_agrees_with_itself():
    """The year is the mean of its seasons, in numbers that were found each for itself."""
    for layer in range(5):
        seasons = [
            np.array(record.CHANGES[season][layer]) * targets.seasonal_mean(layer, season)
            for season in record.SEASONAL
        ]
        mean = np.mean(seasons, axis=0) / targets.seasonal_mean(layer, "annual")
        assert mean == pytest.approx(np.array(record.CHANGES["annual"][layer]), rel=0.09)
    slopes = np.mean([record.SLOPES[season] for season in record.SEASONAL], axis=0)
    assert slopes == pytest.approx(np.array(record.SLOPES["annual"]), rel=0.12)


def test_noise_of_the_fit_is_that_of_the_weather():
    regional = regional_means(region_of(Truth(1)))
    for season, noise in regional_fit.YEAR_TO_YEAR.items():
        values = np.array([series(regional, ssp, season, 0) for ssp in record.SSPS])
        jumps = np.diff(values, axis=1)  # free of trends
        assert jumps.std() / np.sqrt(2) == pytest.approx(noise, rel=0.25)
