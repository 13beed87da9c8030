"""The standardised index against scipy's z-scores, its slopes against scipy's Theil-Sen."""

import numpy as np
import pytest
import scipy.stats

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis, month_of, year_of
from soilfuse.trends.ssmi import ssmi, ssmi_slopes

MONTHS = month_axis(2015, 2044)


@pytest.fixture
def moisture():
    rng = np.random.default_rng(4)
    season = 0.05 * np.cos(2 * np.pi * month_of(MONTHS) / 12)
    return 0.25 + season[:, None] + 0.03 * rng.normal(size=(MONTHS.size, 5))


def test_index_is_the_z_score_of_each_calendar_month(moisture):
    index = ssmi(moisture, MONTHS)
    for month in range(1, 13):
        rows = month_of(MONTHS) == month
        expected = scipy.stats.zscore(moisture[rows], axis=0)
        np.testing.assert_allclose(index[rows], expected, atol=1e-12)


def test_mean_and_spread_are_those_of_the_given_years(moisture):
    index = ssmi(moisture, MONTHS, (2020, 2029))
    rows = month_of(MONTHS) == 7
    base = moisture[rows & (year_of(MONTHS) >= 2020) & (year_of(MONTHS) <= 2029)]
    expected = scipy.stats.zmap(moisture[rows], base, axis=0)
    np.testing.assert_allclose(index[rows], expected, atol=1e-12)


def test_a_constant_and_a_gap_have_no_index(moisture):
    moisture[:, 1] = np.float32(0.3)
    moisture[6, 2] = np.nan
    index = ssmi(moisture.astype(np.float32), MONTHS)
    assert np.isnan(index[:, 1]).all()
    july = month_of(MONTHS) == 7
    assert np.isnan(index[july, 2]).all()
    assert np.isfinite(index[~july, 2]).all()


def test_a_constant_and_a_factor_change_nothing(moisture):
    shifted = 0.1 + 2 * moisture + 0.02 * month_of(MONTHS)[:, None]
    np.testing.assert_allclose(ssmi(shifted, MONTHS), ssmi(moisture, MONTHS), atol=1e-9)


def test_years_without_months_are_refused(moisture):
    with pytest.raises(UserError, match="no calendar month 1 in 1900-1910"):
        ssmi(moisture, MONTHS, (1900, 1910))


def test_slopes_are_theil_sen_s_per_decade(moisture):
    moisture += 2e-4 * np.arange(MONTHS.size)[:, None]
    index = ssmi(moisture, MONTHS)
    slopes = ssmi_slopes(index, MONTHS, "test")
    assert list(slopes) == list(names.SEASONS)
    years = index.reshape(30, 12, 5)
    seasonal = {
        "annual": years.mean(axis=1),
        "JJA": years[:, 5:8].mean(axis=1),
        "DJF": np.concatenate([years[:-1, 11:], years[1:, :2]], axis=1).mean(axis=1),
    }
    for season, values in seasonal.items():
        expected = [10 * scipy.stats.theilslopes(column).slope for column in values.T]
        np.testing.assert_allclose(slopes[season], expected, rtol=1e-9)
    assert (slopes["annual"] > 0).all()
