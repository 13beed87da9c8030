"""Write a whole window: ERA5-Land, SMAP, stations, elevation and the truth.

Letters: T steps, N cells of the fine grid.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from soilfuse import files as whole_files
from soilfuse.grids.blocks import block_means, coarse_of
from soilfuse.grids.grid import Grid
from soilfuse.grids.steps import Steps
from soilfuse.progress import progress
from soilfuse.world.region import points_of
from soilfuse.world.station_files import write_ismn
from soilfuse.world.three_hourly import files, ground, models, satellite
from soilfuse.world.three_hourly.calendar import require_steps, simulated
from soilfuse.world.three_hourly.models import Modelled
from soilfuse.world.three_hourly.weather import Year

WORLD_VERSION = 1
MM = 1e-3  # m


def label_of(seed: int) -> str:
    """Return what files say of which world they are of."""
    return f"three_hourly {WORLD_VERSION} seed {seed}"


def write_three_hourly(
    root: Path, grid: Grid, block: int, years: Sequence[int], when: Steps, seed: int
) -> None:
    """Write era5_land, smap, ismn, static and truth of a window below root."""
    require_steps(when)
    root, world, coarse = Path(root), label_of(seed), coarse_of(grid, block)
    lat, lon = points_of(grid)
    kept, thetas = [], []
    for number in progress(sorted(years), "years"):
        year, steps = Year.of(seed, number), simulated(when, number)
        wanted = when.of_year(number)
        truth = models.truth(seed, year, steps, lat, lon)
        now = np.searchsorted(steps, wanted)
        theta = truth.water.theta[now]
        files.write_truth(root / "truth" / f"{number}.nc", grid, wanted, theta, world)
        _write_smap(root / "smap", grid, coarse, block, wanted, truth, now, seed)
        other = models.era5_land(seed, year, steps, lat, lon)
        _write_era5_land(root / "era5_land", grid, when, number, steps, other, world)
        kept.append(wanted)
        thetas.append(theta)
    for record in ground.records(
        seed, ground.points(seed, grid), np.concatenate(kept), np.concatenate(thetas)
    ):
        write_ismn(root / "ismn", record)
    height = truth.place.height
    files.write_elevation(root / "static" / "elevation.nc", grid, height, world)
    whole_files.write_json(root / "world.json", {"version": WORLD_VERSION, "seed": seed})


def _write_smap(
    folder: Path,
    grid: Grid,
    coarse: Grid,
    block: int,
    wanted: np.ndarray,
    truth: Modelled,
    now: np.ndarray,
    seed: int,
) -> None:
    """Write one file of retrievals a month; a record's time is that of the overpass."""
    passes, times = satellite.overpasses(wanted, float(grid.lon.mean()))
    over = passes != ""
    steps = wanted[over]
    seen = satellite.covered(steps, passes[over], *points_of(coarse))
    theta, rain = (
        block_means(values[now][over].reshape(-1, *grid.shape), block).reshape(steps.size, -1)
        for values in (truth.water.theta, truth.weather.rain)
    )
    year = int(np.datetime_as_string(wanted[0], unit="Y"))
    values, flags = satellite.retrievals(seed, year, theta, rain, seen)
    month = steps.astype("datetime64[M]")
    for one in np.unique(month):
        own = month == one
        name = f"SMAP_L3_SM_P_{str(one).replace('-', '')}.nc"
        own_times = times[over][own]
        files.write_smap(folder / name, coarse, own_times, values[own], flags[own], label_of(seed))


def _write_era5_land(
    folder: Path,
    grid: Grid,
    when: Steps,
    year: int,
    steps: np.ndarray,
    modelled: Modelled,
    world: str,
) -> None:
    """Write one file a month, with the record before its first: sums since 00 UTC need it."""
    fields = {
        "swvl1": modelled.water.theta,
        "t2m": modelled.weather.t2m,
        "skt": modelled.skin_temperature(),
        "tp": MM * modelled.weather.rain,
        "e": -MM * (modelled.water.evaporation + modelled.water.from_below),
        "ssrd": modelled.weather.sunlight,
    }
    for name in files.ACCUMULATED:
        fields[name] = files.since_midnight(fields[name], steps)
    for month in sorted(when.months):
        wanted = when.of_month(year, month)
        before = wanted[0] - when.length
        now = np.searchsorted(steps, np.append(before, wanted))
        path = folder / f"era5_land_{year}-{month:02d}.nc"
        own = {name: values[now].astype(np.float32) for name, values in fields.items()}
        files.write_era5_land(path, grid, steps[now], own, world)
