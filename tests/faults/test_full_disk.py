"""A disk that is full, or a quota that is used up, in the middle of training: one line, no loss."""

import resource
import subprocess
from contextlib import contextmanager

import pytest
from small_training import (
    FULL_AT,
    ended,
    fill,
    fill_at_end,
    limit_files,
    limit_files_at_end,
    results,
)

from soilfuse import files
from soilfuse.training import checkpoints

pytestmark = pytest.mark.slow
STAGES = ("finetune", "sweep")


@contextmanager
def small_disk(folder, size="3m"):
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def small_files(folder):
    """Refuse large files as a quota does, where nobody may mount a small disk."""
    folder.mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, before[1]))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


NARROW = [(small_disk, "No space left on device"), (small_files, "File too large")]


@pytest.fixture(scope="module")
def wholes(tmp_path_factory):
    """Give the results of each stage on a disk with room."""
    found = {}
    for stage in STAGES:
        folder = tmp_path_factory.mktemp(stage) / "whole"
        folder.mkdir()
        assert ended(stage, folder) == (0, [])
        found[stage] = results(folder)
    return found


def told_of(stage, folder, why):
    """Return how the one line begins and ends."""
    if stage == "sweep":
        return (
            f"soilfuse: error: the sweep's journal '{folder}/state/a.journal' cannot be written "
            f"({why}); the trials finished before are kept: "
        )
    return (
        f"soilfuse: error: finetune fold 0: no checkpoint of epoch {FULL_AT + 1} can be written to "
        f"the folder '{folder}/state' ({why}); the checkpoint of epoch {FULL_AT} is kept: "
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_stops_in_one_line_and_the_same_command_goes_on(stage, wholes, tmp_path):
    with small_disk(tmp_path / "disk") as folder:
        code, [line] = ended(stage, folder, fill)
        assert code == 2
        assert line.startswith(told_of(stage, folder, "No space left on device"))
        again = ended(stage, folder)  # it is full still
        assert (again[0], len(again[1])) == (2, 1)
        (folder / "filler").unlink()
        assert ended(stage, folder) == (0, [])
        assert results(folder) == wholes[stage]


@pytest.mark.parametrize("stage", STAGES)
def test_a_quota_stops_in_one_line_and_the_same_command_goes_on(stage, wholes, tmp_path):
    (tmp_path / "disk").mkdir()
    folder = tmp_path / "disk"
    code, [line] = ended(stage, folder, limit_files, 3000)
    assert code == 2
    assert line.startswith(told_of(stage, folder, "File too large"))
    kept = [path.suffix for path in (folder / "state").iterdir()]
    assert kept == [".journal" if stage == "sweep" else ".pt"]  # nothing half-written beside it
    assert ended(stage, folder) == (0, [])
    assert results(folder) == wholes[stage]


@pytest.mark.parametrize("limit", [1000, 10_000])
def test_results_that_find_no_room_leave_those_before_them(limit, wholes, tmp_path):
    folder = tmp_path / "disk"
    (folder / "models").mkdir(parents=True)
    before = folder / "models" / "generator.safetensors"
    before.write_bytes(b"those of another day")
    code, [line] = ended("finetune", folder, limit_files_at_end, limit)
    assert code == 2
    assert line.startswith(f"soilfuse: error: cannot read or write '{before}': File too large;")
    assert results(folder) == {before.name: b"those of another day"}
    assert ended("finetune", folder) == (0, [])
    assert results(folder) == wholes["finetune"]


def test_results_on_a_full_disk_are_whole_or_absent(wholes, tmp_path):
    with small_disk(tmp_path / "disk") as folder:
        code, [line] = ended("finetune", folder, fill_at_end)
        assert code == 2
        assert "No space left on device; check the path, its permissions and the free" in line
        assert results(folder) == {}
        (folder / "filler").unlink()
        assert ended("finetune", folder) == (0, [])
        assert results(folder) == wholes["finetune"]


@pytest.mark.parametrize(("narrow", "why"), NARROW)
def test_a_checkpoint_that_finds_no_room_leaves_the_last_one(narrow, why, tmp_path):
    with narrow(tmp_path / "disk") as folder:
        checkpoints.save(folder, "a" * 32, {"epoch": 1})
        [kept] = folder.iterdir()
        before = kept.read_bytes()
        with pytest.raises(OSError, match=why) as caught:
            checkpoints.save(folder, "a" * 32, {"epoch": 2, "weights": list(range(10**6))})
        assert caught.value.filename == str(kept)
        assert [path.read_bytes() for path in folder.iterdir()] == [before]
        assert checkpoints.load(folder, "a" * 32)["epoch"] == 1


def test_netcdf_that_finds_no_room_is_told_with_its_name(tmp_path):
    import numpy as np
    import xarray as xr

    with small_disk(tmp_path / "disk") as folder:
        maps = xr.Dataset({"maps": ("x", np.random.default_rng(0).random(10**6))})
        with (
            pytest.raises(OSError, match="No space left on device") as caught,
            files.written_aside(folder / "product.nc") as aside,
        ):
            maps.to_netcdf(aside, engine="h5netcdf")
        assert caught.value.filename == str(folder / "product.nc")
        assert list(folder.iterdir()) == []
