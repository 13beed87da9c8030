import numpy as np
import pytest
from source_files import GRID, rippled, write_amsmqtp, write_era5, write_era5_levelled

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.sources import amsmqtp, era5_land


def era5_field(years, seed=0):
    months = 12 * (years[1] - years[0] + 1)
    return np.random.default_rng(seed).uniform(0.05, 0.5, (3, months, *GRID.shape))


def test_both_dialects_of_the_cds_give_one_series(tmp_path):
    values = era5_field((2000, 2003))
    values[:, :, 1, 2] = np.nan
    write_era5(tmp_path, "a_old.nc", values[:, :24], (2000, 2001), "old")
    write_era5(tmp_path, "b_new.nc", values[:, 24:], (2002, 2003), "new")
    got = era5_land.read(tmp_path, GRID, 2000, 2003)
    field = got["soil_moisture"]
    assert field.dims == ("time", "depth", "lat", "lon")
    np.testing.assert_array_equal(got.time, month_axis(2000, 2003))
    np.testing.assert_allclose(field.values, values.swapaxes(0, 1), atol=0.51e-5)
    np.testing.assert_array_equal(got.depth_bnds, names.ERA5_LAND_LAYERS)
    np.testing.assert_allclose(got.depth, [0.035, 0.175, 0.64])
    assert field.dtype == np.float32
    assert got.attrs["world"] == "real"


GRIB_NAMES = ("var39", "var40", "var41")


@pytest.mark.parametrize("order", [[1, 5], [5, 1]])
def test_preliminary_values_count_only_where_there_is_no_final_one(tmp_path, order):
    final, preliminary = era5_field((2000, 2000)), era5_field((2000, 2000), seed=1)
    final[:, 10:] = np.nan
    preliminary[:, :9] = np.nan
    final[:, :, 1, 2] = preliminary[:, :, 1, 2] = np.nan
    versions = {1: final, 5: preliminary}
    values = np.stack([versions[number] for number in order], axis=2)
    dims = ("time", "expver", "latitude", "longitude")
    numbers = {"expver": np.array(order, dtype=np.int32)}
    write_era5_levelled(tmp_path, "a.nc", values, (2000, 2000), dims, numbers, units="m**3 m**-3")
    got = era5_land.read(tmp_path, GRID, 2000, 2000)["soil_moisture"].values.swapaxes(0, 1)
    np.testing.assert_allclose(got[:, :10], final[:, :10], rtol=1e-6)
    np.testing.assert_allclose(got[:, 10:], preliminary[:, 10:], rtol=1e-6)
    assert np.isnan(got[:, :, 1, 2]).all()


def test_a_member_dimension_of_one_is_dropped_and_of_two_refused(tmp_path):
    values = era5_field((2000, 2000))
    dims, units = ("number", "time", "latitude", "longitude"), "m**3 m**-3"
    one, two = {"number": np.array([0])}, {"number": np.array([0, 1])}
    write_era5_levelled(tmp_path, "a.nc", values[:, None], (2000, 2000), dims, one, units=units)
    got = era5_land.read(tmp_path, GRID, 2000, 2000)["soil_moisture"]
    np.testing.assert_allclose(got.values, values.swapaxes(0, 1), rtol=1e-6)
    doubled = np.stack([values, values], axis=1)
    path = write_era5_levelled(tmp_path, "a.nc", doubled, (2000, 2000), dims, two, units=units)
    with pytest.raises(UserError, match=r"'number' of size 2 in swvl1 of .*a\.nc") as caught:
        era5_land.read(tmp_path, GRID, 2000, 2000)
    assert str(path) in str(caught.value)


def test_files_converted_from_grib_have_codes_for_names_and_no_units(tmp_path):
    values, dims = era5_field((2000, 2000)), ("time", "lat", "lon")
    write_era5_levelled(tmp_path, "a.nc", values, (2000, 2000), dims, names=GRIB_NAMES)
    got = era5_land.read(tmp_path, GRID, 2000, 2000)["soil_moisture"]
    np.testing.assert_allclose(got.values, values.swapaxes(0, 1), rtol=1e-6)


def test_the_name_goes_before_the_code_where_a_file_has_both(tmp_path):
    values, other = era5_field((2000, 2000)), era5_field((2000, 2000), seed=1)
    both = ("swvl1", "swvl2", "swvl3", *GRIB_NAMES)
    dims, stacked = ("time", "lat", "lon"), np.concatenate([values, other])
    write_era5_levelled(
        tmp_path, "a.nc", stacked, (2000, 2000), dims, names=both, units="m**3 m**-3"
    )
    got = era5_land.read(tmp_path, GRID, 2000, 2000)["soil_moisture"]
    np.testing.assert_allclose(got.values, values.swapaxes(0, 1), rtol=1e-6)


def test_a_code_vouches_neither_for_other_units_nor_for_the_name_without_any(tmp_path):
    values, dims = era5_field((2000, 2000)), ("time", "lat", "lon")
    write_era5_levelled(tmp_path, "a.nc", values, (2000, 2000), dims, names=GRIB_NAMES, units="%")
    with pytest.raises(UserError, match=r"units '%' of var39 in .*a\.nc"):
        era5_land.read(tmp_path, GRID, 2000, 2000)
    write_era5_levelled(tmp_path, "a.nc", values, (2000, 2000), dims)
    with pytest.raises(UserError, match=r"units '' of swvl1 in .*a\.nc"):
        era5_land.read(tmp_path, GRID, 2000, 2000)


def test_era5_land_finer_than_the_grid_is_averaged_by_area(tmp_path):
    values = (
        np.tile(GRID.lon / 1000, (3, 12, GRID.lat.size, 1))
        * np.array([1.0, 1.1, 1.2])[:, None, None, None]
    )
    values = rippled(values.swapaxes(0, 1)).swapaxes(0, 1)
    write_era5(tmp_path, "a.nc", values, (2000, 2000), "new")
    coarse = Grid(lat=np.array([33.5, 34.5]), lon=np.array([91.5, 92.5]))
    got = era5_land.read(tmp_path, coarse, 2000, 2000)["soil_moisture"]
    np.testing.assert_allclose(got.values[0, 0, 0], [0.0915, 0.0925], rtol=1e-5)


def test_no_file_of_era5_land_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no file \*\.nc in .*ERA5-Land"):
        era5_land.read(tmp_path, GRID, 2000, 2000)


def days_of_months(step=5, leap=False):
    lengths = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    starts = np.cumsum([0, *lengths[:-1]])
    days = [
        start + day
        for start, length in zip(starts, lengths, strict=True)
        for day in range(0, length, step)
    ]
    months = np.repeat(np.arange(12), [len(range(0, n, step)) for n in lengths])
    return np.array(days), months


def test_amsmqtp_days_become_monthly_means_by_hand(tmp_path):
    rng = np.random.default_rng(1)
    expected = []
    for year in (2003, 2004):
        days, months = days_of_months(leap=year == 2004)
        values = rng.uniform(0.1, 0.4, (days.size, 5, *GRID.shape))
        values[rng.random(values.shape) < 0.1] = np.nan
        values[:, 4, 0, 0] = np.nan
        write_amsmqtp(tmp_path, year, values, days)
        for month in range(12):
            with np.errstate(invalid="ignore"):
                part = values[months == month].astype(np.float32).astype(float)
                count = np.isfinite(part).sum(axis=0)
                expected.append(np.where(count, np.nansum(part, axis=0) / count, np.nan))
    got = amsmqtp.read(tmp_path, GRID, 2003, 2004, min_days=5)
    np.testing.assert_array_equal(got.time, month_axis(2003, 2004))
    np.testing.assert_allclose(got["soil_moisture"].values, np.stack(expected), rtol=1e-6)
    assert np.isnan(got["soil_moisture"].values[:, 4, 0, 0]).all()
    np.testing.assert_array_equal(got.depth_bnds, names.PRODUCT_LAYERS)


def test_amsmqtp_without_a_year_is_refused(tmp_path):
    days, _ = days_of_months()
    values = np.random.default_rng(2).uniform(0.1, 0.4, (days.size, 5, *GRID.shape))
    write_amsmqtp(tmp_path, 2003, values, days)
    with pytest.raises(UserError, match=r"no file AMSMQTP_\*_2004\.nc"):
        amsmqtp.read(tmp_path, GRID, 2003, 2004, min_days=5)


def test_amsmqtp_year_without_part_of_the_map_is_refused(tmp_path):
    days = np.arange(0, 365, 5)
    for year, column in ((2003, GRID.lon.size), (2004, 1)):
        values = np.random.default_rng(year).uniform(0.1, 0.4, (days.size, 5, *GRID.shape))
        values[..., column:] = np.nan
        path = write_amsmqtp(tmp_path, year, values, days)
    with pytest.raises(UserError, match=f"of the cells of {path} .* missing in 2004-01"):
        amsmqtp.read(tmp_path, GRID, 2003, 2004, min_days=5)
