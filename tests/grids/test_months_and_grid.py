import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soilfuse.errors import UserError
from soilfuse.grids.grid import EARTH_RADIUS_KM, Grid, cell_bounds
from soilfuse.grids.months import month_axis, month_key, month_of, require_complete, year_of


def test_regular_grid_has_the_papers_shape_and_exact_decimals():
    grid = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.1)
    assert grid.shape == (71, 151)
    assert grid.lon[3] == 89.3
    assert (grid.lat[0], grid.lat[-1], grid.lon[-1]) == (31.0, 38.0, 104.0)
    np.testing.assert_allclose(grid.lat_bounds[0], [30.95, 31.05])


def test_areas_add_up_to_the_spherical_rectangle():
    grid = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.25)
    sines = np.sin(np.deg2rad([30.875, 38.125]))
    expected = EARTH_RADIUS_KM**2 * np.deg2rad(15.25) * (sines[1] - sines[0])
    np.testing.assert_allclose(grid.area.sum(), expected, rtol=1e-12)


def test_bounds_of_uneven_centres_meet_halfway():
    bounds = cell_bounds(np.array([0.0, 1.0, 3.0]))
    np.testing.assert_allclose(bounds, [[-0.5, 0.5], [0.5, 2.0], [2.0, 4.0]])
    with pytest.raises(ValueError, match="two centres"):
        cell_bounds(np.array([1.0]))


@given(year=st.integers(1700, 2260), month=st.integers(1, 12))
def test_month_key_goes_there_and_back_as_pandas_says(year, month):
    key = month_key(np.array([year]), np.array([month]))
    assert key[0] == pd.Timestamp(year=year, month=month, day=1)
    assert (year_of(key)[0], month_of(key)[0]) == (year, month)


def test_month_axis_of_the_historical_period():
    axis = month_axis(1950, 2014)
    assert axis.size == 780
    assert axis[-1] == np.datetime64("2014-12-01")


def test_incomplete_and_doubled_months_are_named():
    axis = month_axis(2000, 2001)
    require_complete(axis, 2000, 2001, "file.nc")
    with pytest.raises(UserError, match=r"missing month 2000-05 in file\.nc"):
        require_complete(np.delete(axis, 4), 2000, 2001, "file.nc")
    with pytest.raises(UserError, match=r"2000-01, 2000-02, 2000-03 and 9 more in file\.nc"):
        require_complete(month_axis(2001, 2001), 2000, 2001, "file.nc")
    with pytest.raises(UserError, match="2000-03 stands 2 times"):
        require_complete(np.append(axis, axis[2]), 2000, 2001, "file.nc")
