"""One experiment's climate models: smoothed over years, and with the months before them."""

import numpy as np
import pytest
import xarray as xr
from scipy.signal import savgol_filter
from source_files import GRID, NATIVE_LAT, NATIVE_LON

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_content
from soilfuse.grids.months import month_axis
from soilfuse.sources.experiments import experiment_files, read_experiment
from soilfuse.sources.processed import read_models, write_models

YEARS = {"historical": (2006, 2014), "ssp585": (2015, 2022), "ssp126": (2015, 2022)}
MODELS = ("M2", "M1")


def crop(seed, years, world="real", lat=NATIVE_LAT, gap=False):
    months = month_axis(*years)
    values = np.random.default_rng(seed).uniform(0, 0.5, (months.size, lat.size, NATIVE_LON.size))
    if gap:
        values[:, 4, 2] = np.nan
    return xr.DataArray(
        values.astype(np.float32),
        dims=("time", "lat", "lon"),
        coords={"time": months, "lat": lat, "lon": NATIVE_LON},
        attrs={**names.SOIL_MOISTURE_ATTRIBUTES, "world": world, "inputs_sha256": str(seed)},
    )


@pytest.fixture
def path_of(tmp_path):
    def path(experiment):
        return tmp_path / f"{experiment}.nc"

    for number, (experiment, years) in enumerate(YEARS.items()):
        models = {name: crop(10 * number + m, years, gap=m == 1) for m, name in enumerate(MODELS)}
        write_models(path(experiment), experiment, models)
    return path


def rewrite(path_of, experiment, years=None, models=MODELS, **changes):
    crops = {
        name: crop(90 + m, years or YEARS[experiment], **changes) for m, name in enumerate(models)
    }
    write_models(path_of(experiment), experiment, crops)


@pytest.mark.parametrize("experiment", YEARS)
def test_without_smoothing_it_is_the_file_and_no_other(path_of, experiment):
    if experiment != "historical":
        path_of("historical").unlink()
    got, expected = read_experiment(path_of, experiment), read_models(path_of(experiment))
    assert (got.path, got.attrs, got.source_ids) == (
        expected.path,
        expected.attrs,
        expected.source_ids,
    )
    np.testing.assert_array_equal(got.time, expected.time)
    for name, model in expected.crops.items():
        np.testing.assert_array_equal(got.crops[name].values, model.values)
        np.testing.assert_equal(got.crops[name].attrs, model.attrs)
    np.testing.assert_array_equal(got.interpolated(GRID), expected.interpolated(GRID))
    np.testing.assert_array_equal(got.inputs(GRID), expected.interpolated(GRID))


def by_calendar_month(values, window):
    smooth = np.empty(values.shape)
    for month in range(12):
        smooth[month::12] = savgol_filter(values[month::12].astype(float), window, 1, axis=0)
    return smooth


def test_historical_is_smoothed_by_itself(path_of):
    raw = read_models(path_of("historical")).interpolated(GRID)
    path_of("ssp585").unlink()
    path_of("ssp126").unlink()
    got = read_experiment(path_of, "historical", smoothing_years=5)
    np.testing.assert_allclose(got.interpolated(GRID), by_calendar_month(raw, 5), atol=1e-6)
    assert got.attrs == read_models(path_of("historical")).attrs


def test_a_scenario_is_smoothed_with_the_years_before_it(path_of):
    parts = [read_models(path_of(name)).interpolated(GRID) for name in ("historical", "ssp585")]
    expected = by_calendar_month(np.concatenate(parts), 5)[len(parts[0]) :]
    got = read_experiment(path_of, "ssp585", smoothing_years=5)
    np.testing.assert_array_equal(got.time, month_axis(2015, 2022))
    np.testing.assert_allclose(got.interpolated(GRID), expected, atol=1e-6)
    alone = by_calendar_month(parts[1], 5)
    assert np.abs(got.interpolated(GRID)[:24] - alone[:24]).max() > 0.01
    np.testing.assert_allclose(got.interpolated(GRID)[24:], alone[24:], atol=1e-6)


@pytest.mark.parametrize("choice", [{"smoothing_years": 3}, {"months": 2}])
def test_a_scenario_says_which_two_files_it_is_from(path_of, choice):
    files = [read_models(path_of(name)).attrs for name in ("historical", "ssp126")]
    got = read_experiment(path_of, "ssp126", **choice)
    hashes = [attrs["inputs_sha256"] for attrs in files]
    assert got.attrs == {**files[1], "inputs_sha256": sha256_of_content(hashes)}
    assert got.path == path_of("ssp126")
    assert experiment_files(path_of, "ssp126", **choice) == [
        path_of("historical"),
        path_of("ssp126"),
    ]
    assert experiment_files(path_of, "historical", **choice) == [path_of("historical")]
    assert experiment_files(path_of, "ssp126") == [path_of("ssp126")]
    rewrite(path_of, "historical")
    assert read_experiment(path_of, "ssp126", **choice).attrs != got.attrs


def test_trailing_months_of_a_scenario_reach_back_into_historical(path_of):
    parts = [read_models(path_of(name)).interpolated(GRID) for name in ("historical", "ssp585")]
    series = np.concatenate(parts)
    got = read_experiment(path_of, "ssp585", months=4)
    assert got.earlier is not None
    assert got.earlier.path == path_of("historical")
    np.testing.assert_array_equal(got.earlier.time, month_axis(2014, 2014)[9:])
    times = np.array([40, 0, 2])
    expected = np.stack([series[len(parts[0]) + t - 3 : len(parts[0]) + t + 1] for t in times])
    assert expected.shape == (3, 4, 2, *GRID.shape)
    np.testing.assert_array_equal(got.trailing(GRID, times), expected)
    np.testing.assert_array_equal(got.inputs(GRID, times), expected)
    np.testing.assert_array_equal(got.trailing(GRID)[:, -1], parts[1])
    np.testing.assert_array_equal(got.trailing(GRID, slice(2, 3)), expected[2:])


def test_the_same_month_a_year_later_stands_in_for_months_before_the_first(path_of):
    crops = read_experiment(path_of, "historical", months=3)
    raw, got = crops.interpolated(GRID), crops.trailing(GRID, slice(0, 3))
    np.testing.assert_array_equal(got[0], raw[[10, 11, 0]])
    np.testing.assert_array_equal(got[1], raw[[11, 0, 1]])
    np.testing.assert_array_equal(got[2], raw[[0, 1, 2]])


def test_trailing_months_are_smoothed_like_the_others(path_of):
    parts = [read_models(path_of(name)).interpolated(GRID) for name in ("historical", "ssp585")]
    smooth = by_calendar_month(np.concatenate(parts), 3)
    got = read_experiment(path_of, "ssp585", smoothing_years=3, months=12)
    first = len(parts[0])
    january = got.trailing(GRID, np.array([0]))[0]
    np.testing.assert_allclose(january, smooth[first - 11 : first + 1], atol=1e-6)


def test_files_that_do_not_go_together_are_refused(path_of):
    rewrite(path_of, "historical", years=(2005, 2013))
    with pytest.raises(UserError, match=r"ends in 2013-12 and .*ssp585\.nc begins in 2015-01"):
        read_experiment(path_of, "ssp585", months=2)
    rewrite(path_of, "historical", models=("M1",))
    with pytest.raises(UserError, match=r"no climate model M2 in .*historical\.nc, .* holds M1"):
        read_experiment(path_of, "ssp585", smoothing_years=3)
    rewrite(path_of, "historical", lat=NATIVE_LAT + 0.25)
    with pytest.raises(UserError, match=r"cells of M2 in .*historical\.nc differ"):
        read_experiment(path_of, "ssp585", months=2)
    rewrite(path_of, "historical", world="v1 seed 1")
    with pytest.raises(UserError, match=r"data of 2 worlds in .*historical\.nc and .*ssp585\.nc"):
        read_experiment(path_of, "ssp585", months=2)
    path_of("historical").unlink()
    with pytest.raises(UserError, match=r"no file .*historical\.nc"):
        read_experiment(path_of, "ssp585", smoothing_years=3)


def test_windows_that_do_not_fit_name_the_file(path_of):
    with pytest.raises(UserError, match=r"historical\.nc: 9 years for a running window of 11"):
        read_experiment(path_of, "historical", smoothing_years=11)
    read_experiment(path_of, "ssp585", smoothing_years=11)
    with pytest.raises(UserError, match=r"ssp585\.nc: a running window of 2 years"):
        read_experiment(path_of, "ssp585", smoothing_years=2)
    with pytest.raises(UserError, match="0 trailing months; expected 1 or more"):
        read_experiment(path_of, "historical", months=0)
