import numpy as np
import pytest
from source_files import GRID, NATIVE_LAT, NATIVE_LON, rippled, write_cmip6

from soilfuse.errors import UserError
from soilfuse.grids.gaps import fill_gaps
from soilfuse.grids.months import month_axis
from soilfuse.sources.cmip6 import find_files, read_mrsos

MEMBER = "r1i1p1f1"


def field(years, seed=0):
    months = 12 * (years[1] - years[0] + 1)
    shape = (months, NATIVE_LAT.size, NATIVE_LON.size)
    return np.random.default_rng(seed).uniform(5, 40, shape).astype(np.float32)


def read(root, first=2000, last=2003, fill_cells=0, grid=None, model="MIROC6"):
    return read_mrsos(root, model, MEMBER, "historical", first, last, fill_cells, grid)


def problem(root, **kwargs):
    with pytest.raises(UserError) as caught:
        read(root, **kwargs)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.mark.parametrize("calendar", ["standard", "proleptic_gregorian", "365_day", "360_day"])
def test_mass_becomes_volume_on_month_keys_of_any_calendar(tmp_path, calendar):
    values = field((1998, 2005))
    write_cmip6(tmp_path, values, (1998, 2005), calendar=calendar)
    got = read(tmp_path)
    np.testing.assert_array_equal(got.time, month_axis(2000, 2003))
    np.testing.assert_allclose(got.values, values[24:72] / 100, rtol=1e-6)
    assert got.dtype == np.float32
    assert got.dims == ("time", "lat", "lon")
    assert got.attrs["units"] == "1"
    assert got.attrs["source_calendar"] == calendar
    assert (got.attrs["world"], got.attrs["filled_cells"]) == ("real", 0)


def test_thickness_comes_from_the_depth_bounds_else_ten_centimetres(tmp_path):
    values = field((2000, 2003))
    write_cmip6(tmp_path / "five", values, (2000, 2003), depth_bnds=(0.0, 0.05))
    write_cmip6(tmp_path / "none", values, (2000, 2003), depth_bnds=None)
    np.testing.assert_allclose(read(tmp_path / "five").values, values / 50, rtol=1e-6)
    np.testing.assert_allclose(read(tmp_path / "none").values, values / 100, rtol=1e-6)


def test_many_files_join_and_equal_overlaps_are_harmless(tmp_path):
    values = field((2000, 2003))
    write_cmip6(tmp_path, values[24:], (2002, 2003))
    write_cmip6(tmp_path, values[:24], (2000, 2001))
    np.testing.assert_allclose(read(tmp_path).values, values / 100, rtol=1e-6)
    write_cmip6(tmp_path, values[12:36], (2001, 2002))
    np.testing.assert_allclose(read(tmp_path).values, values / 100, rtol=1e-6)


def test_axes_may_run_the_other_way(tmp_path):
    values = field((2000, 2003))
    write_cmip6(tmp_path, values, (2000, 2003), lat=NATIVE_LAT[::-1])
    got = read(tmp_path)
    np.testing.assert_array_equal(got.lat, NATIVE_LAT)
    np.testing.assert_allclose(got.values, values[:, ::-1] / 100, rtol=1e-6)


def test_end_of_month_stamps_belong_to_the_month_before(tmp_path):
    values = field((2000, 2003))
    write_cmip6(tmp_path, values, (2000, 2003), stamp="end")
    np.testing.assert_allclose(read(tmp_path).values, values / 100, rtol=1e-6)


def test_a_global_file_is_cut_to_the_grid_and_a_margin(tmp_path):
    lat, lon = np.arange(-88.0, 89.0, 4.0), np.arange(0.0, 360.0, 5.0)
    values = rippled(np.tile(lat[:, None] / 10 + lon / 10 + 10, (48, 1, 1)))
    write_cmip6(tmp_path, values, (2000, 2003), lat=lat, lon=lon)
    got = read(tmp_path, grid=GRID)
    np.testing.assert_array_equal(got.lat, np.arange(24.0, 45.0, 4.0))
    np.testing.assert_array_equal(got.lon, np.arange(80.0, 106.0, 5.0))
    expected = (got.lat.values[:, None] / 10 + got.lon.values / 10 + 10) / 100
    np.testing.assert_allclose(got.values[7], expected, rtol=1e-5)
    whole = read(tmp_path)
    assert whole.shape == (48, lat.size, lon.size)


def test_tiny_negatives_become_zero_and_true_ones_are_refused(tmp_path):
    values = field((2000, 2003))
    values[3, 2, 2] = -4e-20
    write_cmip6(tmp_path, values, (2000, 2003))
    assert read(tmp_path).values[3, 2, 2] == 0.0
    values[3, 2, 2] = -2.0
    path = write_cmip6(tmp_path, values, (2000, 2003))
    line = problem(tmp_path)
    assert str(path) in line
    assert "runs from -0.02 to" in line


def test_lakes_take_the_nearest_land_within_reach(tmp_path):
    values = field((2000, 2003))
    values[:, 2, 2] = np.nan
    values[:, :, 4:] = np.nan
    write_cmip6(tmp_path, values, (2000, 2003))
    got = read(tmp_path, fill_cells=1)
    assert got.attrs["filled_cells"] == 1 + NATIVE_LAT.size
    np.testing.assert_array_equal(got.values[:, :, 4], got.values[:, :, 3])
    assert np.isnan(got.values[:, :, 5]).all()
    lake, around = got.values[:, 2, 2], got.values[:, [1, 3, 2, 2], [2, 2, 1, 3]]
    assert (lake[:, None] == around).all(axis=0).sum() == 1


def test_cells_with_some_months_are_not_filled():
    values = np.full((3, 4, 4), 0.2, dtype=np.float32)
    values[1, 2, 2] = np.nan
    filled, count = fill_gaps(values, 2)
    assert count == 0
    assert np.isnan(filled[1, 2, 2])


def test_missing_files_name_pattern_folder_and_near_misses(tmp_path):
    write_cmip6(tmp_path, field((2000, 2003)), (2000, 2003), variant="r2i1p1f1")
    line = problem(tmp_path)
    assert "mrsos_Lmon_MIROC6_historical_r1i1p1f1_*.nc" in line
    assert str(tmp_path / "cmip6" / "MIROC6") in line
    assert "similar: mrsos_Lmon_MIROC6_historical_r2i1p1f1_gn_200001-200312.nc" in line
    assert "similar: MIROC6" in problem(tmp_path, model="MIROC-ES2L")


def test_two_grid_labels_are_refused(tmp_path):
    for label in ("gn", "gr"):
        write_cmip6(tmp_path, field((2000, 2003)), (2000, 2003), grid_label=label)
    with pytest.raises(UserError, match=r"several grids \(gn, gr\)"):
        find_files(tmp_path, "MIROC6", MEMBER, "historical")


def test_years_that_no_file_has_by_its_name_are_refused(tmp_path):
    write_cmip6(tmp_path, field((2000, 2003)), (2000, 2003))
    assert "no file with 1950-1960" in problem(tmp_path, first=1950, last=1960)


def test_a_month_missing_within_a_name_is_named_with_that_file(tmp_path):
    values = field((2000, 2003))
    write_cmip6(tmp_path, values[:24], (2000, 2001))
    path = write_cmip6(tmp_path, values[24:], (2002, 2003), keep=np.arange(24) != 17)
    line = problem(tmp_path)
    assert "missing month 2003-06 in" in line
    assert str(path) in line
