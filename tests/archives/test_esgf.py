"""CMIP6 from ESGF through the real intake-esgf: a local index that speaks Globus Search, and node.

The index is reached by the environment variable of the Globus SDK, as a user would name another.
"""

import archive_files as files
import archive_servers as servers
import h5py
import pytest
import xarray as xr

from soilfuse.sources.cmip6 import read_mrsos

pytest.importorskip("intake_esgf")
DATASET = "CMIP6.CMIP.NIMS-KMA.{}.historical.{}.Lmon.mrsos.{}.{}|node.test"
PERIODS = [(1940, 1949), (1950, 1999), (2000, 2014)]
WORDS = "cmip6", "--from", "esgf", "--experiment", "historical"
STEM = f"mrsos_Lmon_{files.MODEL}_historical_r1i1p1f1_gn_"


def contents(folder, periods, calendar="360_day", stem=STEM):
    """{name: bytes} of files of one dataset, each with its own tracking id."""
    made = {}
    for number, years in enumerate(periods):
        name = f"{stem}{years[0]}01-{years[1]}12.nc"
        dataset = files.original(years, number, calendar, step=7.5)
        made[name] = files.write_netcdf(dataset, folder / name).read_bytes()
    return made


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Two versions and two grids of one member, and another member."""
    new = contents(tmp_path_factory.mktemp("new"), PERIODS)
    old = {"never_fetched.nc": b"old version"}
    return {
        DATASET.format(files.MODEL, "r1i1p1f1", "gn", "v20190101"): old,
        DATASET.format(files.MODEL, "r1i1p1f1", "gn", "v20200625"): new,
        DATASET.format(files.MODEL, "r1i1p1f1", "gr", "v20210101"): {"other_grid.nc": b"x"},
        DATASET.format(files.MODEL, "r2i1p1f1", "gn", "v20190101"): {"other_member.nc": b"x"},
    }


@pytest.fixture
def esgf(published, project, monkeypatch):
    server = servers.Esgf(published)
    with servers.serving(server) as address:
        monkeypatch.setenv("GLOBUS_SDK_SERVICE_URL_SEARCH", address)
        yield server


def written(project):
    folder = project / "data"
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_files_of_wanted_years_are_fetched_cut_and_read_as_the_originals(
    esgf, published, project, fetch_apart, tmp_path
):
    done = fetch_apart(*WORDS)
    assert done.returncode == 0, done.stderr
    assert "grid gn, not gr" in done.stdout
    assert written(project) == [f"{STEM}195001-199912.nc", f"{STEM}200001-201412.nc"]
    assert sorted(esgf.served) == written(project)
    folder = tmp_path / "whole/cmip6" / files.MODEL
    folder.mkdir(parents=True)
    dataset = DATASET.format(files.MODEL, "r1i1p1f1", "gn", "v20200625")
    for name, content in published[dataset].items():
        (folder / name).write_bytes(content)
    named = files.MODEL, "r1i1p1f1", "historical", 1950, 2014, 2, files.GRID
    got = read_mrsos(project / "data/raw/real", *named)
    xr.testing.assert_equal(got, read_mrsos(tmp_path / "whole", *named))


def test_no_cache_is_left_in_the_project(esgf, project, fetch_apart):
    assert fetch_apart(*WORDS, "--dry-run").returncode == 0
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def test_each_file_keeps_its_own_tracking_id_and_says_from_where(esgf, project, fetch):
    fetch(*WORDS)
    for number, period in ((1, "195001-199912"), (2, "200001-201412")):
        path = project / "data/raw/real/cmip6" / files.MODEL / f"{STEM}{period}.nc"
        with h5py.File(path) as file:
            assert file.attrs["tracking_id"] == f"hdl:21.14100/{number:08d}"
            assert file.attrs["soilfuse_dataset_version"] == "20200625"
            dataset = DATASET.format(files.MODEL, "r1i1p1f1", "gn", "v20200625").split("|")[0]
            assert file.attrs["soilfuse_fetched_from"] == f"ESGF {dataset}"


def test_other_members_are_named_where_one_is_missing(esgf, fetch, change_params):
    change_params(**{"cmip6.models": {files.MODEL: "r7i1p1f1"}})
    code, _, [line] = fetch(*WORDS)
    assert code == 2
    assert line == (
        f"soilfuse: error: no mrsos (Lmon) of {files.MODEL} r7i1p1f1 for historical in ESGF; there "
        "are members r1i1p1f1, r2i1p1f1: edit params.yaml:cmip6.models, or fetch it with --from "
        "cloud"
    )


def test_a_silent_index_is_no_missing_model(esgf, project, fetch):
    esgf.silent = True
    code, _, [line] = fetch(*WORDS)
    assert code == 2
    assert line.startswith("soilfuse: error: cannot fetch from ESGF's index: ")
    assert written(project) == []


def test_broken_downloads_leave_no_file_and_no_scratch(esgf, project, fetch, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    esgf.cut = 1
    code, _, [line] = fetch(*WORDS)
    assert code == 2
    assert "ESGF CMIP6.CMIP.NIMS-KMA" in line
    assert "lacks" in line
    assert written(project) == list(scratch.iterdir()) == []
    assert fetch(*WORDS)[0] == 0
    assert len(written(project)) == 2
