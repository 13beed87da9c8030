"""Seasons, regions and periods, worked by hand."""

import numpy as np
import pytest
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis
from soilfuse.trends import periods


def monthly(first=2000, last=2003):
    """Return values whose month can be read off: 100 (year - first) + month."""
    time = month_axis(first, last)
    values = np.array([100 * (i // 12) + i % 12 + 1 for i in range(time.size)], np.float32)
    field = np.broadcast_to(values[:, None, None], (time.size, 2, 3)).copy()
    axes = {"time": time, "lat": [31.0, 32.0], "lon": [90.0, 91.0, 92.0]}
    return xr.DataArray(field, dims=("time", "lat", "lon"), coords=axes)


def test_seasons_by_hand():
    seasonal = periods.seasonal_means(monthly(), "here")
    second = seasonal.sel(year=2001).isel(lat=0, lon=0)
    assert float(second.sel(season="annual")) == 106.5
    assert float(second.sel(season="MAM")) == 104
    assert float(second.sel(season="JJA")) == 107
    assert float(second.sel(season="SON")) == 110
    assert float(second.sel(season="DJF")) == (12 + 101 + 102) / 3


def test_first_winter_is_missing_and_no_other():
    winters = periods.seasonal_means(monthly(), "here").sel(season="DJF").isel(lat=0, lon=0)
    assert np.isnan(winters.values).tolist() == [True, False, False, False]


def test_mid_month_stamps_are_the_same_months():
    data = monthly()
    later = data.assign_coords(time=data["time"].values + np.timedelta64(14, "D"))
    got = periods.seasonal_means(later, "here")
    np.testing.assert_array_equal(got.values, periods.seasonal_means(data, "here").values)


def test_missing_month_is_named():
    data = monthly().isel(time=[i for i in range(48) if i != 17])
    with pytest.raises(UserError, match=r"2001-06.*product ssp370"):
        periods.seasonal_means(data, "product ssp370")


def test_single_year_has_no_winter():
    seasonal = periods.seasonal_means(monthly(2000, 2000), "here")
    assert np.isnan(seasonal.sel(season="DJF").values).all()
    assert np.isfinite(seasonal.sel(season="annual").values).all()


def test_regional_mean_weighs_by_area_and_keeps_holes_visible():
    values = monthly().isel(time=0).copy(data=np.array([[1.0, 2, 3], [4, 5, np.nan]]))
    masks = {
        "west": np.array([[True, False, False], [True, False, False]]),
        "holed": np.array([[True, False, False], [False, False, True]]),
    }
    area = np.array([[3.0, 3, 3], [1, 1, 1]])
    got = periods.regional_means(values, masks, area)
    assert float(got.sel(region="west")) == (3 * 1 + 1 * 4) / 4
    assert np.isnan(got.sel(region="holed"))


def test_periods_within_the_data_only():
    seasonal = periods.seasonal_means(monthly(2015, 2040), "here")
    wanted = [(1995, 2014), (2021, 2040), (2041, 2070)]
    assert periods.covered(seasonal, wanted) == [(2015, 2040), (2021, 2040)]


def test_percent_change_by_hand():
    earlier, later = xr.DataArray([0.2, 0, 0.4, -0.1]), xr.DataArray([0.22, 0.1, 0.3, 1])
    got = periods.percent_change(later, earlier).values
    np.testing.assert_allclose(got, [10, np.nan, -25, np.nan])


def test_five_year_means_end_with_the_last_year_and_bear_one_missing():
    values = np.arange(12.0)[None, :, None] * np.ones((2, 1, 1))
    values[1, [2, 7, 8]] = np.nan  # one of the first five, two of the last
    dims = {"season": ["annual", "DJF"], "year": np.arange(2089, 2101)}
    seasonal = xr.DataArray(values, dims=("season", "year", "cell"), coords=dims)
    means = periods.five_year_means(seasonal)
    assert means.dims == ("season", "middle_year", "cell")
    assert means["middle_year"].values.tolist() == [2093.0, 2098.0]
    np.testing.assert_allclose(means[0, :, 0], [4.0, 9.0])
    np.testing.assert_allclose(means[1, :, 0], [(3 + 4 + 5 + 6) / 4, np.nan])
