"""The climate models of one experiment as networks take them, batch by batch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from soilfuse import layout, names
from soilfuse.baselines.context import experiments_around, within_reach
from soilfuse.baselines.statistics import multi_model_mean
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_content
from soilfuse.grids import months
from soilfuse.grids.grid import Grid
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.fitted import context_of
from soilfuse.sources.experiments import experiment_files, read_experiment
from soilfuse.sources.processed import ModelCrops, read_models

Batch = tuple[np.ndarray, ...]  # (inputs, calendar month), and what a method has prepared


def files_of(
    experiment: str, manifest: Mapping[str, Any], leave_one_out: bool = False
) -> list[Path]:
    """Return the processed files that a trained fold's inputs of an experiment come from.

    leave_one_out: with what leaving out climate models one by one needs beside them.
    """
    if context_of(manifest):
        return [layout.climate_models(name) for name in experiments_around(experiment)]
    files = experiment_files(layout.climate_models, experiment, *_seen(manifest))
    before = layout.climate_models(names.HISTORICAL)
    if leave_one_out and needs_climatologies(manifest) and before not in files:
        return [before, *files]
    return files


def needs_climatologies(manifest: Mapping[str, Any]) -> bool:
    """Whether leaving a climate model out needs climatologies that the champion does not hold."""
    network = manifest["network"]
    if network["model_dropout"] > 0:
        return False
    seen = network.get("inputs", names.SOIL_MOISTURE)
    return bool(seen == names.SOIL_MOISTURE and network.get("residual") != names.FORCED_CHANGE)


def inputs_of(experiment: str, manifest: Mapping[str, Any]) -> ModelCrops:
    """Read an experiment's climate models as a trained fold saw them: smoothed, with months before.

    For a method that looks at the years around, with the experiment before or after as `beside`.
    Raises UserError as `sources.experiments.read_experiment` does.
    """
    crops = read_experiment(layout.climate_models, experiment, *_seen(manifest))
    others = [path for path in files_of(experiment, manifest) if path != crops.path]
    if not context_of(manifest) or not others:
        return crops
    other = read_models(others[0])
    hashes = [str(part.attrs.get("inputs_sha256", "")) for part in (crops, other)]
    attributes = {**crops.attrs, "inputs_sha256": sha256_of_content(hashes)}
    return replace(crops, attrs=attributes, beside=other)


def input_range(
    crops: ModelCrops, grid: Grid, source_ids: Sequence[str], batch: int = 12
) -> dict[str, list[float]]:
    """Return each climate model's [least, greatest] value on the grid, m3 m-3."""
    ends = [
        (values.min(axis=(0, 2, 3)), values.max(axis=(0, 2, 3)))
        for values in (
            crops.interpolated(grid, np.arange(start, min(start + batch, crops.time.size)))
            for start in range(0, crops.time.size, batch)
        )
    ]
    order = [crops.source_ids.index(name) for name in source_ids]
    low = np.min([least for least, _ in ends], axis=0)[order]
    high = np.max([greatest for _, greatest in ends], axis=0)[order]
    pairs = zip(source_ids, low, high, strict=True)
    return {name: [float(least), float(greatest)] for name, least, greatest in pairs}


def model_batches(
    crops: ModelCrops, ensemble: Ensemble, batch: int, times: np.ndarray | None = None
) -> Iterator[Batch]:
    """Yield (B, M, H, W) float32 inputs in m3 m-3, and the (B,) calendar months, 1 to 12.

    Models come in the ensemble's order, one that it can do without and that the crops lack as NaN;
    (B, K, M, H, W) for K > 1 trailing months. times: indices of the wanted months, all by default.
    A method that looks at the years around gets what it prepares of them as a third part.
    Raises UserError naming climate models that the crops lack, before anything is computed.
    """
    channels = ensemble.channels(crops.source_ids, str(crops.path))
    given = batches(crops, ensemble.grid, channels, batch, times)
    if ensemble.whole is None or not ensemble.context_years:
        return given
    prepared = _prepared(crops, ensemble, batch)
    wanted = np.arange(crops.time.size) if times is None else np.asarray(times)
    starts = range(0, wanted.size, batch)
    return (
        (*each, prepared[wanted[start : start + batch]])
        for each, start in zip(given, starts, strict=True)
    )


def _prepared(crops: ModelCrops, ensemble: Ensemble, batch: int) -> np.ndarray:
    """Return (T, C, H, W): what the method makes of the multi-model mean of the years around."""
    assert ensemble.whole is not None
    parts = [crops, crops.beside] if crops.beside else [crops]
    series, times = [], []
    for part in sorted(parts, key=lambda each: each.time[0]):
        near = np.flatnonzero(within_reach(part.time, crops.time, ensemble.context_years))
        channels = ensemble.channels(part.source_ids, str(part.path))
        given = batches(part, ensemble.grid, channels, batch, near)
        series += [multi_model_mean(values) for values, _ in given]
        times.append(part.time[near])
    time, mean = np.concatenate(times), np.concatenate(series)[:, None]
    return ensemble.whole.baseline.prepare(mean, time)[np.searchsorted(time, crops.time)]


def batches(
    crops: ModelCrops,
    grid: Grid,
    channels: Sequence[int | None],
    batch: int,
    times: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
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
