"""SMAP's retrievals on a grid of coarse cells, at the steps nearest to its overpasses.

`soil_moisture` counts where `retrieval_qual_flag` is 0. Letters: T steps, h, w coarse cells.
"""

from pathlib import Path

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources.cells import Window
from soilfuse.sources.instants import instants
from soilfuse.sources.netcdf import opened
from soilfuse.sources.quantities import SOIL_MOISTURE, VOLUME_FRACTION, Quantity
from soilfuse.sources.targets import list_files, one_world

FOLDER = "smap"
PROVIDER = "SMAP"
VALUE, FLAG = "soil_moisture", "retrieval_qual_flag"
UNITS = dict.fromkeys((*VOLUME_FRACTION, "cm**3/cm**3", "cm3 cm-3"), 1.0)
QUANTITY = Quantity(SOIL_MOISTURE.name, UNITS, 0.0, 1.0, 1e-3)
REGRID = (
    "average it to the coarse cells first (blocks of params.yaml:sample.block cells a side), or "
    "edit params.yaml:sample"
)


def read_smap(root: Path, coarse: Grid, steps: np.ndarray) -> tuple[np.ndarray, str]:
    """Return (T, h, w) float32 m3 m-3, NaN where nothing good was retrieved, and the world.

    A retrieval goes to the nearest step; those of two overpasses in one step are averaged. Raises
    UserError for missing files, variables, units and cells, and where no retrieval is left.
    """
    files = raw_files(root)
    total = np.zeros((steps.size, *coarse.shape))
    count = np.zeros(total.shape, dtype=int)
    worlds = {}
    for path in files:
        with opened(path, PROVIDER) as file:
            worlds[path.name] = file.world
        values, nearest = _retrieved(path, coarse, steps)
        np.add.at(total, nearest, np.nan_to_num(values))
        np.add.at(count, nearest, np.isfinite(values))
    if not count.any():
        first, last = np.datetime_as_string(steps[[0, -1]], unit="D")
        raise UserError(
            f"no good retrieval in {files[0].parent} ({PROVIDER}) from {first} to {last}: put "
            "files of those days there, or edit params.yaml:sample"
        )
    with np.errstate(invalid="ignore"):
        return (total / count).astype(np.float32), one_world(worlds, str(files[0].parent))


def raw_files(root: Path) -> list[Path]:
    """Return the sorted files that are read; raise UserError where there is none."""
    return list_files(Path(root) / FOLDER, "*.nc", PROVIDER)


def _retrieved(path: Path, coarse: Grid, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a file's (N, h, w) good retrievals and the (N,) steps that they belong to."""
    with opened(path, PROVIDER) as file:
        stored, flag = file.variable(VALUE), file.variable(FLAG)
        if flag.shape != stored.shape:
            raise UserError(
                f"{FLAG} in {path} ({PROVIDER}) has shape {flag.shape}, {VALUE} {stored.shape}; "
                "expected the same: download it again"
            )
        times = instants(file, stored)
        records, nearest = _near(times, steps.astype(times.dtype))
        if not records.size:
            return np.empty((0, *coarse.shape)), records
        window = Window.of(file, stored, coarse, REGRID)
        values = window.values(stored, records) * QUANTITY.scale(file, stored, None)
        good = window.values(flag, records) == 0
        values = QUANTITY.in_range(np.where(good, values, np.nan), file, stored)
    return values, nearest


def _near(times: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the records within half a step of a step, and which step that is."""
    half = np.diff(steps).min() / 2
    after = np.clip(np.searchsorted(steps, times), 1, steps.size - 1)
    nearest = np.where(times - steps[after - 1] < steps[after] - times, after - 1, after)
    records = np.flatnonzero(np.abs(times - steps[nearest]) <= half)
    return records, nearest[records]
