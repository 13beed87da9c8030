"""Write a whole window: ERA5-Land, SMAP, stations, elevation and the truth.

Letters: T steps, N cells of the fine grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soilfuse.files import write_json
from soilfuse.grids.blocks import block_means, coarse_of
from soilfuse.grids.grid import Grid
from soilfuse.grids.steps import Steps
from soilfuse.progress import progress
from soilfuse.world.region import points_of
from soilfuse.world.station_files import write_ismn
from soilfuse.world.terrain import Terrain
from soilfuse.world.three_hourly import files, ground, models, satellite
from soilfuse.world.three_hourly.calendar import require_steps, simulated
from soilfuse.world.three_hourly.weather import Year

WORLD_VERSION = 1


@dataclass(frozen=True)
class Window:
    """What is written: a grid, its coarse cells of block x block, steps, and of which world."""

    grid: Grid
    block: int
    when: Steps
    seed: int

    @property
    def world(self) -> str:
        """What files say of which world they are of."""
        return f"three_hourly {WORLD_VERSION} seed {self.seed}"


def write_three_hourly(root: Path, window: Window, years: Sequence[int]) -> None:
    """Write era5_land, smap, ismn, static and truth of a window below root.

    Raises UserError for steps or blocks that the window cannot have.
    """
    require_steps(window.when)
    coarse_of(window.grid, window.block)
    root, grid, seed = Path(root), window.grid, window.seed
    steps, thetas = [], []
    for number in progress(sorted(years), "years"):
        year = Year.of(seed, number)
        steps.append(window.when.of_year(number))
        thetas.append(_write_truth(root, window, year))
        _write_era5_land(root / "era5_land", window, year)
    points = ground.points(seed, grid)
    for record in ground.records(seed, points, np.concatenate(steps), np.concatenate(thetas)):
        write_ismn(root / "ismn", record)
    height = Terrain.of(seed).elevation(*points_of(grid))
    files.write_elevation(root / "static" / "elevation.nc", grid, height, window.world)
    write_json(root / "world.json", {"version": WORLD_VERSION, "seed": seed})


def _write_truth(root: Path, window: Window, year: Year) -> np.ndarray:
    """Write a year's truth and what SMAP sees of it; return (T, N) theta."""
    steps, wanted = simulated(window.when, year.number), window.when.of_year(year.number)
    kept, cells = np.searchsorted(steps, wanted), points_of(window.grid)
    fields = models.true_fields(window.seed, year, steps, kept, *cells)
    path = root / "truth" / f"{year.number}.nc"
    files.write_truth(path, window.grid, wanted, fields["theta"], window.world)
    _write_smap(root / "smap", window, year.number, wanted, fields)
    return fields["theta"]


def _write_smap(
    folder: Path, window: Window, year: int, steps: np.ndarray, fields: models.Fields
) -> None:
    """Write one file of retrievals a month; a record's time is that of the overpass."""
    coarse = coarse_of(window.grid, window.block)
    passes, times = satellite.overpasses(steps, float(window.grid.lon.mean()))
    over = passes != ""
    seen = satellite.covered(steps[over], passes[over], *points_of(coarse))
    theta, rain = (
        block_means(fields[name][over].reshape(-1, *window.grid.shape), window.block)
        for name in ("theta", "rain")
    )
    shape = seen.shape
    values, flags = satellite.retrievals(
        window.seed, year, theta.reshape(shape), rain.reshape(shape), seen
    )
    months = steps[over].astype("datetime64[M]")
    for month in np.unique(months):
        own = months == month
        name = f"SMAP_L3_SM_P_{str(month).replace('-', '')}.nc"
        files.write_smap(
            folder / name, coarse, times[over][own], values[own], flags[own], window.world
        )


def _write_era5_land(folder: Path, window: Window, year: Year) -> None:
    """Write one file a month, with the record before its first: sums since 00 UTC need it."""
    steps, when = simulated(window.when, year.number), window.when
    months = {}
    for month in sorted(when.months):
        wanted = when.of_month(year.number, month)
        months[month] = np.append(wanted[0] - when.length, wanted)
    every = np.unique(np.concatenate(list(months.values())))
    kept = np.searchsorted(steps, every)
    cells = points_of(window.grid)
    fields = models.era5_land_fields(window.seed, year, steps, kept, *cells)
    for month, held in months.items():
        now = np.searchsorted(every, held)
        path = folder / f"era5_land_{year.number}-{month:02d}.nc"
        own = {name: values[now] for name, values in fields.items()}
        files.write_era5_land(path, window.grid, held, own, window.world)
