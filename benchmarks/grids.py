"""Climate models from raw files to the target grid, against xarray's own way.

A user would open each model's files, interpolate to the grid of the paper and keep the dense field;
soilfuse keeps native crops and interpolates a batch when it is asked for. The raw files are the
pseudo-reality's, which hold the domain and a margin; one global file, a chunk a month as in the
archive, shows what the rest of the globe costs to unpack.
"""

import shutil
import tempfile
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from benchmarks.harness import Timing, fastest, record
from soilfuse import config, names, seeding
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import bilinear, interpolate
from soilfuse.sources.cmip6 import find_files, read_model
from soilfuse.sources.processed import ModelCrops, read_models, write_models
from soilfuse.world.climate_models import ClimateModelWorld
from soilfuse.world.cmip6_files import KILOGRAMS, month_edges, write_mrsos
from soilfuse.world.native_grids import latitudes, longitudes
from soilfuse.world.truth import Truth

EXPERIMENTS = ("ssp245", names.HISTORICAL)  # 1032 and 780 months
GLOBAL_MODEL = "CESM2"  # 192 x 288 cells
PAPER = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.1)
DEMO = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.25)
TOLERANCE = 1e-6  # m3 m-3
COMPARED = 0.8  # least share of values in a user's field, which lakes and coasts leave gaps in
MEGABYTE = 1e6
LAND_WITHIN = 105.0  # degrees of latitude and longitude from the region
JOINED = {"data_vars": "minimal", "coords": "minimal", "compat": "override"}  # the quickest way


def write_raw(root: Path, params: config.Params) -> None:
    """Write the mrsos files of all models, as the stage `world` does."""
    truth = Truth(params.world.seed)
    for source_id, member in params.cmip6.models.items():
        model = ClimateModelWorld(source_id, truth, Grid.of(params.domain))
        about = names.CLIMATE_MODELS[source_id]
        for experiment in EXPERIMENTS:
            values = model.soil_moisture(experiment)
            write_mrsos(root / "cmip6", about, member, experiment, model.native, values, "v2")


def write_global(root: Path, experiment: str) -> None:
    """Write one model's globe in a file, 0.3 of its cells land."""
    about = names.CLIMATE_MODELS[GLOBAL_MODEL]
    lat, lon = latitudes(GLOBAL_MODEL), longitudes(about)
    edges = month_edges(about.calendar, *names.EXPERIMENT_YEARS[experiment])
    rng = seeding.generator(1, "benchmark", "globe")
    shape = (edges.size - 1, lat.size, lon.size)
    mrsos = (KILOGRAMS * rng.uniform(0.1, 0.4, shape)).astype(np.float32)
    sea = np.abs(lat - 35)[:, None] + np.abs(lon - 96)[None, :] > LAND_WITHIN
    mrsos[:, sea] = 1e20
    path = root / "cmip6" / GLOBAL_MODEL / f"mrsos_Lmon_{GLOBAL_MODEL}_{experiment}_r1_gn_x.nc"
    path.parent.mkdir(parents=True)
    axes = {"time": (edges[:-1] + edges[1:]) / 2, "lat": lat, "lon": lon}
    with h5py.File(path, "w") as file:
        stored = file.create_dataset(
            "mrsos", data=mrsos, chunks=(1, *shape[1:]), compression=1, shuffle=True
        )
        stored.attrs.update({"units": "kg m-2", "_FillValue": np.float32(1e20)})
        for position, (name, centres) in enumerate(axes.items()):
            file[name] = centres
            file[name].make_scale(name)
            stored.dims[position].attach_scale(file[name])
        file["time"].attrs.update({"units": "days since 1850-01-01", "calendar": about.calendar})


def ours(root: Path, experiment: str, section: config.Cmip6, target: Path) -> None:
    """Read, check, fill and write the native crops, as the stage `cmip6` does."""
    years = names.EXPERIMENT_YEARS[experiment]
    crops = {
        source_id: read_model(root, source_id, member, experiment, years, section, PAPER)
        for source_id, member in section.models.items()
    }
    write_models(target, experiment, crops)


def otherwise(root: Path, experiment: str, section: config.Cmip6, folder: Path) -> None:
    """Interpolate each model with xarray and write its dense field."""
    folder.mkdir(exist_ok=True)
    for source_id, member in section.models.items():
        files = find_files(root, source_id, member, experiment)
        with xr.open_mfdataset(files, **JOINED) as dataset:
            near = around_region(dataset["mrsos"])
            dense = (near / KILOGRAMS).interp(lat=PAPER.lat, lon=PAPER.lon).astype(np.float32)
            dense.to_dataset(name=names.SOIL_MOISTURE).to_netcdf(folder / f"{source_id}.nc")


def around_region(mrsos: xr.DataArray, margin: float = 6.0) -> xr.DataArray:
    """Return the part of a field around the region, as a user cuts it before interpolating."""
    south_north = slice(PAPER.lat[0] - margin, PAPER.lat[-1] + margin)
    if mrsos.lat[0] > mrsos.lat[-1]:
        south_north = slice(south_north.stop, south_north.start)
    west_east = slice(PAPER.lon[0] - margin, PAPER.lon[-1] + margin)
    return mrsos.sel(lat=south_north, lon=west_east)


def require_agreement(crops: ModelCrops, folder: Path) -> None:
    """Raise AssertionError unless the crops' view equals every dense field where it has values."""
    for source_id, crop in crops.crops.items():
        with xr.open_dataset(folder / f"{source_id}.nc") as dataset:
            theirs = dataset[names.SOIL_MOISTURE].values
        there = np.isfinite(theirs)
        assert there.mean() > COMPARED
        view = interpolate(bilinear(crop.lat, crop.lon, PAPER), crop.values, PAPER)
        assert np.abs(view[there] - theirs[there]).max() <= TOLERANCE


def compare_stage(
    what: str, root: Path, experiment: str, section: config.Cmip6
) -> tuple[Timing, ModelCrops]:
    """Time both ways from raw to processed; both write their files to `root`."""
    target, folder = root / "crops.nc", root / "dense"
    seconds = fastest(lambda: ours(root, experiment, section, target), 3)
    theirs = fastest(lambda: otherwise(root, experiment, section, folder), 2)
    crops = read_models(target)
    require_agreement(crops, folder)
    shutil.rmtree(folder)
    return Timing(what, seconds, theirs, "s", crops.time.size * len(crops.crops)), crops


def compare_size(crops: ModelCrops, grid: Grid, what: str) -> Timing:
    """Return the file's size beside that of the dense float32 field, in megabytes."""
    values = crops.time.size * len(crops.crops) * grid.lat.size * grid.lon.size
    stored, dense = crops.path.stat().st_size / MEGABYTE, 4 * values / MEGABYTE
    name = f"size of these crops, {stored / dense:.1%} of the dense field at {what}"
    return Timing(name, stored, dense, "MB", values)


def compare_batch(crops: ModelCrops, grid: Grid, months: int, what: str) -> Timing:
    """Time a training batch (B, M, H, W) of random months from crops in memory."""
    chosen = seeding.generator(1, "benchmark", "batch").choice(crops.time.size, months, False)
    fields = [
        xr.DataArray(
            crop.values, dims=("time", "lat", "lon"), coords={"lat": crop.lat, "lon": crop.lon}
        )
        for crop in crops.crops.values()
    ]

    def with_xarray() -> np.ndarray:
        views = [field[chosen].interp(lat=grid.lat, lon=grid.lon) for field in fields]
        return np.stack(views, axis=1, dtype=np.float32, casting="same_kind")

    view, theirs = crops.interpolated(grid, chosen), with_xarray()
    assert np.abs(view - theirs).max() <= TOLERANCE
    return Timing(
        f"a batch of {months} months, 17 models, {what}",
        1e3 * fastest(lambda: crops.interpolated(grid, chosen), 7),
        1e3 * fastest(with_xarray, 5),
        "ms",
        months * len(fields),
    )


def main() -> None:
    """Write benchmarks/results/grids.json."""
    params = config.load(Path(__file__).parent.parent / "profiles" / "demo.yaml")
    timings = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_raw(root, params)
        for experiment in reversed(EXPERIMENTS):
            years = "{}-{}".format(*names.EXPERIMENT_YEARS[experiment])
            what = f"raw to processed, 17 models, {experiment} {years}"
            timing, crops = compare_stage(what, root, experiment, params.cmip6)
            timings.append(timing)
        timings += [
            compare_size(crops, PAPER, "0.1 degree"),
            compare_size(crops, DEMO, "0.25 degree"),
            compare_batch(crops, DEMO, params.finetune.batch, "0.25 degree"),
            compare_batch(crops, PAPER, 100, "0.1 degree"),
        ]
        globe = root / "globe"
        write_global(globe, EXPERIMENTS[0])
        one = params.cmip6.model_copy(update={"models": {GLOBAL_MODEL: "r1"}})
        what = f"raw to processed, one global file of {GLOBAL_MODEL}"
        timings.append(compare_stage(what, globe, EXPERIMENTS[0], one)[0])
    record("grids", timings)


if __name__ == "__main__":
    main()
