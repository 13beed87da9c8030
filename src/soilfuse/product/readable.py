"""Whether a file can be read to its end, found out by a process that may die of it."""

import signal
import subprocess
import sys
from pathlib import Path

from soilfuse.errors import UserError, shortened

# Every attribute and value, some months at a time, by the library that the checks read with.
READING = """
import sys, h5netcdf
with h5netcdf.File(sys.argv[1], "r") as file:
    dict(file.attrs)
    for variable in file.variables.values():
        dict(variable.attrs)
        for start in range(0, variable.shape[0] if variable.shape else 0, 96):
            variable[start : start + 96]
"""
PATIENCE = 60.0  # seconds to begin in, on a busy machine
SPEED = 1e6  # bytes a second that any disk gives


def require_readable(path: Path, reading: str = READING) -> None:
    """Raise UserError where a NetCDF-4 file cannot be read to its end.

    HDF5's library in C takes its whole process along when a damaged file crashes it, and turns in
    circles in others. Where dvc.lock vouches for the bytes, nobody needs this. reading: Python
    that reads the file named by its argument.
    """
    path = Path(path)
    command = [sys.executable, "-c", reading, str(path)]
    limit = PATIENCE + path.stat().st_size / SPEED
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        raise UserError(_line(path, f"reading it did not end in {limit:.0f} s")) from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise UserError(_line(path, f"it crashes the library that reads it, {name}"))
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(_line(path, shortened(last, 150)))


def _line(path: Path, why: str) -> str:
    return f"{path} is no readable NetCDF-4 file ({why}); run `dvc checkout {path}`"
