"""The files of earlier stages, opened and checked as what the training stages are given."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from soilfuse import config, layout, names
from soilfuse.errors import UserError, shortened
from soilfuse.files import read_json, sha256_of_file
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_of
from soilfuse.insitu.store import read_field as read_station_field
from soilfuse.sources.experiments import read_experiment
from soilfuse.sources.processed import read_field
from soilfuse.sources.static import read_static
from soilfuse.training import weights
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


def target_fields(params: config.Params) -> Fields:
    """Return the climate models and AMSMQTP of 2000-2014, without a station field."""
    return _fields(params, layout.AMSMQTP, TRAINING_YEARS)[0]


def pretrained_weights(params: config.Params, fields: Fields, lineage: Lineage) -> weights.Weights:
    """Return the weights of models/pretrain; raise UserError unless today's params ask for them.

    Weights of another residual, kind of inputs or order of models fit in shape and mean nothing.
    """
    path, beside = layout.PRETRAIN / "generator.safetensors", layout.PRETRAIN / "generator.json"
    pretrained = weights.load(path)
    if not beside.is_file():
        raise UserError(
            f"no {beside} beside {path.name}; expected what says how it was made: run "
            "`dvc repro -f pretrain`"
        )
    made, asked = _made(beside), _asked(params, fields, lineage)
    if other := [name for name, value in asked.items() if made.get(name) != value]:
        got = ", ".join(f"{name} {shortened(made.get(name), 60)}" for name in other)
        wanted = ", ".join(f"{name} {shortened(asked[name], 60)}" for name in other)
        raise UserError(
            f"{beside} was made with {got}; params.yaml asks for {wanted}: run `dvc repro pretrain`"
        )
    if bad := [name for name, weight in pretrained.items() if not weight.isfinite().all()]:
        raise UserError(
            f"{path} holds values that are not finite in {len(bad)} of {len(pretrained)} weights, "
            f"the first in '{bad[0]}'; expected none: run `dvc repro -f pretrain`"
        )
    return pretrained


def _made(path: Path) -> dict[str, Any]:
    """Return what a manifest says of a network and its inputs."""
    try:
        manifest = read_json(path)
        found = dict(manifest["network"])
    except (ValueError, TypeError, KeyError):
        raise UserError(
            f"{path} is not the manifest of a network; expected what `dvc repro pretrain` writes: "
            "run `dvc repro -f pretrain`"
        ) from None
    return found | {name: manifest.get(name) for name in ("smoothing_years", "source_ids")}


def _asked(params: config.Params, fields: Fields, lineage: Lineage) -> dict[str, Any]:
    asked = fields.architecture(params.network) | {
        "smoothing_years": params.network.smoothing_years,
        "source_ids": list(lineage.source_ids),
    }
    del asked["layers"]  # ERA5-Land's are three
    return asked


def _refuse_other_grid(path: Path, target: xr.Dataset, grid: Grid) -> None:
    """Raise UserError where a processed target lies elsewhere than params.yaml:domain."""
    own = Grid(lat=target["lat"].values, lon=target["lon"].values)
    if own.shape != grid.shape or not all(
        np.allclose(*axes, rtol=0, atol=1e-4) for axes in ((own.lat, grid.lat), (own.lon, grid.lon))
    ):
        raise UserError(
            f"{path} has the cells {_extent(own)}; params.yaml:domain asks for {_extent(grid)}: "
            f"run `dvc repro {path.stem}`"
        )


def _extent(grid: Grid) -> str:
    lat, lon = (f"{axis[0]:g} to {axis[-1]:g}" for axis in (grid.lat, grid.lon))
    return f"{grid.lat.size} x {grid.lon.size}, lat {lat}, lon {lon}"


def _fields(
    params: config.Params, target_path: Path, years: tuple[int, int]
) -> tuple[Fields, Lineage]:
    regions, network = regions_of(params.domain), params.network
    inputs_path = layout.climate_models(names.HISTORICAL)
    crops = read_experiment(layout.climate_models, names.HISTORICAL, network.smoothing_years)
    target = read_field(target_path)
    _refuse_other_grid(target_path, target, regions.grid)
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
