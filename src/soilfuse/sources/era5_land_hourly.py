"""ERA5-Land's hourly records: states at a step's end, and what came in the step.

`tp`, `e` and `ssrd` are sums since 00 UTC in the CDS's files, and the one stamped 00 UTC is the
whole of the day before: a step's own is the difference to the record before it. A sample whose
months start at 00 UTC thus needs the last record of the day before, too.
Letters: T steps, H latitudes, W longitudes.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources.cells import Window
from soilfuse.sources.instants import instants
from soilfuse.sources.netcdf import opened
from soilfuse.sources.plausibility import require_moist
from soilfuse.sources.quantities import METRES, SOIL_MOISTURE, Quantity
from soilfuse.sources.targets import list_files, one_world

FOLDER = "era5_land"
PROVIDER = "ERA5-Land"
ACCUMULATED = ("tp", "e", "ssrd")
GROWING = ("tp", "ssrd")  # never less at the end of a step than before it
DEPTHS = dict.fromkeys((*METRES, "m of water equivalent"), 1.0)
KELVIN = {"K": 1.0, "kelvin": 1.0}
JOULES = dict.fromkeys(("J m**-2", "J m-2", "J/m2"), 1.0)
# The range is that of a sum over a day at most.
QUANTITIES = {
    "swvl1": SOIL_MOISTURE,
    "tp": Quantity("tp", DEPTHS, 0.0, 1.0, 1e-4),
    "e": Quantity("e", DEPTHS, -0.05, 0.01, 1e-4),
    "t2m": Quantity("t2m", KELVIN, 180.0, 340.0, 0.0),
    "skt": Quantity("skt", KELVIN, 180.0, 360.0, 0.0),
    "ssrd": Quantity("ssrd", JOULES, 0.0, 5e7, 1e3),
}
REGRID = "download it on that grid, or edit params.yaml:sample"
Times = Mapping[Path, np.ndarray]


def read_steps(
    root: Path, grid: Grid, steps: np.ndarray, step_hours: int
) -> tuple[dict[str, np.ndarray], str]:
    """Return (T, H, W) float32 of each of names.SAMPLE_VARIABLES at UTC steps, and the world.

    swvl1 in m3 m-3, t2m and skt in K at the end of a step; tp and e in m, ssrd in J m-2 over it.
    Raises UserError for missing files, variables, records, cells and units, and for gaps.
    """
    files = raw_files(root)
    worlds = {}
    for path in files:
        with opened(path, PROVIDER) as file:
            worlds[path.name] = file.world
    world = one_world(worlds, str(Path(root) / FOLDER))
    found = {}
    for name in names.SAMPLE_VARIABLES:
        times = {path: held for path in files if (held := _times(path, name)) is not None}
        if not times:
            raise UserError(
                f"no variable {name!r} in any of the {len(files)} files of {files[0].parent} "
                f"({PROVIDER}): download it too"
            )
        found[name] = _at_steps(name, times, grid, steps, step_hours)
    return found, world


def raw_files(root: Path) -> list[Path]:
    """Return the sorted files that are read; raise UserError where there is none."""
    return list_files(Path(root) / FOLDER, "*.nc", PROVIDER)


def _times(path: Path, name: str) -> np.ndarray | None:
    """Return the (T,) instants of a variable in a file, None where it has no such variable."""
    with opened(path, PROVIDER) as file:
        return instants(file, file.variable(name)) if name in file else None


def _at_steps(
    name: str, times: Times, grid: Grid, steps: np.ndarray, step_hours: int
) -> np.ndarray:
    ends = steps.astype("datetime64[s]")
    if name not in ACCUMULATED:
        return _records(name, times, grid, ends)
    before = ends - np.timedelta64(step_hours, "h")
    # Sums start anew at 00 UTC: nothing is taken off the first of a day.
    goes_on = before != before.astype("datetime64[D]").astype(ends.dtype)
    wanted = np.unique(np.concatenate([ends, before[goes_on]]))
    sums = _records(name, times, grid, wanted)
    values = sums[np.searchsorted(wanted, ends)]
    values[goes_on] -= sums[np.searchsorted(wanted, before[goes_on])]
    return _never_less(name, values, next(iter(times)).parent) if name in GROWING else values


def _never_less(name: str, values: np.ndarray, folder: Path) -> np.ndarray:
    """Return a step's own with rounding below 0 cut off; raise UserError where sums shrink."""
    lowest = float(values.min())
    if lowest < -QUANTITIES[name].tolerance:
        raise UserError(
            f"sums of {name} in {folder} ({PROVIDER}) shrink by {-lowest:g} within a day; expected "
            "sums since 00 UTC, as ERA5-Land's hourly files have them: download those (ERA5 and "
            "daily statistics are no such sums)"
        )
    return np.clip(values, 0, None, out=values)


def _records(name: str, times: Times, grid: Grid, wanted: np.ndarray) -> np.ndarray:
    """Return (T, H, W) of a variable at wanted instants, from whichever files have them."""
    values = np.full((wanted.size, *grid.shape), np.nan, np.float32)
    missing = np.ones(wanted.size, dtype=bool)
    for path, held in times.items():
        here = np.flatnonzero(missing & np.isin(wanted, held))
        if here.size:
            records = np.searchsorted(held, wanted[here])
            values[here] = _of_file(path, name, grid, records, held)
            missing[here] = False
    if missing.any():
        first = np.datetime_as_string(wanted[missing][0], unit="m")
        raise UserError(
            f"{int(missing.sum())} records of {name} are missing in "
            f"{next(iter(times)).parent} ({PROVIDER}), the first of {first} UTC; expected "
            f"{wanted.size}, the last before each first day too: download them, or edit "
            "params.yaml:sample"
        )
    return values


def _of_file(
    path: Path, name: str, grid: Grid, records: np.ndarray, held: np.ndarray
) -> np.ndarray:
    with opened(path, PROVIDER) as file:
        stored = file.variable(name)
        quantity = QUANTITIES[name]
        scale = quantity.scale(file, stored, None)
        values = Window.of(file, stored, grid, REGRID).values(stored, records) * scale
        values = quantity.in_range(values, file, stored)
    if quantity is SOIL_MOISTURE:
        require_moist(values, f"{path} ({PROVIDER})")
    gaps = np.isnan(values).any(axis=(1, 2))
    if gaps.any():
        first = np.datetime_as_string(held[records[gaps]][0], unit="m")
        raise UserError(
            f"{name} in {path} ({PROVIDER}) has gaps in {int(gaps.sum())} records, the first of "
            f"{first} UTC; expected a value in each cell: choose a window without sea or lakes"
        )
    return np.asarray(values, np.float32)
