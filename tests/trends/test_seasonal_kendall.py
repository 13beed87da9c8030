"""The seasonal Kendall test against pymannkendall, published values and what a year can lack."""

import numpy as np
import pymannkendall
import pytest
from tests.trends.test_mann_kendall import SITES, column, expected, published
from tests.trends.test_modified import with_memory

from soilfuse import seeding
from soilfuse.trends.seasonal_kendall import seasonal_kendall


def monthly(rho=0.3, years=20, number=12):
    values = with_memory(rho, 12 * years, number, slope=0.002)
    return values + 3 * np.sin(np.arange(12 * years) * np.pi / 6)[:, None]


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_seasonal_kendall_is_that_of_pymannkendall(gaps):
    values = monthly().round(1)
    values[seeding.generator(5, "seasonal").random(values.shape) < gaps] = np.nan
    ours = seasonal_kendall(values)
    for i, one in enumerate(values.T):
        theirs = pymannkendall.seasonal_test(one)
        assert (ours.s[i], ours.z[i]) == (theirs.s, pytest.approx(theirs.z, abs=1e-12))
        assert ours.var_s[i] == pytest.approx(theirs.var_s)
        assert ours.slope[i] == pytest.approx(theirs.slope, abs=1e-12)


@pytest.mark.parametrize("gaps", [0.0, 0.01])
def test_correlated_seasonal_kendall_is_that_of_pymannkendall(gaps):
    values = monthly(number=4).round(1)
    values[seeding.generator(5, "seasonal").random(values.shape) < gaps] = np.nan
    ours = seasonal_kendall(values, correlated=True)
    for i, one in enumerate(values.T):
        theirs = pymannkendall.correlated_seasonal_test(one)
        assert ours.s[i] == theirs.s
        assert ours.var_s[i] == pytest.approx(theirs.var_s)
        assert ours.z[i] == pytest.approx(theirs.z, abs=1e-12)


@published
def test_published_seasonal_values():
    values = column("nottem.csv", "degF")
    plain, correlated = seasonal_kendall(values[:, None]), seasonal_kendall(values[:, None], True)
    own, others = expected()["smk.test(nottem)"], expected()["csmk.test(nottem)"]
    assert plain.s[0] == own["S"] and plain.var_s[0] == pytest.approx(own["varS"], abs=0.5)
    assert plain.z[0] == pytest.approx(own["z"], abs=5e-5)
    assert plain.p[0] == pytest.approx(own["p"], abs=5e-6)
    assert plain.slope[0] == pytest.approx(expected()["sea.sens.slope(nottem)"])
    assert correlated.var_s[0] == pytest.approx(others["varS"], abs=5e-3)
    assert correlated.z[0] == pytest.approx(others["z"], abs=5e-5)
    assert correlated.p[0] == pytest.approx(others["p"], abs=5e-5)


@published
def test_published_test_of_several_series_at_once():
    """Sites are to this test what months are to the seasonal one (Libiseller and Grimvall 2002)."""
    sites = np.stack([column("trend_hcb.csv", name) for name in SITES], axis=1)
    found, want = seasonal_kendall(sites.reshape(-1, 1), True, 6), expected()["mult.mk.test(hcb)"]
    assert found.s[0] == want["S"]
    assert found.var_s[0] == pytest.approx(want["varS"], abs=0.5)
    assert found.z[0] == pytest.approx(want["z"], abs=5e-4)
    assert found.p[0] == pytest.approx(want["p"], rel=5e-3)


def test_the_correlated_test_counts_whole_years_alone():
    values = monthly(number=3)
    values[7:96:12, 0] = np.nan  # July of 8 years of 20
    values[: 12 * 17 : 12, 1] = np.nan  # January of all but 3
    values[:, 2] = np.nan
    plain, found = seasonal_kendall(values), seasonal_kendall(values, correlated=True)
    assert plain.n.tolist() == [232, 220, 0]
    assert found.n.tolist() == [144, 36, 0]
    whole = seasonal_kendall(values[96:, :1], correlated=True)
    assert (found.s[0], found.var_s[0]) == (whole.s[0], whole.var_s[0])
    assert found.slope[0] == plain.slope[0]  # of every value
    for statistic in (found.s, found.var_s, found.z, found.p, found.slope):
        assert np.isnan(statistic[1:]).all()


def test_months_of_fewer_than_four_values_do_not_count():
    values = monthly(number=1)
    values[: 12 * 17 : 12] = np.nan  # January of all but 3
    others = np.delete(values.reshape(20, 12), 0, axis=1)
    found, without = seasonal_kendall(values), seasonal_kendall(others.reshape(-1, 1), period=11)
    assert (found.s, found.var_s, found.slope) == (without.s, without.var_s, without.slope)


def test_the_seasonal_cycle_is_no_trend_and_parts_of_years_are_refused():
    cycle = np.tile(np.arange(12.0), 6)[:, None]
    found = seasonal_kendall(cycle)
    assert (found.s[0], found.p[0], found.slope[0]) == (0, 1, 0)
    with pytest.raises(ValueError, match="no whole number of 12"):
        seasonal_kendall(cycle[:-1])
