"""The arrays of a three-hourly sample, all years one after another.

Letters: T steps, V fine variables, H x W fine cells, h x w coarse ones of block x block fine cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.sources.netcdf import REAL

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Sample:
    """What is seen: fine variables, and the coarse sensor where it looked.

    time: (T,) datetime64[h], ascending, with gaps where no step is; fine: (T, V, H, W) float32 in
    the order of names.SAMPLE_VARIABLES; smap: (T, h, w) float32 m3 m-3, NaN where not observed;
    elevation: (H, W) m.
    """

    time: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    coarse_lat: np.ndarray
    coarse_lon: np.ndarray
    fine: np.ndarray
    smap: np.ndarray
    elevation: np.ndarray
    block: int
    step_hours: int
    world: str

    @property
    def run_starts(self) -> np.ndarray:
        """(T,) the first step of the unbroken run that each step is of."""
        begins = np.ones(len(self.time), dtype=bool)
        begins[1:] = np.diff(self.time) != np.timedelta64(self.step_hours, "h")
        return np.maximum.accumulate(np.where(begins, np.arange(len(self.time)), 0))

    @property
    def observed(self) -> np.ndarray:
        """(T,) whether the coarse sensor saw anything."""
        return np.asarray(np.isfinite(self.smap).any(axis=(1, 2)))


def of_datasets(years: "Sequence[xr.Dataset]") -> Sample:
    """Join the processed files of several years, as `sources.sample.read_sample` gives them.

    Raises UserError where they do not fit together.
    """
    first = years[0]
    for year in years[1:]:
        for name in ("lat", "lon", "coarse_lat", "coarse_lon", "elevation"):
            if not np.array_equal(year[name].values, first[name].values):
                raise UserError(
                    f"the years of the sample differ in {name}; expected one grid: run `dvc repro "
                    "read` again"
                )
    time = np.concatenate([year["time"].values for year in years]).astype("datetime64[h]")
    if not (np.diff(time) > np.timedelta64(0, "h")).all():
        raise UserError("the steps of the sample are not in order; run `dvc repro read` again")
    fine = np.concatenate(
        [np.stack([year[name].values for name in names.SAMPLE_VARIABLES], axis=1) for year in years]
    )
    return Sample(
        time=time,
        lat=first["lat"].values,
        lon=first["lon"].values,
        coarse_lat=first["coarse_lat"].values,
        coarse_lon=first["coarse_lon"].values,
        fine=fine.astype(np.float32, copy=False),
        smap=np.concatenate([year["smap"].values for year in years]).astype(np.float32),
        elevation=first["elevation"].values,
        block=int(first.attrs["block"]),
        step_hours=int(first.attrs["step_hours"]),
        world=str(first.attrs.get("world", REAL)),
    )


def read(folder: Path, years: Sequence[int]) -> Sample:
    """Return the sample of these years from data/processed/<year>.nc."""
    from soilfuse.sources.sample import read_sample

    return of_datasets([read_sample(folder / f"{year}.nc") for year in years])
