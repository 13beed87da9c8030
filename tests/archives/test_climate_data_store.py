"""ERA5-Land through the real cdsapi, from a local server that speaks the store's protocol."""

import subprocess
import sys
import time
from pathlib import Path

import archive_files as files
import archive_servers as servers
import numpy as np
import pytest
import xarray as xr

from soilfuse.archives import cds
from soilfuse.grids.grid import Grid
from soilfuse.sources import era5_land

WORDS = "era5-land", "--years", "1998-2012"
FILES = ["era5_land_1998-1999.nc", "era5_land_2000-2009.nc", "era5_land_2010-2012.nc"]


def moisture(request):
    """(3, T, h, w) of a request: each number tells layer, month and place."""
    north, west, south, east = request["area"]
    lat = np.round(np.arange(north, south - 0.05, -0.1), 1)
    lon = np.round(np.arange(west, east + 0.05, 0.1), 1)
    years = np.array([int(year) for year in request["year"]])
    months = (years[:, None] * 12 + np.arange(12)).ravel()
    layers = np.array([0.1, 0.2, 0.3])[:, None, None, None]
    values = layers + 0.01 * np.sin(months)[:, None, None] + 1e-3 * lat[:, None] + 1e-4 * lon
    return values, months, lat, lon


def delivered(request):
    """The bytes of a NetCDF file as the store delivers it."""
    values, months, lat, lon = moisture(request)
    time = ((months - 1970 * 12).astype("datetime64[M]")).astype("datetime64[s]").astype(np.int64)
    dims = ("valid_time", "latitude", "longitude")
    units = {"units": "m**3 m**-3"}
    epoch = {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}
    dataset = xr.Dataset(
        {f"swvl{k + 1}": (dims, values[k].astype(np.float32), units) for k in range(3)},
        coords={
            "valid_time": ("valid_time", time, epoch),
            "latitude": ("latitude", lat, {"units": "degrees_north"}),
            "longitude": ("longitude", lon, {"units": "degrees_east"}),
            "number": ((), np.int64(0)),
            "expver": (("valid_time",), np.array(["0001"] * time.size, dtype=object)),
        },
    )
    return bytes(dataset.to_netcdf(engine="h5netcdf"))


@pytest.fixture
def store(project, monkeypatch):
    """The store, and the user's account there."""
    monkeypatch.setattr(cds, "PAUSE", 0.05)
    server = servers.ClimateDataStore(delivered)
    with servers.serving(server) as address:
        monkeypatch.setenv("CDSAPI_URL", f"{address}/api")
        monkeypatch.setenv("CDSAPI_KEY", servers.KEY)
        yield server


def names(project):
    folder = project / "data/raw/real/era5_land"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_real_cdsapi_fetches_what_the_reader_takes(store, project, fetch_apart):
    store.queued = True
    done = fetch_apart(*WORDS)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(project) == FILES
    got = era5_land.read(project / "data/raw/real", files.GRID, 1998, 2012)
    # Linear in latitude and longitude: the mean of a cell is the value at its centre, but for the
    # cosine of latitude.
    months = (np.arange(1998, 2013)[:, None] * 12 + np.arange(12)).ravel()
    layers = np.array([0.1, 0.2, 0.3])[None, :, None, None]
    place = 1e-3 * files.GRID.lat[:, None] + 1e-4 * files.GRID.lon
    expected = layers + 0.01 * np.sin(months)[:, None, None, None] + place
    np.testing.assert_allclose(got.soil_moisture, expected, atol=3e-6)
    assert store.keys == {servers.KEY}


def test_requests_ask_for_three_layers_of_whole_years_over_the_cells(store, project, fetch):
    fetch(*WORDS)
    assert [(request["year"][0], request["year"][-1]) for request in store.seen] == [
        ("1998", "1999"),
        ("2000", "2009"),
        ("2010", "2012"),
    ]
    assert store.seen[0] == {
        "product_type": ["monthly_averaged_reanalysis"],
        "variable": [f"volumetric_soil_water_layer_{layer}" for layer in (1, 2, 3)],
        "year": ["1998", "1999"],
        "month": [f"{month:02d}" for month in range(1, 13)],
        "time": ["00:00"],
        "area": [36.4, 92.6, 32.6, 96.4],  # cells reach 0.25 degrees beyond the outer centres
        "data_format": "netcdf",
        "download_format": "unarchived",
    }


@pytest.mark.parametrize(
    ("west", "south", "resolution", "area"),
    [
        (89.0, 31.0, 0.1, [31.7, 88.8, 30.8, 89.7]),
        (-0.5, -90.0, 0.25, [-89.2, -0.8, -90.0, 0.3]),
    ],
)
def test_the_area_covers_the_cells_and_ends_at_the_poles(west, south, resolution, area):
    grid = Grid.regular(west, west + 0.5, south, south + 0.5, resolution)
    assert cds.area_of(grid) == area


def test_a_second_run_asks_for_nothing_and_a_damaged_file_comes_back_alone(store, project, fetch):
    fetch(*WORDS)
    folder = project / "data/raw/real/era5_land"
    before = {name: (folder / name).stat().st_mtime_ns for name in FILES}
    assert fetch(*WORDS)[1] == [
        "ERA5-Land: 3 of 3 stretches of years are there",
        "0 fetched, 0 problems",
    ]
    (folder / FILES[2]).write_bytes((folder / FILES[2]).read_bytes()[:3000])
    code, lines, errors = fetch(*WORDS)
    assert (code, lines[-1], errors) == (0, "1 fetched, 0 problems", [])
    assert len(store.seen) == 4
    assert [name for name in FILES if (folder / name).stat().st_mtime_ns != before[name]] == [
        FILES[2]
    ]


def test_a_download_that_breaks_off_is_taken_up_again(store, project, fetch):
    store.cut = 1
    assert fetch("era5-land", "--years", "2012")[0] == 0
    assert names(project) == ["era5_land_2012-2012.nc"]


def test_downloads_that_keep_breaking_leave_no_file_and_one_line(store, project, fetch):
    store.cut = 1000
    code, _, [line] = fetch("era5-land", "--years", "2012")
    assert code == 2
    assert line.startswith("soilfuse: error: cannot fetch reanalysis-era5-land-monthly-means from ")
    assert line.endswith("fetch again: it goes on where it stopped")
    assert names(project) == []


def test_without_a_network_there_is_one_whole_line_soon(project, fetch_apart):
    began = time.monotonic()
    nowhere = {"CDSAPI_URL": "http://127.0.0.1:9/api", "CDSAPI_KEY": servers.KEY}
    done = fetch_apart(*WORDS, **nowhere)
    assert time.monotonic() - began < 40
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "cannot reach http://127.0.0.1:9/api for" in line
    assert "Connection refused; check the network" in line
    assert line.count("(") == line.count(")")
    assert done.stdout.splitlines()[-1] == "0 fetched, 1 problem"


def test_the_librarys_log_of_its_tries_stays_out_of_the_terminal(store, fetch_apart):
    store.cut = 1000
    done = fetch_apart("era5-land", "--years", "2012")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_killed_download_leaves_no_file(store, project):
    store.stalls = True
    command = [Path(sys.executable).with_name("soilfuse"), "fetch", *WORDS]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert store.stalled.wait(60)
    finally:
        process.kill()
        process.wait()
        store.go_on.set()
    assert [path for path in (project / "data").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("status", "detail", "advice"),
    [
        (401, "Authentication failed", "the key was not accepted: register at"),
        (403, "required licences not accepted", "accept the licence at the foot of the form"),
        (400, "Request too large", "fetch again"),
    ],
)
def test_refusals_are_one_line_each_and_the_rest_is_fetched(
    store, project, fetch, status, detail, advice
):
    store.faults = [(status, {"title": detail, "detail": f"token {servers.KEY}"})]
    code, lines, [line] = fetch(*WORDS)
    assert code == 2
    assert detail in line
    assert advice in line
    assert lines[-1] == "2 fetched, 1 problem"
    assert names(project) == FILES[1:]


def test_the_key_appears_nowhere(store, project, fetch_apart):
    store.faults = [(400, {"title": f"bad {servers.KEY}"})]
    done = fetch_apart(*WORDS)
    assert done.returncode == 2
    assert "bad <key>" in done.stderr
    assert servers.KEY not in done.stdout + done.stderr
    for path in project.parent.rglob("*"):
        if path.is_file():
            assert servers.KEY.encode() not in path.read_bytes(), path


def test_no_key_and_a_key_of_the_old_form_are_told_once(store, fetch, monkeypatch):
    monkeypatch.setenv("CDSAPI_KEY", "1234:abcd")
    code, _, [line] = fetch(*WORDS)
    assert code == 2
    assert "of the form before 2024" in line
    assert "abcd" not in line
    monkeypatch.delenv("CDSAPI_KEY")
    code, _, [line] = fetch(*WORDS)
    assert code == 2
    assert "no key for the Climate Data Store: register at" in line
    assert "~/.cdsapirc" in line
    assert store.seen == []


def test_what_is_no_netcdf_is_refused(store, project, fetch):
    store.contents = lambda request: b"PK\x03\x04" + bytes(200)
    code, _, [line] = fetch("era5-land", "--years", "2012")
    assert code == 2
    assert "is no NetCDF, or broken; it starts with b'PK" in line
    assert names(project) == []


def test_a_dry_run_needs_no_key(project, fetch):
    code, lines, _ = fetch(*WORDS, "--dry-run")
    assert code == 0
    assert lines == [
        "ERA5-Land: 0 of 3 stretches of years are there",
        *(
            f"data/raw/real/era5_land/{name} from reanalysis-era5-land-monthly-means of the "
            "Climate Data Store"
            for name in FILES
        ),
        "3 to fetch, 0 problems",
    ]
    assert names(project) == []
