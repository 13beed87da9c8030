"""The climate models of one experiment, smoothed over years, with the months before its first.

A scenario goes on from `historical`: its first years are smoothed with the last ones before them,
and its January 2015 follows December 2014. `historical` never looks at a scenario, so that nothing
a network is trained with depends on one.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_content
from soilfuse.grids.climatology import running_years
from soilfuse.grids.months import label_of
from soilfuse.sources.netcdf import REAL
from soilfuse.sources.processed import Crop, ModelCrops, read_models
from soilfuse.sources.targets import one_world

PathOf = Callable[[str], Path]


def experiment_files(
    path_of: PathOf, experiment: str, smoothing_years: int = 1, months: int = 1
) -> list[Path]:
    """Return the files that `read_experiment` reads, the earlier months' first."""
    alone = experiment == names.HISTORICAL or (smoothing_years == 1 and months == 1)
    return [path_of(name) for name in ([] if alone else [names.HISTORICAL]) + [experiment]]


def read_experiment(
    path_of: PathOf, experiment: str, smoothing_years: int = 1, months: int = 1
) -> ModelCrops:
    """Return an experiment's crops as `read_models` does, smoothed and with trailing months.

    path_of: gives an experiment's file (`layout.climate_models`); smoothing_years: the window of
    `running_years` over each calendar month, 1 for none; months: how many trailing months
    `ModelCrops.inputs` gives, 1 for the month alone. In a scenario both reach back into
    `historical`; `attrs["inputs_sha256"]` is then a hash of both files', `historical` first.
    Raises UserError where a file is absent or damaged, where the two do not follow each other or
    differ in models, cells or world, and for a window that does not fit the years.
    """
    if months < 1:
        raise UserError(
            f"{months} trailing months; expected 1 or more: edit params.yaml:network.months"
        )
    *before, path = experiment_files(path_of, experiment, smoothing_years, months)
    crops = replace(read_models(path), months=months)
    if not before:
        return smoothed(crops, smoothing_years)
    historical = read_models(before[0])
    whole = smoothed(joined(historical, crops), smoothing_years)
    first = historical.time.size
    return replace(
        _part(whole, first, whole.time.size),
        earlier=replace(_part(whole, max(first - months + 1, 0), first), path=historical.path),
    )


def smoothed(crops: ModelCrops, years: int) -> ModelCrops:
    """Return the crops with each calendar month smoothed over `years` (see `running_years`).

    This is done on the models' own grids: both it and interpolation are linear.
    Raises UserError that names the file where the window does not fit its years.
    """
    try:
        smooth = {
            name: replace(crop, values=running_years(crop.values, crops.time, years))
            for name, crop in crops.crops.items()
        }
    except UserError as error:
        raise UserError(*(f"{crops.path}: {line}" for line in error.problems)) from None
    return replace(crops, crops=smooth)


def joined(first: ModelCrops, then: ModelCrops) -> ModelCrops:
    """Return the months of both, models in the order of `then`; a month must follow a month.

    Path and attributes are those of `then`, but `inputs_sha256`, a hash of both in order.
    Raises UserError for a gap or an overlap, a model that `first` lacks, and other cells or worlds.
    """
    where = f"{first.path} and {then.path}"
    one_world({str(part.path): str(part.attrs.get("world", REAL)) for part in (first, then)}, where)
    last, start = first.time[-1].astype("datetime64[M]"), then.time[0].astype("datetime64[M]")
    if start != last + 1:
        raise UserError(
            f"{first.path} ends in {label_of(last)} and {then.path} begins in {label_of(start)}; "
            f"expected {label_of(last + 1)}: run `dvc repro` for both cmip6 stages"
        )
    hashes = [str(part.attrs.get("inputs_sha256", "")) for part in (first, then)]
    return replace(
        then,
        crops={name: _following(first, then, name) for name in then.crops},
        time=np.concatenate([first.time, then.time]),
        attrs={**then.attrs, "inputs_sha256": sha256_of_content(hashes)},
    )


def _following(first: ModelCrops, then: ModelCrops, name: str) -> Crop:
    if name not in first.crops:
        raise UserError(
            f"no climate model {name} in {first.path}, which holds {', '.join(first.crops)}; "
            f"expected those of {then.path}: run `dvc repro` for its cmip6 stage"
        )
    old, crop = first.crops[name], then.crops[name]
    if not (np.array_equal(old.lat, crop.lat) and np.array_equal(old.lon, crop.lon)):
        raise UserError(
            f"cells of {name} in {first.path} differ from those in {then.path}; expected the "
            "same: run `dvc repro` for both cmip6 stages, with files of one model grid"
        )
    return replace(crop, values=np.concatenate([old.values, crop.values]))


def _part(crops: ModelCrops, start: int, stop: int) -> ModelCrops:
    """Return the months from place `start` to before `stop`."""
    parts = {
        name: replace(crop, values=crop.values[start:stop].copy())
        for name, crop in crops.crops.items()
    }
    return replace(crops, crops=parts, time=crops.time[start:stop])
