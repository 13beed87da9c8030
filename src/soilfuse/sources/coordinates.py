"""Coordinates as they stand in a file: finite numbers, time within its bounds, one direction.

Letter: T time stamps.
"""

import numpy as np

from soilfuse.errors import UserError
from soilfuse.sources.netcdf import RawFile, Stored

BESIDE = 0.1  # of its bounds' width that a time stamp may lie beside them


def time_bounds(file: RawFile, time: Stored) -> np.ndarray | None:
    """Return the (T, 2) bounds of a time axis as they stand in the file, None without any."""
    name = str(time.attributes.get("bounds", "time_bnds"))
    if name not in file:
        return None
    bounds = numbers(file, file.variable(name))
    if bounds.shape != (*time.shape, 2):
        raise UserError(
            f"{name} in {file.path} ({file.provider}) has shape {bounds.shape}; expected "
            f"{(*time.shape, 2)}, two a time stamp: mend the file"
        )
    return bounds


def middles_of(file: RawFile, time: Stored) -> np.ndarray:
    """Return (T,) the middle of each bounds, or the time stamps where there are none."""
    stamps = numbers(file, time)
    bounds = time_bounds(file, time)
    if bounds is None:
        return stamps
    beside = BESIDE * (bounds[:, 1] - bounds[:, 0])
    apart = (beside < 0) | (stamps < bounds[:, 0] - beside) | (stamps > bounds[:, 1] + beside)
    if apart.any():
        first = int(np.flatnonzero(apart)[0])
        raise UserError(
            f"{time.name} in {file.path} ({file.provider}) is {stamps[first]:g} in record {first}, "
            f"its bounds are {bounds[first].tolist()}; expected the stamp within its bounds: mend "
            "whichever is wrong"
        )
    return bounds.mean(axis=1)


def numbers(file: RawFile, stored: Stored) -> np.ndarray:
    """Return a coordinate's numbers as stored; raise UserError where some are none."""
    raw = np.atleast_1d(stored.raw())
    if raw.dtype.kind not in "iuf" or not np.isfinite(raw).all():
        what = "gaps or infinite numbers" if raw.dtype.kind in "iuf" else "text"
        raise UserError(
            f"{stored.name} in {file.path} ({file.provider}) holds {what}; expected finite "
            "numbers: mend the file"
        )
    return raw.astype(float)


def require_one_way(centres: np.ndarray, axis: str, where: str) -> None:
    """Raise UserError where centres repeat or turn back; longitudes may pass the seam once."""
    if np.unique(centres).size != centres.size:
        raise UserError(f"{where} repeats a value; expected each once: mend the coordinate")
    steps = np.diff(centres)
    against = min(int((steps < 0).sum()), int((steps > 0).sum()))
    if against > (1 if axis == "lon" and np.ptp(centres) > 180 else 0):
        raise UserError(
            f"{where} rises and falls; expected centres in one direction: mend the coordinate"
        )
