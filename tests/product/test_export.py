"""`soilfuse export`: the same numbers in another form, parts of a product, and bad targets."""

import builtins
import json
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from soilfuse.cli import exporting
from soilfuse.cli.commands import app
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_file
from soilfuse.product.export import export
from soilfuse.product.part import Part

ADDED = {"history", "exported_from"}


def opened(path):
    return xr.open_zarr(path) if path.suffix == ".zarr" else xr.open_dataset(path)


def same(one, other):
    return {k: np.asarray(v).tolist() for k, v in one.items()} == {
        k: np.asarray(v).tolist() for k, v in other.items()
    }


@pytest.fixture(params=[".zarr", ".nc"])
def target(request, tmp_path):
    return tmp_path / f"out{request.param}"


def test_whole_product_is_the_same_bit_for_bit(released, target):
    path, _ = released
    sizes = export(path, target, Part())
    assert sizes == {"time": 1032, "depth": 5, "lat": 5, "lon": 7}
    with opened(path) as product, opened(target) as made:
        assert list(made.variables.keys() ^ product.variables.keys()) == []
        for name, variable in product.variables.items():
            assert made[name].dims == variable.dims
            assert made[name].dtype == variable.dtype, name
            assert made[name].values.tobytes() == variable.values.tobytes(), name
            assert same(made[name].attrs, variable.attrs), name
        kept = {k: v for k, v in made.attrs.items() if k not in ADDED}
        assert kept == {k: v for k, v in product.attrs.items() if k not in ADDED}
        assert made.attrs["history"].startswith(product.attrs["history"] + "; soilfuse ")
        assert made.attrs["exported_from"] == f"ssp370.nc, SHA-256 {sha256_of_file(path)}"


def test_zarr_opens_by_one_read_of_metadata(released, tmp_path):
    folder = tmp_path / "out.zarr"
    export(released[0], folder, Part())
    metadata = json.loads((folder / ".zmetadata").read_text())["metadata"]
    for other in folder.rglob(".z*"):
        if other.name != ".zmetadata":
            assert metadata[other.relative_to(folder).as_posix()] == json.loads(other.read_text())
    assert metadata["soil_moisture/.zarray"]["chunks"] == [96, 1, 5, 7]
    assert metadata["time/.zarray"]["fill_value"] is None  # the first day is a value, not a gap
    with xr.open_zarr(folder, consolidated=True) as made:
        assert str(made["time"].values[0])[:13] == "2015-01-16T12"


def test_a_part_is_what_xarray_cuts(released, target):
    part = Part((2071, 2100), (1, 3), ("yangtze",), (95.4, 33, 98, 34.6))
    sizes = export(released[0], target, part)
    with opened(released[0]) as product, opened(target) as made:
        cut = product.sel(time=slice("2071", "2100"), lat=slice(33, 34.6), lon=slice(95.4, 98))
        cut = cut.isel(depth=[0, 2])
        mask = cut["region"] == 1
        held = cut.where(mask, drop=True)
        assert sizes == {name: held.sizes[name] for name in ("time", "depth", "lat", "lon")}
        assert sizes["time"] == 360
        for name in ("soil_moisture", "soil_moisture_fold_spread", "soil_moisture_model_spread"):
            np.testing.assert_array_equal(made[name], held[name])
            assert made[name].notnull().any()
        around = cut.sel(lat=held["lat"], lon=held["lon"])
        for name in ("outside_training_range", "region", "cell_area", "time_bnds", "depth_bnds"):
            np.testing.assert_array_equal(made[name], around[name])
            assert made[name].dtype == product[name].dtype
        assert made.attrs["history"].endswith(
            "exported of years 2071-2100, layers 1 3, box 95.4 33 98 34.6, region yangtze to "
            + ("Zarr" if target.suffix == ".zarr" else "NetCDF")
        )


def test_regions_that_touch_are_taken_together(released, tmp_path):
    with xr.open_dataset(released[0]) as product:
        words = product["region"].attrs["flag_meanings"].split()
        there = [words[number] for number in np.unique(product["region"]) if number]
        assert len(there) > 1
        export(released[0], tmp_path / "out.nc", Part(regions=there))
        with xr.open_dataset(tmp_path / "out.nc") as made:
            count = int(made["soil_moisture"][0, 0].notnull().sum())
            assert count == int((product["region"] > 0).sum())


def test_same_bytes_each_time_and_what_cf_asks_for(released, tmp_path):
    checker = pytest.importorskip("compliance_checker.runner")
    part = Part((2021, 2040), (2,), ("yangtze",))
    for name in ("a.nc", "b.nc"):
        export(released[0], tmp_path / name, part)
    first = tmp_path / "a.nc"
    assert first.read_bytes() == (tmp_path / "b.nc").read_bytes()
    checker.CheckSuite.load_all_available_checkers()
    passed, errors = checker.ComplianceChecker.run_checker(
        str(first), ["cf:1.11"], 0, "strict", output_filename=str(tmp_path / "report")
    )
    assert passed, (tmp_path / "report").read_text()
    assert not errors


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (Part(regions=("yangtse",)), "unknown region 'yangtse'.*did you mean 'yangtze'"),
        (Part(regions=("none",)), "unknown region 'none'; expected one of yangtze, yellow"),
        (Part(layers=(0, 6)), "no layer 0, 6; expected numbers of 1 .uppermost. to 5"),
        (Part(years=(1990, 2020)), "holds 2015-2100, not all of 1990-2020"),
        (Part(years=(2040, 2030)), "holds 2015-2100, not all of 2040-2030"),
        (Part(box=(10, 10, 20, 20)), "no cell centre .* at 95 to 98 E, 33 to 35 N: edit --box"),
        (Part(regions=("yangtze",), box=(97.9, 34.9, 98, 35)), "no cell of region yangtze lies"),
    ],
)
def test_a_part_that_is_not_there_is_told_and_nothing_is_left(released, target, part, told):
    with pytest.raises(UserError, match=told):
        export(released[0], target, part)
    assert list(target.parent.iterdir()) == []


def test_all_that_is_wrong_is_told_at_once(released, target):
    part = Part((1990, 2020), (9,), ("x",), (0, 0, 1, 1))
    with pytest.raises(UserError) as refusal:
        export(released[0], target, part)
    assert len(refusal.value.problems) == 4


def test_a_target_that_is_there_needs_force(released, target):
    export(released[0], target, Part(years=(2020, 2020)))
    with pytest.raises(UserError, match="is there already; .* give --force"):
        export(released[0], target, Part())
    export(released[0], target, Part(years=(2030, 2031)), force=True)
    with opened(target) as made:
        assert made.sizes["time"] == 24
    assert list(target.parent.iterdir()) == [target]


def test_force_replaces_nothing_of_another_kind(released, tmp_path):
    folder = tmp_path / "thesis.zarr"
    folder.mkdir()
    (folder / "thesis.tex").touch()
    (tmp_path / "out.nc").mkdir()
    for target in (folder, tmp_path / "out.nc"):
        with pytest.raises(UserError, match="which --force could replace"):
            export(released[0], target, Part(), force=True)
    with pytest.raises(UserError, match="is the product itself"):
        export(released[0], released[0], Part(), force=True)
    with pytest.raises(UserError, match=r"suffix '.tif'; expected one of .nc, .zarr"):
        export(released[0], tmp_path / "out.tif", Part())
    assert (folder / "thesis.tex").exists()


def test_a_source_that_is_none(released, tmp_path, target):
    with pytest.raises(UserError, match=r"no product .*ssp371.nc \(there: ssp370.nc"):
        export(released[0].with_name("ssp371.nc"), target, Part())
    broken = tmp_path / "broken.nc"
    broken.write_bytes(released[0].read_bytes()[:5000])
    with pytest.raises(UserError, match="no readable NetCDF-4 file"):
        export(broken, target, Part())
    with h5py.File(tmp_path / "other.nc", "w") as file:
        file["x"] = 1
    with pytest.raises(UserError, match="lacks variable time, .* expected a product"):
        export(tmp_path / "other.nc", target, Part())
    assert not target.exists()


def test_a_chunk_that_rotted_is_told_and_nothing_is_left(released, tmp_path, target):
    rotten = tmp_path / "rotten" / "ssp370.nc"
    rotten.parent.mkdir()
    shutil.copy(released[0], rotten)
    with h5py.File(rotten) as file:
        chunk = file["soil_moisture"].id.get_chunk_info(7)
    with rotten.open("r+b") as stream:
        stream.seek(chunk.byte_offset)
        stream.write(bytes(chunk.size))
    with pytest.raises(UserError, match=r"rotten/ssp370.nc is no readable .*dvc checkout"):
        export(rotten, target, Part())
    assert [path.name for path in tmp_path.iterdir()] == ["rotten"]


@contextmanager
def small_files(size):
    """Refuse large files as a full disk or a quota does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_leaves_what_was_there(released, target):
    export(released[0], target, Part(years=(2020, 2020)))
    limit = 100_000 if target.suffix == ".nc" else 4_000
    with small_files(limit), pytest.raises(OSError, match="File too large") as caught:
        export(released[0], target, Part(), force=True)
    assert caught.value.filename == str(target)
    assert list(target.parent.iterdir()) == [target]
    with opened(target) as made:
        assert made.sizes["time"] == 12


KILLED = """
import os, signal, sys
from pathlib import Path
from soilfuse import files
from soilfuse.product.export import export
from soilfuse.product.part import Part

product, target, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
real = Path.rename

def kill(*given):
    os.kill(os.getpid(), signal.SIGKILL)

def rename(self, to):
    kill() if to == target else real(self, to)

if where == "between":
    Path.rename = rename
else:
    files._to_disk = kill
export(product, target, Part(), force=True)
"""


@pytest.mark.parametrize(
    ("name", "where"), [("a.nc", "before"), ("a.zarr", "before"), ("a.zarr", "between")]
)
def test_a_kill_leaves_what_was_there_and_the_next_export_cleans_up(
    released, tmp_path, name, where
):
    """Between the two renames of a folder the old one is aside; the next export puts it back."""
    target = tmp_path / name
    export(released[0], target, Part(years=(2020, 2020)))
    words = [sys.executable, "-c", KILLED, str(released[0]), str(target), where]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert target.exists() == (where == "before")
    assert len(list(tmp_path.iterdir())) == (2 if where == "before" else 1)
    with pytest.raises(UserError, match="unknown region"):
        export(released[0], target, Part(regions=("x",)), force=True)
    export(released[0], target, Part(years=(2020, 2021)), force=True)
    assert list(tmp_path.iterdir()) == [target]
    with opened(target) as made:
        assert made.sizes["time"] == 24


def test_a_folder_that_is_a_file_is_told(released, tmp_path):
    (tmp_path / "out").write_text("a file")
    for name in ("a.nc", "a.zarr"):
        with pytest.raises(OSError, match="out"):
            export(released[0], tmp_path / "out" / name, Part())


def test_without_zarr_the_line_says_how_to_get_it(released, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name == "zarr":
            raise ModuleNotFoundError("No module named 'zarr'", name="zarr")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        UserError, match=r"needs zarr, .*pip install -c constraints.txt -e '.\[zarr"
    ):
        export(released[0], tmp_path / "a.zarr", Part())
    assert list(tmp_path.iterdir()) == []


def test_the_command_as_typed(released, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["export", str(released[0]), "a.zarr", "--region", "yangtze", "--layers", "1,2"]
    done = CliRunner().invoke(app, [*words, "--years", "2071-2100"])
    assert done.exit_code == 0, done.output
    with xr.open_zarr(Path("a.zarr")) as made:
        height, width = made.sizes["lat"], made.sizes["lon"]
    assert done.output.startswith(f"a.zarr: 360 months, 2 layers, {height} x {width} cells, ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"layers": "top"}, "--layers 'top' names no layers"),
        ({"box": "1,2,3"}, "--box '1,2,3' is no box; expected west,south,east,north"),
        ({"box": "95,35,90,32"}, "is no box"),
        ({"years": "2100-2071"}, "--years '2100-2071' is no range"),
    ],
)
def test_words_that_are_none(released, tmp_path, words, told):
    asked = {"regions": [], "box": "", "years": "", "layers": "", "force": False, **words}
    with pytest.raises(UserError, match=told):
        exporting.exported(released[0], tmp_path / "a.nc", **asked)


def test_what_the_pipeline_recorded_is_never_overwritten(released, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").write_text("stages: {infer: {cmd: infer, outs: [products/ssp245.nc]}}")
    made = {"path": "products/ssp245.nc", "hash": "md5", "md5": "a" * 32, "size": 1}
    lock = {"schema": "2.0", "stages": {"infer": {"cmd": "infer", "outs": [made]}}}
    Path("dvc.lock").write_text(json.dumps(lock))
    asked = {"regions": [], "box": "", "years": "", "layers": "1", "force": True}
    with pytest.raises(UserError, match=r"target products/ssp245.nc would overwrite .*dvc.lock"):
        exporting.exported(released[0], Path("products/ssp245.nc"), **asked)
    assert not Path("products").exists()
    Path("products").mkdir()
    monkeypatch.chdir("products")
    with pytest.raises(UserError, match="target ssp245.nc would overwrite"):
        exporting.exported(released[0], Path("ssp245.nc"), **asked)
    exporting.exported(released[0], Path("mine.nc"), **{**asked, "years": "2020-2020"})
    assert [path.name for path in Path.cwd().iterdir()] == ["mine.nc"]
