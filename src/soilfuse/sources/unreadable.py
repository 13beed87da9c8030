"""What to say of a file that cannot be opened as NetCDF, in words and not in bytes."""

import re
from pathlib import Path

SHOWN = 40  # bytes
DOWNLOAD = "download it again"
TEXT = {*b"\t\n\f\r", *range(ord(" "), 127), *range(128, 256)}
CUT = re.compile(r"truncated file: .*stored_eof = (\d+)")  # HDF5's words


def no_netcdf(start: bytes) -> str:
    """Say what a file is by its first bytes, which are those of no NetCDF file."""
    if not start:
        return "is empty"
    if not set(start) - TEXT:
        shown = " ".join(start.decode("utf-8", "replace").split())
        return f"is text, not NetCDF; it starts with {shown!r}"
    return f"is not a NetCDF file; it starts with the bytes {start[:4].hex(' ')}"


def damaged(path: Path, provider: str, error: Exception, mend: str) -> str:
    """Return the line for a NetCDF file that the library cannot read on; mend: what to do."""
    size = path.stat().st_size
    if whole := CUT.search(str(error)):
        return f"{path} ({provider}) is cut off: it has {size} of {whole[1]} bytes: {mend}"
    return f"{path} ({provider}) is truncated or damaged ({size} bytes): {error}: {mend}"
