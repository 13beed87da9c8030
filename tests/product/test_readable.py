"""A damaged file is read by a process of its own first: it may crash or hold up its reader."""

import h5netcdf
import numpy as np
import pytest

from soilfuse.errors import UserError
from soilfuse.product import readable
from soilfuse.product.readable import require_readable


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "ssp370.nc"
    with h5netcdf.File(path, "w") as made:
        made.dimensions = {"time": 200}
        made.create_variable("crs", (), "i4")
        noise = np.random.default_rng(1).random(200)
        made.create_variable("x", ("time",), "f8", data=noise, chunks=(50,), compression="gzip")
        made.attrs["title"] = "a file"
    return path


def test_a_whole_file_passes(file):
    require_readable(file)


def test_a_cut_file_and_a_damaged_chunk_are_told(file):
    whole = file.read_bytes()
    file.write_bytes(whole[:-200])
    with pytest.raises(UserError, match=r"ssp370.nc is no readable .*truncated.*dvc checkout"):
        require_readable(file)
    with h5netcdf.File(file.with_name("other.nc"), "w"):
        pass
    file.write_bytes(whole)
    with h5netcdf.File(file) as made:
        start = made["x"]._h5ds.id.get_chunk_info(0).byte_offset
    file.write_bytes(whole[:start] + bytes(20) + whole[start + 20 :])
    with pytest.raises(UserError, match=r"is no readable NetCDF-4 file \(OSError.*filter"):
        require_readable(file)


def test_a_crash_of_the_library_is_one_line(file):
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    with pytest.raises(UserError, match="crashes the library that reads it, SIGSEGV"):
        require_readable(file, crash)


def test_a_library_that_turns_in_circles_is_ended(file, monkeypatch):
    monkeypatch.setattr(readable, "PATIENCE", 0.2)
    with pytest.raises(UserError, match="reading it did not end"):
        require_readable(file, "while True: pass")
