"""The processed files, opened as the fields that the training stages are given."""

from pathlib import Path

import numpy as np

from soilfuse import config, layout, names
from soilfuse.files import sha256_of_file
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_of
from soilfuse.insitu.store import read_field as read_station_field
from soilfuse.sources.processed import read_field, read_models
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
        Fields(
            fields.inputs,
            fields.target,
            fields.mask,
            Monthly(str(path), insitu, time),
            Monthly(str(path), probability, time),
        ),
        lineage,
    )


def _fields(
    params: config.Params, target_path: Path, years: tuple[int, int]
) -> tuple[Fields, Lineage]:
    regions = regions_of(params.domain)
    inputs_path = layout.climate_models(names.HISTORICAL)
    crops = read_models(inputs_path)
    target = read_field(target_path)
    wanted = np.flatnonzero(np.isin(crops.time, month_axis(*years)))
    fields = Fields(
        inputs=Monthly(
            str(inputs_path), crops.interpolated(regions.grid, wanted), crops.time[wanted]
        ),
        target=Monthly(str(target_path), target[names.SOIL_MOISTURE].values, target["time"].values),
        mask=regions.inside,
    )
    lineage = Lineage(
        source_ids=crops.source_ids,
        depth_bnds=target["depth_bnds"].values.tolist(),
        world=str(crops.attrs["world"]),
        regions=regions.sha256,
        inputs={str(path): sha256_of_file(path) for path in (inputs_path, target_path)},
    )
    return fields, lineage
