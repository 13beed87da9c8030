"""The sample of studies/pscnet: what is read is what was written, and broken files are refused."""

import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.grids.blocks import block_means, coarse_of
from soilfuse.grids.grid import Grid
from soilfuse.grids.steps import Steps
from soilfuse.sources.era5_land_hourly import read_steps
from soilfuse.sources.sample import (
    read_sample,
    read_stations,
    read_truth,
    sample_of,
    write_sample,
    write_stations,
)
from soilfuse.sources.smap import read_smap
from soilfuse.sources.station_steps import read_station_steps
from soilfuse.world.netcdf import Variable, write
from soilfuse.world.region import points_of
from soilfuse.world.three_hourly import models
from soilfuse.world.three_hourly.build import Window, write_three_hourly
from soilfuse.world.three_hourly.calendar import simulated
from soilfuse.world.three_hourly.weather import Year

GRID = Grid.regular(92.05, 92.75, 32.05, 32.75, 0.1)
BLOCK = 4
WHEN = Steps([6, 7], days_a_month=3)
YEARS = (2016, 2017)
STEPS = WHEN.of_year(2016)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    root = tmp_path_factory.mktemp("raw")
    write_three_hourly(root, Window(GRID, BLOCK, WHEN, 1), YEARS)
    return root


@pytest.fixture
def own(raw, tmp_path):
    """A copy of the raw files that a test may break."""
    return shutil.copytree(raw, tmp_path / "raw")


def read(root, when=WHEN, grid=GRID, block=BLOCK, year=2016):
    return sample_of(root, grid, block, when, year)


@pytest.fixture(scope="module")
def sample(raw):
    return read(raw)


def test_the_sample_is_what_the_contract_says(sample):
    assert sample.sizes == {"time": 48, "lat": 8, "lon": 8, "coarse_lat": 2, "coarse_lon": 2}
    for name in names.SAMPLE_VARIABLES:
        assert sample[name].dims == ("time", "lat", "lon")
        assert sample[name].dtype == np.float32
        assert np.isfinite(sample[name].values).all()
    assert sample.smap.dims == ("time", "coarse_lat", "coarse_lon")
    assert sample.elevation.dims == ("lat", "lon")
    assert sample.attrs["step_hours"] == 3 and sample.attrs["block"] == BLOCK
    assert sample.attrs["world"] == "three_hourly 1 seed 1"
    np.testing.assert_array_equal(sample.time.values, STEPS)
    np.testing.assert_allclose(sample.coarse_lat, [32.2, 32.6])
    assert (np.diff(sample.lat) > 0).all()


def test_states_and_fluxes_are_those_of_the_model(sample):
    year, steps = Year.of(1, 2016), simulated(WHEN, 2016)
    found = models.era5_land(1, year, steps, *points_of(GRID))
    now = np.searchsorted(steps, STEPS)
    wanted = {
        "swvl1": (found.water.theta, 1e-4),
        "t2m": (found.weather.t2m, 0.01),
        "skt": (found.skin_temperature(), 0.01),
        "tp": (found.weather.rain / 1000, 1e-6),
        "e": (-found.total_evaporation() / 1000, 1e-6),
        "ssrd": (found.weather.sunlight, 100.0),
    }
    for name, (values, tolerance) in wanted.items():
        got = sample[name].values.reshape(len(STEPS), -1)
        np.testing.assert_allclose(got, values[now], rtol=0, atol=tolerance, err_msg=name)
    assert (sample.e < 0).any() and (sample.tp >= 0).all()


def test_smap_is_there_at_its_two_hours_only(sample):
    hours = sample.time.dt.hour.values
    seen = np.isfinite(sample.smap.values).any(axis=(1, 2))
    assert set(hours[seen]) == {0, 12}
    good = sample.smap.values[np.isfinite(sample.smap.values)]
    assert good.min() >= 0.02 and good.max() <= 0.6


def test_flagged_retrievals_are_left_out(own, sample):
    for path in (own / "smap").glob("*.nc"):
        with h5py.File(path, "r+") as file:
            file["retrieval_qual_flag"][:, 1, 0] = 1  # latitude descends: the south-west cell
    values, _ = read_smap(own, coarse_of(GRID, BLOCK), STEPS)
    assert np.isnan(values[:, 0, 0]).all()
    np.testing.assert_array_equal(values[:, 1], sample.smap.values[:, 1])


def test_retrievals_go_to_the_nearest_step_and_two_of_one_step_are_averaged(tmp_path):
    steps = np.array(["2016-06-01T00", "2016-06-01T03", "2016-06-01T12"], "datetime64[h]")
    coarse = Grid(np.array([32.2, 32.6]), np.array([92.2, 92.6]))
    minutes = [-20.0, 50.0, 100.0, 360.0, 721.0]  # 06 UTC belongs to no step
    values = np.arange(1, 6, dtype="f4")[:, None, None] / 10 * np.ones((1, 2, 2), "f4")
    values[4, 0, 0] = -9999
    dims = ("time", "lat", "lon")
    about = {"units": "m3 m-3", "_FillValue": np.float32(-9999)}
    variables = {
        "time": Variable(("time",), np.array(minutes), {"units": "minutes since 2016-06-01"}),
        "lat": Variable(("lat",), coarse.lat, {"units": "degrees_north"}),
        "lon": Variable(("lon",), coarse.lon, {"units": "degrees_east"}),
        "soil_moisture": Variable(dims, values, about),
        "retrieval_qual_flag": Variable(dims, np.zeros(values.shape, "u2")),
    }
    write(tmp_path / "smap" / "one.nc", variables, {})
    got, world = read_smap(tmp_path, coarse, steps)
    assert world == "real"
    np.testing.assert_allclose(got[:, 1, 1], [0.15, 0.3, 0.5])
    assert np.isnan(got[2, 0, 0])


def test_hourly_files_of_the_older_dialect_give_the_same_three_hours(tmp_path):
    hours = np.arange("2016-05-31T20", "2016-06-02T00", dtype="datetime64[h]")
    rain = np.where(hours <= np.datetime64("2016-06-01T12"), 0.001, 0.0)  # m in the hour before
    sums = models.since_midnight(rain[:, None], hours)[:, 0]
    since = (hours - np.datetime64("1900-01-01T00")).astype(np.int32)
    shape = (hours.size, *GRID.shape)
    scale = 0.012 / 30000
    packed = np.round(sums / scale).astype("i2")[:, None, None] * np.ones((1, *GRID.shape), "i2")
    dims = ("time", "latitude", "longitude")
    about = {"units": "m", "scale_factor": scale, "add_offset": 0.0}
    variables = {
        "time": Variable(("time",), since, {"units": "hours since 1900-01-01 00:00:00.0"}),
        "latitude": Variable(("latitude",), GRID.lat[::-1].astype("f4"), {}),
        "longitude": Variable(("longitude",), GRID.lon.astype("f4"), {}),
        "tp": Variable(dims, packed, about),
    }
    for name, units, value in (
        ("swvl1", "m**3 m**-3", 0.2),
        ("t2m", "K", 280.0),
        ("skt", "K", 281.0),
        ("ssrd", "J m**-2", 0.0),
        ("e", "m of water equivalent", 0.0),
    ):
        variables[name] = Variable(dims, np.full(shape, value, "f4"), {"units": units})
    write(tmp_path / "era5_land" / "hourly.nc", variables, {})
    steps = Steps([6], days_a_month=1).of_year(2016)
    found, world = read_steps(tmp_path, GRID, steps, 3)
    assert world == "real"
    np.testing.assert_allclose(
        found["tp"][:, 0, 0], [0.003, 0.003, 0.003, 0.003, 0.003, 0.0, 0.0, 0.0], atol=2 * scale
    )
    np.testing.assert_allclose(found["swvl1"], 0.2)


def test_six_hours_are_two_times_three(sample, tmp_path):
    when = Steps([6, 7], 6, 3)
    write_three_hourly(tmp_path, Window(GRID, BLOCK, when, 1), [2016])
    coarser = read(tmp_path, when)
    assert coarser.sizes["time"] == 24
    np.testing.assert_array_equal(coarser.t2m.values, sample.t2m.values[::2])
    np.testing.assert_allclose(
        coarser.tp.values[1], sample.tp.values[1:3].sum(axis=0), rtol=0, atol=1e-9
    )


def test_block_means_are_means_of_blocks():
    values = np.random.default_rng(1).normal(size=(3, 8, 12))
    means = block_means(values, 4)
    by_hand = [
        [[values[t, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4].mean() for j in range(3)] for i in (0, 1)]
        for t in range(3)
    ]
    np.testing.assert_allclose(means, by_hand, rtol=0, atol=1e-15)
    coarse = coarse_of(Grid.regular(92.05, 93.15, 32.05, 32.75, 0.1), 4)
    np.testing.assert_allclose(coarse.lon, [92.2, 92.6, 93.0])


def test_a_sample_keeps_its_bytes_and_values(sample, tmp_path):
    for name in ("a", "b"):
        write_sample(tmp_path / f"{name}.nc", sample)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
    again = read_sample(tmp_path / "a.nc")
    xr.testing.assert_identical(again, sample)


def test_the_truth_has_the_sample_s_steps(raw, sample, tmp_path):
    truth = read_truth(raw, 2016)
    assert truth.dims == ("time", "lat", "lon")
    np.testing.assert_array_equal(truth.time.values, sample.time.values)
    np.testing.assert_allclose(truth.lat.values, sample.lat.values)
    assert read_truth(tmp_path, 2016) is None


def test_stations_are_read_at_the_steps(raw, tmp_path):
    steps = np.concatenate([WHEN.of_year(year) for year in YEARS])
    table = read_station_steps(raw, GRID, steps)
    assert set(table["network"]) == {"Maqu", "Ngari", "Naqu", "CTP"}
    assert table["time"].isin(steps.astype("datetime64[ns]")).all()
    assert table["soil_moisture"].between(0, 0.7).all()
    write_stations(tmp_path / "stations.csv", table)
    again = read_stations(tmp_path / "stations.csv")
    np.testing.assert_allclose(again["soil_moisture"], table["soil_moisture"], atol=1e-5)
    assert (again["time"] == table["time"]).all()
    few = read_station_steps(raw, GRID, steps[::8])
    assert (few["time"].dt.hour == 0).all() and len(few) < len(table)


HEADER = "NAQU NAQU N1 {lat} {lon} 4500.0 {top} {base} 5TM\n"


def ismn(root, name, top, base, value, lat=32.3, lon=92.4, flag="G"):
    folder = root / "ismn" / "NAQU" / "N1"
    folder.mkdir(parents=True, exist_ok=True)
    text = HEADER.format(lat=lat, lon=lon, top=f"{top:.2f}", base=f"{base:.2f}")
    for hour in ("00:00", "01:00", "03:00"):
        text += f"2016/06/01 {hour} {value:.4f} {flag} M\n"
    (folder / f"NAQU_sm_{top:.6f}_{base:.6f}_{name}.stm").write_text(text)


def test_the_shallowest_sensors_count(tmp_path):
    ismn(tmp_path, "deep", 0.40, 0.40, 0.4)
    ismn(tmp_path, "lower", 0.10, 0.10, 0.3)
    ismn(tmp_path, "one", 0.05, 0.05, 0.1)
    ismn(tmp_path, "two", 0.05, 0.05, 0.2)
    table = read_station_steps(tmp_path, GRID, STEPS)
    assert table["soil_moisture"].tolist() == pytest.approx([0.15, 0.15])
    assert table["time"].dt.hour.tolist() == [0, 3]
    assert list(table.columns) == ["network", "station", "lat", "lon", "time", "soil_moisture"]


@pytest.mark.parametrize("change", [{"lat": 33.5}, {"flag": "D04"}, {"top": 0.2, "base": 0.2}])
def test_stations_of_no_use_are_told_in_one_line(tmp_path, change):
    ismn(tmp_path, "one", **({"top": 0.05, "base": 0.05, "value": 0.2} | change))
    with pytest.raises(UserError, match="no good record above 0.1 m in .*ismn") as caught:
        read_station_steps(tmp_path, GRID, STEPS)
    assert len(caught.value.problems) == 1


def edited(folder, **changes):
    """Change attributes, delete (None) or replace variables in every file of a folder."""
    for path in folder.glob("*.nc"):
        with h5py.File(path, "r+") as file:
            for name, change in changes.items():
                change(file, name)


def units(text):
    return lambda file, name: file[name].attrs.__setitem__("units", text)


def gone(file, name):
    file.move(name, f"{name}_moved")


def moved(by):
    def change(file, name):
        file[name][:] = file[name][:] + by

    return change


def times(by):
    def change(file, name):
        file[name][:] = file[name][:] * by

    return change


def hole(file, name):
    file[name][5, 3, 3] = np.nan


def no_sums(file, name):
    file[name][:] = np.diff(file[name][:], axis=0, prepend=0).clip(0)


def swapped(file, name):
    file[name][:2] = file[name][:2][::-1]


FAULTS = {
    "no variable": ("era5_land", {"skt": gone}, "no variable 'skt' in any of the 4 files"),
    "units of moisture": ("era5_land", {"swvl1": units("%")}, "units '%' of swvl1 in .*nc"),
    "units of warmth": ("era5_land", {"t2m": units("degC")}, "units 'degC' of t2m .* of K, kelvin"),
    "units of rain": ("era5_land", {"tp": units("mm")}, "units 'mm' of tp"),
    "rain in mm": ("era5_land", {"tp": times(1000)}, "tp in .* runs from .* expected 0 to 1"),
    "celsius": ("era5_land", {"t2m": moved(-273.15)}, "t2m in .* expected 180 to 340"),
    "no moisture": ("era5_land", {"swvl1": times(0.001)}, "soil moisture in .* nowhere above"),
    "a gap": ("era5_land", {"ssrd": hole}, "ssrd in .* has gaps in 1 records, the first of 2016"),
    "no sums": ("era5_land", {"ssrd": no_sums}, "sums of ssrd in .* shrink by .* since 00 UTC"),
    "another grid": ("era5_land", {"latitude": moved(0.05)}, "latitude in .* expected 32.05 to"),
    "another place": ("era5_land", {"longitude": moved(30)}, "longitude in .*92.05 to 92.75 every"),
    "other steps": ("era5_land", {"valid_time": moved(3600)}, "48 records of swvl1 are missing"),
    "no time units": (
        "era5_land",
        {"valid_time": units("soon")},
        "unreadable valid_time in .*soon",
    ),
    "backwards": ("era5_land", {"valid_time": swapped}, "valid_time in .* does not increase at"),
    "no retrievals": ("smap", {"soil_moisture": gone}, "no variable 'soil_moisture' in .*SMAP_L3"),
    "no flags": ("smap", {"retrieval_qual_flag": gone}, "no variable 'retrieval_qual_flag' in"),
    "smap in percent": ("smap", {"soil_moisture": units("%")}, "units '%' of soil_moisture"),
    "no blocks": ("smap", {"lat": moved(0.1)}, "latitude in .*SMAP.* average it to the coarse"),
    "other years": ("smap", {"time": moved(1e8)}, "no good retrieval in .*smap.* from 2016-06-01"),
    "no height": ("static", {"elevation": gone}, "elevation"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_files_are_refused_in_one_line(own, fault):
    folder, changes, message = FAULTS[fault]
    edited(own / folder, **changes)
    with pytest.raises(UserError, match=message) as caught:
        read(own)
    assert len(caught.value.problems) == 1
    assert str(own) in caught.value.problems[0]


@pytest.mark.parametrize("folder", ["era5_land", "smap", "static", "ismn"])
def test_missing_folders_are_told(own, folder):
    shutil.rmtree(own / folder)
    with pytest.raises(UserError, match="no file") as caught:
        read(own)
        read_station_steps(own, GRID, STEPS)
    assert folder in caught.value.problems[0]


def test_months_that_are_not_there_are_told_with_the_first(own):
    (own / "era5_land" / "era5_land_2016-07.nc").unlink()
    with pytest.raises(UserError, match=r"24 records of swvl1 .* first of 2016-07-01T00:00 UTC"):
        read(own)


def test_the_record_before_a_month_is_needed_for_its_sums(own):
    with h5py.File(own / "era5_land" / "era5_land_2016-06.nc", "r+") as file:
        file["valid_time"][0] -= 3600
    with pytest.raises(UserError, match=r"1 records of tp .* first of 2016-05-31T21:00 UTC"):
        read(own)


def test_worlds_are_not_mixed(own):
    for path in (own / "smap").glob("*.nc"):
        with h5py.File(path, "r+") as file:
            file.attrs["soilfuse_world"] = "another"
    with pytest.raises(UserError, match="data of 2 worlds"):
        read(own)


def no_name(dataset, name):
    return dataset.drop_vars(name)


SAMPLES = {
    "no variable": (lambda d: no_name(d, "skt"), "no variable 'skt'"),
    "no world": (lambda d: d.drop_attrs(), "no attribute 'step_hours'"),
    "dimensions": (lambda d: d.assign(smap=d.smap.T), "smap has dimensions"),
    "a gap": (lambda d: d.assign(tp=d.tp.where(d.lat > 32.1)), "tp has gaps"),
    "units": (lambda d: d.assign(t2m=d.t2m.assign_attrs(units="C")), "units 'C' of t2m"),
    "steps": (lambda d: d.assign_attrs(step_hours=6), "steps of 6 hours"),
    "blocks": (lambda d: d.assign_attrs(block=3), "make no blocks of 3 x 3"),
    "other blocks": (lambda d: d.assign_attrs(block=2), "coarse_lat is not the middle of blocks"),
    "no axis": (lambda d: no_name(d, "coarse_lon"), "no coordinate 'coarse_lon'"),
}


@pytest.mark.parametrize("fault", SAMPLES)
def test_what_is_no_sample_is_refused(sample, tmp_path, fault):
    change, message = SAMPLES[fault]
    path = tmp_path / "2016.nc"
    change(sample).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(UserError, match=message) as caught:
        read_sample(path)
    assert all(str(path) in problem and "dvc" in problem for problem in caught.value.problems)


@pytest.mark.parametrize(
    "text",
    ["", "network,station\nA,B\n", "network,station,lat,lon,time,soil_moisture\nA,B,1,2,x,0.1\n"],
)
def test_what_is_no_table_of_stations_is_refused(tmp_path, text):
    path = tmp_path / "stations.csv"
    path.write_text(text)
    with pytest.raises(UserError, match="no table of stations"):
        read_stations(path)
    with pytest.raises(UserError, match="no file"):
        read_stations(tmp_path / "none.csv")


def test_times_of_a_table_are_utc_without_a_zone(tmp_path):
    path = tmp_path / "stations.csv"
    path.write_text(
        "network,station,lat,lon,time,soil_moisture\nA,B,1.0,2.0,2016-06-01T03:00:00Z,0.1\n"
    )
    assert read_stations(path)["time"][0] == pd.Timestamp("2016-06-01T03:00")
