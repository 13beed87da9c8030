"""Writes a whole world: the raw files of every source, and the truth beside them."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from soilfuse import config, files, names
from soilfuse.errors import UserError, unknown
from soilfuse.grids.grid import Grid
from soilfuse.progress import progress
from soilfuse.world import gridded_files, observations, station_files, station_networks, stations
from soilfuse.world.climate_models import ClimateModelWorld
from soilfuse.world.cmip6_files import write_mrsos
from soilfuse.world.region import points_of
from soilfuse.world.soil import soil_map
from soilfuse.world.truth import Place, Truth

WORLD_VERSION = 2
MANIFEST = "world.json"
ERA5_LAND_FILES = ((1950, 1969), (1970, 1989), (1990, 2009), (2010, 2021))
AMSMQTP_YEARS = (2000, 2021)


def write_world(
    root: Path, domain: config.Domain, world: config.World, models: Mapping[str, str]
) -> None:
    """Write the raw files of a pseudo-reality below root, whole or not at all.

    models: source_id -> variant_label; only these are written, and none depends on the others. The
    same seed gives the same bytes. An earlier world at root is replaced; any other content there
    raises UserError, as do models that are not in names.CLIMATE_MODELS.
    """
    root = Path(root)
    _require_replaceable(root)
    _require_known(models)
    root.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=root.parent, prefix=f".{root.name}."))
    try:
        _write(aside, domain, world, models)
        aside.chmod(0o755)
        if root.exists():
            shutil.rmtree(root)
        aside.rename(root)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _require_replaceable(root: Path) -> None:
    occupied = root.exists() and (not root.is_dir() or any(root.iterdir()))
    if occupied and not (root / MANIFEST).exists():
        raise UserError(
            f"{root} holds files that are no pseudo-reality (no {MANIFEST}); expected an empty "
            "folder or an earlier world: edit params.yaml:raw_root, or move the files away"
        )


def _require_known(models: Mapping[str, str]) -> None:
    where = "params.yaml:cmip6.models"
    problems = [
        unknown("climate model", source_id, names.CLIMATE_MODELS, where)
        for source_id in models
        if source_id not in names.CLIMATE_MODELS
    ]
    if problems:
        raise UserError(*problems)


def _write(
    root: Path, domain: config.Domain, world: config.World, models: Mapping[str, str]
) -> None:
    label = f"v{WORLD_VERSION} seed {world.seed}"
    grid = Grid.of(domain)
    truth = Truth(world.seed)
    for source_id, variant_label in progress(models.items(), "climate models", len(models)):
        model = ClimateModelWorld(source_id, truth, grid)
        _write_model(root / "cmip6", model, variant_label, label)
    place = truth.at(*points_of(grid))
    for experiment in progress(names.EXPERIMENT_YEARS, "truth"):
        values = place.soil_moisture(experiment)
        gridded_files.write_truth(root / "truth", grid, experiment, values, label)
    for years in progress(ERA5_LAND_FILES, "ERA5-Land"):
        values = observations.era5_land(place, *years)
        gridded_files.write_era5_land(root / "era5_land", grid, values, years, label)
    _write_amsmqtp(root / "amsmqtp", place, grid, world.amsmqtp_day_step, label)
    _write_stations(root, truth, grid, world)
    _write_static(root / "static", truth, grid, label)
    files.write_json(root / MANIFEST, {"version": WORLD_VERSION, "seed": world.seed})


def _write_model(folder: Path, model: ClimateModelWorld, variant_label: str, label: str) -> None:
    about = names.CLIMATE_MODELS[model.source_id]
    for experiment in names.EXPERIMENT_YEARS:
        values = model.soil_moisture(experiment)
        write_mrsos(folder, about, variant_label, experiment, model.native, values, label)


def _write_amsmqtp(folder: Path, place: Place, grid: Grid, step: int, label: str) -> None:
    first, last = AMSMQTP_YEARS
    monthly = observations.amsmqtp_monthly(place, first, last)
    for year in progress(range(first, last + 1), "AMSMQTP"):
        months = monthly[(year - first) * 12 :][:12]
        days, values = observations.amsmqtp_days(place, months, year, step)
        gridded_files.write_amsmqtp(folder, grid, days, values, label)


def _write_static(folder: Path, truth: Truth, grid: Grid, label: str) -> None:
    points = points_of(grid)
    elevation = truth.terrain.elevation(*points)
    gridded_files.write_elevation(folder / "elevation.nc", grid, elevation, label)
    soil = soil_map(truth.seed, truth.terrain, *points)
    gridded_files.write_soil(folder / "soil.nc", grid, soil, label)


def _write_stations(root: Path, truth: Truth, grid: Grid, world: config.World) -> None:
    placed = {
        network.name: stations.place(truth, network, grid, world.stations)
        for network in (*station_networks.ISMN_NETWORKS, station_networks.CMA)
    }
    for network in station_networks.ISMN_NETWORKS:
        records = stations.hourly_records(truth, placed[network.name], world.station_hour_step)
        for record in progress(records, f"ISMN {network.name}"):
            station_files.write_ismn(root / "ismn", record)
    station_files.write_cma(root / "cma", truth, placed[station_networks.CMA.name])
