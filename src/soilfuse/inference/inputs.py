"""The climate models of one experiment as networks take them, batch by batch."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soilfuse import layout
from soilfuse.errors import UserError
from soilfuse.grids import months
from soilfuse.grids.grid import Grid
from soilfuse.inference.ensemble import Ensemble
from soilfuse.sources.experiments import experiment_files, read_experiment
from soilfuse.sources.processed import ModelCrops

Batch = tuple[np.ndarray, np.ndarray]


def files_of(experiment: str, manifest: Mapping[str, Any]) -> list[Path]:
    """Return the processed files that a trained fold's inputs of an experiment come from."""
    return experiment_files(layout.climate_models, experiment, *_seen(manifest))


def inputs_of(experiment: str, manifest: Mapping[str, Any]) -> ModelCrops:
    """Read an experiment's climate models as a trained fold saw them: smoothed, with months before.

    Raises UserError as `sources.experiments.read_experiment` does.
    """
    return read_experiment(layout.climate_models, experiment, *_seen(manifest))


def model_batches(
    crops: ModelCrops, ensemble: Ensemble, batch: int, times: np.ndarray | None = None
) -> Iterator[Batch]:
    """Yield (B, M, H, W) float32 inputs in m3 m-3, and the (B,) calendar months, 1 to 12.

    Models come in the ensemble's order, one that it can do without and that the crops lack as NaN;
    (B, K, M, H, W) for K > 1 trailing months. times: indices of the wanted months, all by default.
    Raises UserError naming climate models that the crops lack, before anything is computed.
    """
    channels = ensemble.channels(crops.source_ids, str(crops.path))
    return batches(crops, ensemble.grid, channels, batch, times)


def batches(
    crops: ModelCrops,
    grid: Grid,
    channels: Sequence[int | None],
    batch: int,
    times: np.ndarray | None = None,
) -> Iterator[Batch]:
    """Yield the inputs and calendar months; channels: each model's place in the crops, or None."""
    wanted = np.arange(crops.time.size) if times is None else np.asarray(times)
    calendar = months.month_of(crops.time)
    order = [0 if place is None else place for place in channels]
    missing = [number for number, place in enumerate(channels) if place is None]
    for start in range(0, wanted.size, batch):
        here = wanted[start : start + batch]
        values = crops.inputs(grid, here)
        if order != list(range(values.shape[-3])):
            values = values[..., order, :, :]
        values[..., missing, :, :] = np.nan
        yield values, calendar[here]


def require_whole_years(crops: ModelCrops, first_year: int, last_year: int) -> None:
    """Raise UserError unless the crops hold exactly the months of these years."""
    months.require_complete(crops.time, first_year, last_year, str(crops.path))
    if crops.time.size != 12 * (last_year - first_year + 1):
        years = months.year_of(crops.time)
        raise UserError(
            f"{crops.path} holds {years.min()}-{years.max()}; expected {first_year}-{last_year}: "
            "run `dvc repro` for its cmip6 stage"
        )


def _seen(manifest: Mapping[str, Any]) -> tuple[int, int]:
    return int(manifest["smoothing_years"]), int(manifest["network"]["months"])
