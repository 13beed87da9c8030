"""The processed files, opened as the fields that the training stages are given."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from soilfuse import config, layout, names
from soilfuse.files import sha256_of_file
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_of
from soilfuse.insitu.store import read_field as read_station_field
from soilfuse.sources.experiments import read_experiment
from soilfuse.sources.processed import read_field
from soilfuse.sources.static import read_static
from soilfuse.training.data import Monthly
from soilfuse.training.fields import Fields, Lineage
from soilfuse.training.folds import TRAINING_YEARS


def pretraining_fields(params: config.Params) -> tuple[Fields, Lineage]:
    """Return the climate models and ERA5-Land of all its months, without a station field."""
    return _fields(params, layout.ERA5_LAND, (params.era5_land.first_year, names.LAST_HISTORICAL))


def finetuning_fields(params: config.Params, fold: int) -> tuple[Fields, Lineage]:
    """Return the climate models and AMSMQTP of 2000-2014 with the fold's own station field."""
    fields, lineage = _fields(params, layout.AMSMQTP, TRAINING_YEARS)
    path = layout.station_field(fold)
    insitu, probability = read_station_field(path)
    time = month_axis(*TRAINING_YEARS)
    return (
        replace(
            fields,
            insitu=Monthly(str(path), insitu, time),
            probability=Monthly(str(path), probability, time),
        ),
        lineage,
    )


def _fields(
    params: config.Params, target_path: Path, years: tuple[int, int]
) -> tuple[Fields, Lineage]:
    regions, network = regions_of(params.domain), params.network
    inputs_path = layout.climate_models(names.HISTORICAL)
    crops = read_experiment(layout.climate_models, names.HISTORICAL, network.smoothing_years)
    target = read_field(target_path)
    wanted = _places(crops.time, month_axis(*years), network.months)
    static, hashes = _static(params, regions.grid)
    fields = Fields(
        inputs=Monthly(
            str(inputs_path), crops.interpolated(regions.grid, wanted), crops.time[wanted]
        ),
        target=Monthly(str(target_path), target[names.SOIL_MOISTURE].values, target["time"].values),
        mask=regions.inside,
        static=None if static is None else np.stack(list(static.values())),
        trailing=network.months,
    )
    lineage = Lineage(
        source_ids=crops.source_ids,
        depth_bnds=target["depth_bnds"].values.tolist(),
        world=str(crops.attrs["world"]),
        regions=regions.sha256,
        inputs={**{str(p): sha256_of_file(p) for p in (inputs_path, target_path)}, **hashes},
        static_maps=list(static or {}),
    )
    return fields, lineage


def _places(time: np.ndarray, months: np.ndarray, trailing: int) -> np.ndarray:
    """Return the places of these months, and of those before them that the first looks back at."""
    found = np.flatnonzero(np.isin(time, months))
    if found.size == 0:
        return found
    return np.arange(max(0, found[0] - trailing + 1), found[-1] + 1)


def _static(
    params: config.Params, grid: Grid
) -> tuple[dict[str, np.ndarray] | None, dict[str, str]]:
    """Return the (H, W) static maps by name and their files' hash, None and {} where unused."""
    if not params.network.static:
        return None, {}
    maps = read_static(Path(params.raw_root), grid)
    fields = {str(name): np.asarray(maps[name].values) for name in maps.data_vars}
    return fields, {f"{params.raw_root}/static": str(maps.attrs["inputs_sha256"])}
