"""The raw files: whole, seeded, in their providers' formats."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from soilfuse import config, names
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.world import station_files, station_networks, stations
from soilfuse.world.build import WORLD_VERSION, write_world
from soilfuse.world.cmip6_files import month_edges, spans
from soilfuse.world.native_grids import latitudes, longitudes, native_window
from soilfuse.world.truth import Truth

REAL_DATA = Path(
    os.environ.get("SOILFUSE_REAL_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")
)
DOMAIN = config.Domain(
    name="tiny", west=93, east=95, south=33, north=35, resolution=0.5, regions="basins"
)
GRID = Grid.regular(west=93, east=95, south=33, north=35, resolution=0.5)
WORLD = config.World(seed=7, amsmqtp_day_step=10, station_hour_step=72, stations=0.05)
MODELS = {"KACE-1-0-G": "r1i1p1f1", "BCC-CSM2-MR": "r1i1p1f1", "NorESM2-LM": "r1i1p1f1"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    path = tmp_path_factory.mktemp("raw") / "pseudo"
    write_world(path, DOMAIN, WORLD, MODELS)
    return path


def hashes(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes_and_models_independent_of_one_another(root, tmp_path):
    # The second run lacks one model and turns the others round.
    again = dict(reversed(list(MODELS.items())[:2]))
    write_world(tmp_path / "again", DOMAIN, WORLD, again)
    first, second = hashes(root), hashes(tmp_path / "again")
    assert set(first) - set(second) == {name for name in first if "NorESM2-LM" in name}
    assert second == {name: digest for name, digest in first.items() if "NorESM2-LM" not in name}
    assert json.loads((root / "world.json").read_text()) == {"seed": 7, "version": 2}


def test_every_gridded_file_says_which_world_it_is_of(root):
    paths = list(root.rglob("*.nc"))
    assert {p.parent.name for p in paths} == {"era5_land", "amsmqtp", "truth", "static", *MODELS}
    for path in paths:
        with xr.open_dataset(path, decode_times=False) as data:
            assert data.attrs["soilfuse_world"] == f"v{WORLD_VERSION} seed 7", path


def test_another_seed_is_another_world(root):
    lat, lon = np.array([34.0]), np.array([94.0])
    values = [Truth(seed).at(lat, lon).soil_moisture("historical") for seed in (7, 8)]
    assert np.abs(values[0] - values[1]).mean() > 0.01


def test_a_domain_is_a_window_on_one_world(root):
    with xr.open_dataset(root / "truth" / "truth_ssp370.nc") as written:
        here = written.soil_moisture.sel(lat=34.0, lon=94.0).values
    there = Truth(7).at(np.array([34.0, 31.0]), np.array([94.0, 103.0]))
    assert np.abs(there.soil_moisture("ssp370")[..., 0] - here).max() < 1e-4


def test_files_read_as_what_they_stand_for(root):
    path = root / "cmip6" / "BCC-CSM2-MR"
    name = "mrsos_Lmon_BCC-CSM2-MR_historical_r1i1p1f1_gn_195001-201412.nc"
    with xr.open_dataset(path / name) as data:
        assert data.mrsos.dims == ("time", "lat", "lon") and data.mrsos.dtype == np.float32
        assert data.mrsos.attrs["units"] == "kg m-2" and float(data.depth) == 0.05
        assert data.mrsos.encoding["missing_value"] == np.float32(1e20)
        assert data.time.encoding["calendar"] == "365_day" and data.sizes["time"] == 780
        assert data.lat[0] > data.lat[-1]  # this model runs north to south
        inside = (data.lat_bnds.min("bnds") <= data.lat) & (data.lat <= data.lat_bnds.max("bnds"))
        assert bool(inside.all())
        assert data.lat.min() < 33 - 2 * 1.12 and data.lon.max() > 95 + 2 * 1.12
        assert 5 < float(data.mrsos.mean()) < 50
    decades = sorted((root / "cmip6" / "NorESM2-LM").glob("*_historical_*"))
    assert [path.name[-16:-3] for path in decades][0::6] == ["195001-195912", "201001-201412"]


def test_kace_months_have_thirty_days(root):
    (path,) = (root / "cmip6" / "KACE-1-0-G").glob("*_ssp126_*")
    with xr.open_dataset(path, decode_times=False) as data:
        assert data.time.attrs["calendar"] == "360_day"
        assert np.all(np.diff(data.time_bnds.values, axis=1) == 30)
        assert data.time.values[0] == (2015 - 1850) * 360 + 15


def test_era5_land_speaks_both_dialects(root):
    old, new = (root / "era5_land" / f"era5_land_{y}.nc" for y in ("1950-1969", "2010-2021"))
    with xr.open_dataset(old, mask_and_scale=False) as raw, xr.open_dataset(old) as data:
        assert raw.swvl1.dtype == np.int16 and data.latitude[0] > data.latitude[-1]
        assert data.time.values[-1] == np.datetime64("1969-12-01")
        assert 0.02 <= float(data.swvl3.min()) < float(data.swvl1.max()) <= 0.6
    with xr.open_dataset(new) as data:
        assert data.valid_time.values[0] == np.datetime64("2010-01-01")
        assert set(data.expver.values) == {"0001"} and int(data.number) == 0
        assert data.swvl2.attrs["units"] == "m**3 m**-3"


def test_amsmqtp_months_follow_the_truth(root):
    with xr.open_dataset(root / "amsmqtp" / "AMSMQTP_ensemble_2003.nc") as data:
        assert list(data.time.dt.day.values[:4]) == [1, 11, 21, 31]
        assert data.SM.dims == ("time", "layer", "lat", "lon")
        monthly = data.SM.groupby("time.month").mean().sortby("lat").values
    with xr.open_dataset(root / "truth" / "truth_historical.nc") as truth:
        true = truth.soil_moisture.sel(time="2003").values
    assert np.corrcoef(monthly.ravel(), true.ravel())[0, 1] > 0.85


def test_amsmqtp_goes_on_to_2021_as_ssp245_has_it(root):
    written = sorted(path.stem[-4:] for path in (root / "amsmqtp").iterdir())
    assert written == [str(year) for year in range(2000, 2022)]
    paths = [root / "amsmqtp" / f"AMSMQTP_ensemble_{year}.nc" for year in range(2015, 2022)]
    with xr.open_mfdataset(paths) as data:
        months = data.SM.resample(time="MS").mean().sortby("lat").values
    assert months.shape[0] == 84
    with xr.open_dataset(root / "truth" / "truth_historical.nc") as truth:
        normal = truth.soil_moisture.sel(time=slice("1995", "2014"))
        normal = normal.groupby("time.month").mean().values
    anomalies = months - np.tile(normal, (7, 1, 1, 1))
    found = {}
    for ssp in names.EXPERIMENT_YEARS.keys() - {"historical"}:
        with xr.open_dataset(root / "truth" / f"truth_{ssp}.nc") as truth:
            true = truth.soil_moisture.sel(time=slice("2015", "2021")).values
        departures = true - np.tile(normal, (7, 1, 1, 1))
        found[ssp] = np.corrcoef(anomalies.ravel(), departures.ravel())[0, 1]
    assert found.pop("ssp245") > 0.5 > 2 * max(found.values())


def test_ismn_line_by_line(root):
    (folder,) = sorted((root / "ismn" / "MAQU").iterdir())[:1]
    path = sorted(folder.iterdir())[0]
    assert path.name.startswith("MAQU_MAQU_NST-01_sm_0.050000_0.050000_ECH20-EC-TM_20")
    lines = path.read_bytes().decode("ascii").split("\r")
    assert lines[-1] == "" and "\n" not in lines[0]
    assert all(len(line.split()) == 5 and line.endswith(" M ") for line in lines[1:-1])
    flags = pd.Series([line.split()[3] for line in lines[1:-1]]).value_counts(normalize=True)
    assert flags["G"] > 0.7 and len(flags) > 2


def test_ismn_header_is_that_of_the_real_file():
    station = stations.Station(
        station_networks.MAQU, "CST_01", 33.8833, 102.1333, 3431.0, (34.0, 102.0)
    )
    ours = station_files.ismn_header(station, (0.05, 0.05)).encode()
    known = b"MAQU       MAQU            CST_01            33.88330   102.13330 3431.00    0.05"
    assert ours.startswith(known)
    found = sorted((REAL_DATA / "ismn" / "MAQU" / "CST-01").glob("*.stm"))
    if not found:
        pytest.skip(f"no real MAQU file below {REAL_DATA}: set SOILFUSE_REAL_DATA")
    assert ours == found[0].read_bytes().split(b"\r")[0]


def test_stations_stand_in_any_domain_and_share_may_be_zero():
    truth = Truth(7)
    for network in (*station_networks.ISMN_NETWORKS, station_networks.CMA):
        placed = stations.place(truth, network, GRID, 1.0)
        assert len(placed) == network.count
        assert all(93 < s.lon < 95 and 33 < s.lat < 35 for s in placed)
        assert all(
            abs(s.lat - s.cell[0]) <= 0.25 and abs(s.lon - s.cell[1]) <= 0.25 for s in placed
        )
        assert len(stations.place(truth, network, GRID, 0.01)) == 1
        assert stations.place(truth, network, GRID, 0.0) == []
    assert list(stations.hourly_records(truth, [], 24)) == []


def test_spoilt_records_are_flagged_and_within_the_networks_years():
    truth = Truth(7)
    grid = Grid.regular(west=89, east=104, south=31, north=38, resolution=0.25)
    placed = stations.place(truth, station_networks.CTP_SMTMN, grid, 0.2)
    records = list(stations.hourly_records(truth, placed, 24))
    values = np.concatenate([record.values for record in records])
    flags = np.concatenate([record.flags for record in records])
    times = np.concatenate([record.times for record in records])
    assert np.all((values[flags == "G"] > 0) & (values[flags == "G"] < 0.6))
    assert {"D01", "D04", "C01", "C02"} <= set(flags)
    assert np.all(flags[(values > 0.6) | (values < 0)] != "G")
    assert times.min() >= np.datetime64("2008-05-01") and times.max() < np.datetime64("2019-10-01")


def test_cma_rows(root):
    rows = pd.read_csv(root / "cma" / "CMA_2016.csv")
    assert list(rows.columns) == station_files.CMA_COLUMNS.split(",")
    assert set(rows.quality) == {0, 1, 2} and (rows.soil_moisture_percent == -9999).any()
    assert rows.loc[rows.quality == 0, "soil_moisture_percent"].between(0.5, 60).all()
    assert rows.groupby(["station_id", "date"]).size().eq(10).all()


def test_what_is_no_world_is_never_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "mine.nc").write_text("years of work")
    with pytest.raises(UserError, match="no pseudo-reality"):
        write_world(tmp_path / "real", DOMAIN, WORLD, MODELS)
    with pytest.raises(UserError, match="did you mean 'MIROC6'"):
        write_world(tmp_path / "new", DOMAIN, WORLD, {"MIROC-6": "r1i1p1f1"})
    assert [path.name for path in tmp_path.rglob("*")] == ["real", "mine.nc"]


def test_a_failure_leaves_the_earlier_world(root, monkeypatch):
    before = hashes(root)

    def fail(*_):
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(station_files, "write_cma", fail)
    with pytest.raises(OSError, match="No space"):
        write_world(root, DOMAIN, WORLD.model_copy(update={"seed": 9}), {})
    assert hashes(root) == before
    assert [path.name for path in root.parent.iterdir()] == [root.name]


@pytest.mark.parametrize("model", names.KNOWN_MODELS.values(), ids=lambda m: m.source_id)
def test_native_grids_have_the_published_steps(model):
    lat, lon = latitudes(model.source_id), longitudes(model)
    assert np.diff(lat).mean() == pytest.approx(model.lat_step, rel=0.005)
    assert np.diff(lon).mean() == pytest.approx(model.lon_step, rel=0.005)
    window = native_window(model, GRID)
    assert window.lat[0] <= 33 - 2 * model.lat_step + 0.02
    assert window.lat[-1] >= 35 + 2 * model.lat_step - 0.02
    assert window.lon[0] <= 93 - 2 * model.lon_step + 0.02
    assert window.lon[-1] >= 95 + 2 * model.lon_step - 0.02
    points, _ = window.inner_points()
    cells = points.reshape(*window.shape, -1)
    assert np.allclose(cells.mean(axis=(1, 2)), window.lat_bounds.mean(axis=1))


def test_no_domain_across_greenwich():
    grid = Grid.regular(west=-5, east=5, south=33, north=35, resolution=0.5)
    with pytest.raises(UserError, match="across 0E"):
        native_window(names.CLIMATE_MODELS["MIROC6"], grid)


def test_month_edges_by_calendar():
    assert list(month_edges("365_day", 1950, 1950)[[0, 2, 12]]) == [36500, 36559, 36865]
    gregorian = month_edges("gregorian", 1952, 1952)
    wanted = np.datetime64("1952-01-01") - np.datetime64("1850-01-01")
    assert gregorian[0] == wanted.astype(int) and gregorian[2] - gregorian[1] == 29
    for source_id in names.CLIMATE_MODELS:
        for experiment, (first, last) in names.EXPERIMENT_YEARS.items():
            files = spans(source_id, experiment)
            assert (files[0][0], files[-1][1]) == (first, last)
            assert all(a[1] + 1 == b[0] for a, b in zip(files, files[1:], strict=False))
