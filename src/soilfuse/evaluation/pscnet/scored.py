"""The steps that are scored, and what everyone says of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.config.studies import PscnetStudy
from soilfuse.errors import UserError
from soilfuse.evaluation.pscnet import yardsticks
from soilfuse.files import mending
from soilfuse.training.downscaling.sample import Sample
from soilfuse.training.downscaling.split import HELD_OUT, TEST, TRAIN, roles

if TYPE_CHECKING:
    import xarray as xr

HELD_OUT_DAYS, TRUTH = "held_out", "truth"
MODELS = Path("models")


@dataclass(frozen=True)
class Scored:
    """The N scored steps: their places in the sample, their periods, and everyone's maps.

    fields: (N, H, W) m3 m-3 by method, learned ones first; truth: the same, None in reality.
    """

    sample: Sample
    at: np.ndarray
    periods: np.ndarray
    fields: Mapping[str, np.ndarray]
    truth: np.ndarray | None

    @property
    def all_fields(self) -> dict[str, np.ndarray]:
        """The fields, and the truth as the last where there is one."""
        return dict(self.fields) | ({} if self.truth is None else {TRUTH: self.truth})


def later(params: PscnetStudy) -> str:
    """Return the name of the second period: the test years."""
    return "-".join(map(str, params.split.test_years))


def predictions(methods: list[str]) -> "dict[str, xr.DataArray]":
    """Return what each method said (time, lat, lon), from models/<method>/moisture.nc."""
    import xarray as xr

    found = {}
    for name in methods:
        path = MODELS / name / "moisture.nc"
        if not path.exists():
            raise UserError(f"no file {path}: {mending(path)}")
        found[name] = xr.load_dataset(path, engine="h5netcdf")[names.SOIL_MOISTURE]
    return found


def scored_steps(
    params: PscnetStudy,
    sample: Sample,
    learned: "Mapping[str, xr.DataArray]",
    truths: "Mapping[int, xr.DataArray | None]",
) -> Scored:
    """Return all methods' maps at the held-out and the test steps.

    Raises UserError where a method's steps are others.
    """
    role = roles(sample.time, params.split)
    at = np.flatnonzero(np.isin(role, (HELD_OUT, TEST)))
    wanted = sample.time[at]
    for name, field in learned.items():
        if not np.array_equal(field["time"].values.astype("datetime64[h]"), wanted):
            path = MODELS / name / "moisture.nc"
            raise UserError(f"{path} has other steps than the split: run `dvc repro train@{name}`")
    simple = yardsticks.yardsticks(sample, np.flatnonzero(role == TRAIN), at)
    return Scored(
        sample,
        at,
        np.where(role[at] == TEST, later(params), HELD_OUT_DAYS),
        {name: field.values for name, field in learned.items()} | simple,
        _truth_at(truths, wanted),
    )


def _truth_at(truths: "Mapping[int, xr.DataArray | None]", wanted: np.ndarray) -> np.ndarray | None:
    parts = []
    for year, truth in truths.items():
        here = wanted[wanted.astype("datetime64[Y]").astype(int) + 1970 == year]
        if truth is None:
            return None
        parts.append(truth.sel(time=here.astype("datetime64[ns]")).values)
    return np.concatenate(parts)
