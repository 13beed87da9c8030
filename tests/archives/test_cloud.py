"""CMIP6 from a real S3 server that holds a small collection of Zarr stores and its catalogue."""

import shutil

import archive_files as files
import archive_servers as servers
import h5py
import numpy as np
import pytest
import xarray as xr

from soilfuse.sources.cmip6 import read_mrsol, read_mrsos

HISTORICAL, SSP245 = (1949, 2014), (2015, 2101)
STORES = {  # prefix in the bucket: experiment, member, version, grid label, years, seed
    "CMIP6/h1/gn/v20190101/": ("historical", "r1i1p1f1", "20190101", "gn", HISTORICAL, 1),
    "CMIP6/h1/gn/v20200625/": ("historical", "r1i1p1f1", "20200625", "gn", HISTORICAL, 2),
    "CMIP6/h1/gr/v20210101/": ("historical", "r1i1p1f1", "20210101", "gr", HISTORICAL, 3),
    "CMIP6/h2/gn/v20190101/": ("historical", "r2i1p1f1", "20190101", "gn", HISTORICAL, 4),
    "CMIP6/s2/gr/v20190101/": ("ssp245", "r1i1p1f1", "20190101", "gr", SSP245, 5),
}
NEWEST = "CMIP6/h1/gn/v20200625/"
NAME = f"cmip6/{files.MODEL}/mrsos_Lmon_{files.MODEL}_{{}}_r1i1p1f1_{{}}_{{}}.nc"
OLD, NEW = (
    NAME.format("historical", "gn", "195001-201412"),
    NAME.format("ssp245", "gr", "201501-210012"),
)
WANTED = {"historical": (1950, 2014), "ssp245": (2015, 2100)}
SUM = "{} fetched, 0 problems"
ROWS = [
    files.catalogue_row(experiment, member, version, f"s3://{files.BUCKET}/{prefix}", label)
    for prefix, (experiment, member, version, label, *_) in STORES.items()
]


@pytest.fixture(scope="module")
def bucket(s3, tmp_path_factory):
    """Stores of two members, two versions and two grids; the address, and the originals."""
    originals = {}
    for prefix, (*_, years, seed) in STORES.items():
        originals[prefix] = files.original(years, seed, step=7.5)
        folder = tmp_path_factory.mktemp("store") / "zarr"
        originals[prefix].chunk({"time": 400}).to_zarr(folder, zarr_format=2, consolidated=True)
        files.upload(s3, folder, prefix.rstrip("/"))
    files.put_catalogue(s3, ROWS)
    return s3, originals


@pytest.fixture
def cloud(bucket, project, monkeypatch):
    """The bucket's server as the one that the command asks."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket[0])
    return bucket


def of_original(dataset, experiment, label, years, folder):
    """What the reader makes of the whole global file."""
    name = f"mrsos_Lmon_{files.MODEL}_{experiment}_r1i1p1f1_{label}_{years[0]}01-{years[1]}12.nc"
    files.write_netcdf(dataset, folder / "cmip6" / files.MODEL / name)
    return read_mrsos(
        folder, files.MODEL, "r1i1p1f1", experiment, *WANTED[experiment], 2, files.GRID
    )


def test_fetched_files_are_read_as_the_originals(cloud, project, fetch_apart, tmp_path):
    done = fetch_apart("cmip6")
    assert done.stderr == ""
    assert done.returncode == 0
    root = project / "data/raw/real"
    assert sorted(str(p.relative_to(root)) for p in root.rglob("*.*")) == [OLD, NEW]
    for prefix, experiment, label, years in (
        (NEWEST, "historical", "gn", HISTORICAL),
        ("CMIP6/s2/gr/v20190101/", "ssp245", "gr", SSP245),
    ):
        expected = of_original(cloud[1][prefix], experiment, label, years, tmp_path)
        span = WANTED[experiment]
        got = read_mrsos(root, files.MODEL, "r1i1p1f1", experiment, *span, 2, files.GRID)
        xr.testing.assert_equal(got, expected)
        assert got.attrs["source_calendar"] == "360_day"
    assert "grid gn, not gr" in done.stdout
    assert (root / OLD).stat().st_size < 1e6


def test_attributes_are_the_archives_and_say_from_where(cloud, project, fetch):
    assert fetch("cmip6", "--experiment", "historical")[0] == 0
    with h5py.File(project / "data/raw/real" / OLD) as file:
        kept = {name: file.attrs[name] for name in file.attrs}
        cells = file["mrsos"].attrs["cell_methods"]
        assert "_FillValue" not in file["lat"].attrs
    assert kept["tracking_id"] == "hdl:21.14100/00000002"
    assert kept["license"].startswith("CMIP6 model data")
    assert kept["soilfuse_fetched_from"] == f"s3://{files.BUCKET}/{NEWEST}"
    assert kept["soilfuse_dataset_version"] == "20200625"
    assert cells == "area: mean where land time: mean"


def test_a_lost_file_comes_back_with_the_same_bytes_and_no_other_is_touched(cloud, project, fetch):
    fetch("cmip6")
    old, new = (project / "data/raw/real" / name for name in (OLD, NEW))
    before, time = old.read_bytes(), new.stat().st_mtime_ns
    assert fetch("cmip6")[:2] == (0, ["CMIP6: 2 of 2 experiments are there", SUM.format(0)])
    old.unlink()
    assert fetch("cmip6")[1][-1] == SUM.format(1)
    assert old.read_bytes() == before
    old.write_bytes(before[:5000])
    assert fetch("cmip6")[1][-1] == SUM.format(1)
    assert old.read_bytes() == before
    assert new.stat().st_mtime_ns == time


def test_a_broken_download_leaves_no_file_and_the_same_command_goes_on(
    cloud, project, fetch, fetch_apart
):
    endpoint, _ = cloud
    with servers.breaking(endpoint, "/mrsos/1.") as broken:
        done = fetch_apart("cmip6", "--experiment", "historical", AWS_ENDPOINT_URL=broken)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(f"soilfuse: error: cannot read s3://{files.BUCKET}/{NEWEST}: Client")
    root = project / "data/raw/real"
    assert [path for path in root.rglob("*") if path.is_file()] == []
    assert fetch("cmip6", "--experiment", "historical")[0] == 0
    assert (root / OLD).exists()


def test_what_the_archive_lacks_is_told_by_model_and_the_rest_is_fetched(
    cloud, project, fetch, change_params
):
    change_params(**{"cmip6.models": {files.MODEL: "r1i1p1f1", "MIROC6": "r1i1p1f1"}})
    code, _, lines = fetch("cmip6")
    assert code == 2
    assert lines == [
        "soilfuse: error: no mrsos (Lmon) of MIROC6 r1i1p1f1 for historical, ssp245 in "
        "s3://cmip6-pds/pangeo-cmip6.csv; no other member has all of them: edit "
        "params.yaml:cmip6.models, or fetch it with --from esgf"
    ]
    assert (project / "data/raw/real" / OLD).exists()
    change_params(**{"cmip6.models": {files.MODEL: "r9i1p1f1"}})
    _, _, [line] = fetch("cmip6", "--experiment", "historical")
    assert "there are members r1i1p1f1, r2i1p1f1: edit" in line
    change_params(**{"cmip6.models": {files.MODEL: "r2i1p1f1"}})
    _, _, [line] = fetch("cmip6", "--experiment", "ssp245")
    assert "for ssp245 in" in line
    assert "there are members r1i1p1f1: edit" in line


def test_a_dry_run_lists_and_writes_nothing(cloud, project, fetch):
    code, lines, errors = fetch("cmip6", "--dry-run")
    assert (code, errors) == (0, [])
    assert lines[1].startswith(f"data/raw/real/{OLD} from s3://{files.BUCKET}/{NEWEST} (")
    assert lines[1].endswith(" MB there; grid gn, not gr)")
    assert lines[-1] == "2 to fetch, 0 problems"
    assert not (project / "data").exists()


def test_years_and_experiments_can_be_chosen_and_more_years_fetched_later(cloud, project, fetch):
    root = project / "data/raw/real"
    assert fetch("cmip6", "--years", "1995-2016", "--experiment", "historical")[0] == 0
    short = NAME.format("historical", "gn", "199501-201412")
    assert [path for path in root.rglob("*") if path.is_file()] == [root / short]
    assert fetch("cmip6", "--years", "2000", "--experiment", "historical")[1][-1] == SUM.format(0)
    assert fetch("cmip6", "--experiment", "historical")[1][-1] == SUM.format(1)
    named = files.MODEL, "r1i1p1f1", "historical"
    assert read_mrsos(root, *named, 1950, 2014, 2, files.GRID).time.size == 65 * 12


def test_another_folder_and_another_bucket(cloud, project, fetch, tmp_path):
    words = "--to", str(tmp_path / "mine"), "--store", f"s3://{files.BUCKET}/"
    assert fetch("cmip6", *words)[0] == 0
    assert (tmp_path / "mine" / NEW).exists()
    code, _, [line] = fetch("cmip6", "--store", "s3://absent")
    assert code == 2
    assert line.startswith("soilfuse: error: cannot read s3://absent/pangeo-cmip6.csv: ")


def test_a_mirror_on_disk_and_a_catalogue_of_other_columns(project, fetch, tmp_path):
    mirror = tmp_path / "mirror"
    years = 1950, 2014
    files.original(years, step=7.5).to_zarr(mirror / "h", zarr_format=2, consolidated=True)
    row = files.catalogue_row("historical", "r1i1p1f1", "20190101", str(mirror / "h"))
    (mirror / "pangeo-cmip6.csv").write_text(f"{files.COLUMNS}\n{row}\n")
    words = "--store", str(mirror), "--experiment", "historical"
    assert fetch("cmip6", *words)[1][-1] == SUM.format(1)
    (mirror / "pangeo-cmip6.csv").write_text("path,size\nx,1\n")
    shutil.rmtree(project / "data")
    code, _, [line] = fetch("cmip6", *words)
    assert code == 2
    assert "lacks the columns experiment_id, grid_label, member_id" in line


def test_layers_are_fetched_where_a_depth_is_wanted(project, fetch, change_params, tmp_path):
    mirror = tmp_path / "mirror"
    upper = files.original((1950, 2014), step=7.5)
    layers = upper.drop_vars(["mrsos", "depth", "depth_bnds"])
    bounds = np.array([[0.0, 0.1], [0.1, 0.5]])
    thick = np.where(upper.mrsos == files.FILL, files.FILL, upper.mrsos * 3)
    mrsol = np.stack([upper.mrsos, thick], axis=1).astype(np.float32)
    attributes = upper.mrsos.attrs | {"coordinates": ""}
    layers["mrsol"] = ("time", "depth", "lat", "lon"), mrsol, attributes
    layers["depth_bnds"] = ("depth", "bnds"), bounds
    depth = {"units": "m", "bounds": "depth_bnds"}
    layers = layers.assign_coords(depth=("depth", bounds.mean(axis=1), depth))
    layers.to_zarr(mirror / "l", zarr_format=2, consolidated=True)
    row = files.catalogue_row("historical", "r1i1p1f1", "20190101", str(mirror / "l"))
    row = row.replace("Lmon,mrsos", "Emon,mrsol")
    decoy = files.catalogue_row("historical", "r1i1p1f1", "20200101", "nowhere")
    (mirror / "pangeo-cmip6.csv").write_text(f"{files.COLUMNS}\n{decoy}\n{row}\n")
    change_params(**{"cmip6.depth": [0.0, 0.5]})
    code, lines, errors = fetch("cmip6", "--store", str(mirror), "--experiment", "historical")
    assert (code, errors) == (0, [])
    assert "mrsol_Emon_KACE-1-0-G_historical_r1i1p1f1_gn_195001-201412.nc from" in lines[1]
    named = project / "data/raw/real", files.MODEL, "r1i1p1f1", "Emon", "historical", 1950, 2014
    got = read_mrsol(*named, 0.0, 0.5, 0, files.GRID)
    written = files.write_netcdf(upper, tmp_path / "u" / OLD)
    whole = read_mrsos(written.parents[2], *named[1:3], "historical", 1950, 2014, 0, files.GRID)
    # Three times the water in four times the soil: (1 + 3) / 0.5 of what is 1 / 0.1.
    np.testing.assert_allclose(got, 0.8 * whole, rtol=1e-6)


def test_missing_years_in_a_store_are_told_and_nothing_is_written(project, fetch, tmp_path):
    mirror = tmp_path / "mirror"
    files.original((1950, 2010), step=7.5).to_zarr(mirror / "h", zarr_format=2, consolidated=True)
    row = files.catalogue_row("historical", "r1i1p1f1", "20190101", str(mirror / "h"))
    (mirror / "pangeo-cmip6.csv").write_text(f"{files.COLUMNS}\n{row}\n")
    code, _, [line] = fetch("cmip6", "--store", str(mirror), "--experiment", "historical")
    assert code == 2
    assert "lacks 2011-01 and 47 more months; expected each month of 1950-2014 once" in line
    assert not (project / "data").exists()


def test_a_readable_file_of_other_content_is_never_replaced(cloud, project, fetch, tmp_path):
    path = project / "data/raw/real" / OLD
    files.write_netcdf(files.original((1950, 2013), step=7.5), path)
    before = path.read_bytes()
    code, _, [line] = fetch("cmip6", "--experiment", "historical")
    assert code == 2
    assert f"{OLD} is there already, and is not what was fetched" in line
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
