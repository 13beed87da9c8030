"""Stage train@method of studies/pscnet: one method learns, and says the steps that are scored."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from soilfuse import names
from soilfuse.config.studies import PscnetStudy
from soilfuse.errors import UserError
from soilfuse.files import write_json, write_text, written_aside
from soilfuse.networks.registry import parameter_count
from soilfuse.training import weights
from soilfuse.training.downscaling import fitting, forest
from soilfuse.training.downscaling.inputs import Inputs
from soilfuse.training.downscaling.sample import Sample
from soilfuse.training.downscaling.split import HELD_OUT, STOPPING, TEST, TRAIN, roles

if TYPE_CHECKING:
    import xarray as xr

COLUMNS = ("epoch", "train_mse", "stopping_rmse")
WET, DRY = 1.0, 0.0  # m3 m-3 that nothing lies beyond


@dataclass(frozen=True)
class Learned:
    """What a method said at the scored steps, how it learned, and its weights if it has any."""

    moisture: "xr.DataArray"
    manifest: dict[str, Any]
    history: list[fitting.Record] = field(default_factory=list)
    state: weights.Weights | None = None


def train(
    method: str,
    params: PscnetStudy,
    sample: Sample,
    device: torch.device,
    on_epoch: fitting.OnEpoch | None = None,
) -> Learned:
    """Let one of params.methods learn; return its maps at the held-out and the test steps."""
    task = task_of(params, sample)
    role = roles(sample.time, params.split)
    at = np.flatnonzero(np.isin(role, (HELD_OUT, TEST)))
    facts: dict[str, Any] = {
        "method": method,
        "world": sample.world,
        "steps_that_teach": len(task.teaching),
        "observations": task.seen.size,
    }
    if method == names.FOREST:
        features, moisture = forest.rows(task.inputs, sample, task.teaching)
        trees = forest.fit(features, moisture, params.forest, params.seed, params.compute.threads)
        maps = forest.predict(trees, task.inputs, at)
        leaves = sum(int(tree.get_n_leaves()) for tree in trees.estimators_)
        return Learned(_maps(maps, sample, at), facts | {"parameters": leaves})
    fitted = fitting.fit(
        method, params.networks[method], task, params.train, params.seed, device, on_epoch
    )
    maps = fitted.network.predict(at, params.train.batch)
    facts |= {
        "parameters": parameter_count(fitted.network),
        "best_epoch": fitted.best_epoch,
        "epochs": len(fitted.history),
        "stopping_rmse": fitted.rmse,
    }
    return Learned(
        _maps(maps, sample, at), facts, fitted.history, dict(fitted.network.state_dict())
    )


def task_of(params: PscnetStudy, sample: Sample) -> fitting.Task:
    """Return what every method learns from; raise UserError where nothing was observed."""
    role = roles(sample.time, params.split)
    inputs = Inputs(sample, role == TRAIN, params.inputs.steps, params.inputs.daily_means)
    teaching, stopping = (np.flatnonzero((role == r) & sample.observed) for r in (TRAIN, STOPPING))
    if not (teaching.size and stopping.size):
        raise UserError(
            f"SMAP saw something in {teaching.size} steps that teach and {stopping.size} that stop "
            "the training; expected some of both: edit params.yaml:split or sample"
        )
    return fitting.Task(inputs, sample, teaching, stopping)


def _maps(maps: np.ndarray, sample: Sample, at: np.ndarray) -> "xr.DataArray":
    import xarray as xr

    return xr.DataArray(
        np.clip(maps, DRY, WET),
        dims=("time", "lat", "lon"),
        coords={
            "time": sample.time[at].astype("datetime64[ns]"),
            "lat": sample.lat,
            "lon": sample.lon,
        },
        attrs={"units": "m3 m-3"},
        name=names.SOIL_MOISTURE,
    )


def write_learned(folder: Path, learned: Learned) -> None:
    """Write moisture.nc, manifest.json, curves.csv, and weights.safetensors of a network."""
    with written_aside(folder / "moisture.nc") as aside:
        learned.moisture.to_dataset().to_netcdf(aside, engine="h5netcdf")
    rows = [",".join(repr(record[name]) for name in COLUMNS) for record in learned.history]
    write_text(folder / "curves.csv", "\n".join([",".join(COLUMNS), *rows]) + "\n")
    facts = learned.manifest
    if learned.state is not None:
        facts = facts | {"weights": weights.save(folder / "weights.safetensors", learned.state)}
    write_json(folder / "manifest.json", facts)
