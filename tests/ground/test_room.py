"""HDF5 on a disk without room: one error, nothing printed, no crash, nothing left."""

import io
import resource
import subprocess
import sys
from contextlib import contextmanager

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from soilfuse.room import Room, room_aside


@contextmanager
def small_files(size):
    """Refuse large files as a full disk or a quota does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def maps():
    values = np.random.default_rng(0).random((10, 5, 29, 61))
    return xr.Dataset({f"v{i}": (("t", "z", "y", "x"), values) for i in range(3)})


@pytest.mark.parametrize("size", [0, 100, 3_000, 200_000, 1_500_000])
def test_xarray_on_a_full_disk_is_one_error_and_nothing_is_left(size, tmp_path, capfd):
    target = tmp_path / "maps.nc"
    with (
        small_files(size),
        pytest.raises(OSError, match="File too large") as caught,
        room_aside(target) as room,
    ):
        maps().to_netcdf(room, engine="h5netcdf", encoding={"v0": {"zlib": True}})
    assert caught.value.filename == str(target)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_a_disk_that_is_full_and_not_a_quota(tmp_path):
    """As above, and in a process of its own, where a crash of HDF5 would show."""
    (tmp_path / "disk").mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path / "disk")]
    try:
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no right to mount a small file system")
    script = (
        "import numpy, pathlib, xarray\n"
        "from soilfuse.errors import one_line_errors\n"
        "from soilfuse.room import room_aside\n"
        "maps = xarray.Dataset({'v': (('y', 'x'), numpy.random.rand(1000, 1000))})\n"
        f"with one_line_errors(), room_aside(pathlib.Path({str(tmp_path / 'disk/m.nc')!r})) as r:\n"
        "    maps.to_netcdf(r, engine='h5netcdf')\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
        left = list((tmp_path / "disk").iterdir())
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "disk")], check=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "disk/m.nc': No space left on device" in done.stderr
    assert left == []


def test_with_room_the_file_is_whole(tmp_path):
    with room_aside(tmp_path / "maps.nc") as room:
        maps().to_netcdf(room, engine="h5netcdf")
    with xr.open_dataset(tmp_path / "maps.nc") as made:
        xr.testing.assert_identical(made.load(), maps())
    with h5py.File(tmp_path / "maps.nc") as file:
        assert set(file) == {"v0", "v1", "v2", "t", "z", "y", "x"}


class Full(io.BytesIO):
    """A file in memory of which no byte beyond a limit is written."""

    def __init__(self, limit):
        super().__init__()
        self.limit = limit

    def write(self, data):
        if self.tell() >= self.limit:
            raise OSError(28, "No space left on device")
        return super().write(data[: self.limit - self.tell()])


WRITES = st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=20)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(WRITES, st.integers(0, 80))
def test_what_found_no_room_is_read_back_as_if_it_had(writes, limit):
    room, wanted = Room(Full(limit)), io.BytesIO()
    for at, data in writes:
        room.seek(at)
        assert room.write(data) == len(data)
        wanted.seek(at)
        wanted.write(data)
    room.seek(0, 2)
    assert room.tell() == len(wanted.getvalue())
    room.seek(0)
    assert room.read() == wanted.getvalue()
    if any(at + len(data) > limit for at, data in writes):
        with pytest.raises(OSError, match="No space left"):
            room.require()
    else:
        room.require()
