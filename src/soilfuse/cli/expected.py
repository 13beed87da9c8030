"""The raw files that params.yaml asks for: where each source's lie, and how they are read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from soilfuse import config, names
from soilfuse.grids.grid import Grid
from soilfuse.sources import amsmqtp, cma, cmip6, era5_land, ismn, static
from soilfuse.sources.static_files import ELEVATION, SOIL
from soilfuse.sources.targets import list_files, on_grid
from soilfuse.world.build import MANIFEST
from soilfuse.world.station_files import CMA_YEARS
from soilfuse.world.station_networks import ISMN_NETWORKS

TRUTH = "truth"


@dataclass(frozen=True)
class Gridded:
    """Files of one series of monthly or daily maps.

    find: raises UserError where there are none; variables: names that tell of the time axis and
    the units, the first of them that a file has; read: reads one year through the source's own
    reader, which raises UserError where it would refuse the file.
    """

    source: str
    find: Callable[[], list[Path]]
    variables: tuple[str, ...]
    years: tuple[int, int]
    read: Callable[[int], object]
    frequency: str = "mon"


@dataclass(frozen=True)
class Stations:
    """Files of station records in `units`; `read` returns the good ones of one file."""

    source: str
    find: Callable[[], list[Path]]
    read: Callable[[Path], pd.DataFrame]
    units: str


@dataclass(frozen=True)
class Maps:
    """A file of maps without time, which no stage needs yet: `read` puts it on the grid."""

    source: str
    path: Path
    variables: tuple[str, ...]
    read: Callable[[], object]


Expected = Gridded | Stations | Maps


def expected(params: config.Params) -> Iterator[Expected]:
    """Yield every source of params.yaml:raw_root.

    Networks and years of stations are those of Li et al. 2024 and whatever else is there. A truth
    is expected of a pseudo-reality only.
    """
    root, grid = Path(params.raw_root), Grid.of(params.domain)
    yield from _climate_models(root, grid, params)
    yield _era5_land(root, grid, params.era5_land)
    yield from _amsmqtp(root, grid, params.amsmqtp)
    yield from _stations(root, params.insitu.good_flags)
    yield from _static(root / static.FOLDER, grid)
    if (root / MANIFEST).exists() or any((root / TRUTH).glob("truth_*.nc")):
        yield from _truth(root, params.experiments)


def _climate_models(root: Path, grid: Grid, params: config.Params) -> Iterator[Gridded]:
    variable = cmip6.variable_and_table(params.cmip6)
    for source_id, member in params.cmip6.models.items():
        for experiment in params.experiments:
            named = root, source_id, member, experiment
            read = partial(_year_of_model, *named, params.cmip6, grid)
            find = partial(cmip6.find_files, *named, *variable)
            source = f"CMIP6 {source_id} {experiment}"
            yield Gridded(source, find, variable[:1], names.EXPERIMENT_YEARS[experiment], read)


def _year_of_model(
    root: Path,
    source_id: str,
    member: str,
    experiment: str,
    section: config.Cmip6,
    grid: Grid,
    year: int,
) -> None:
    read_on_grid(root, source_id, member, experiment, (year, year), section, grid)


def read_on_grid(
    root: Path,
    source_id: str,
    member: str,
    experiment: str,
    years: tuple[int, int],
    section: config.Cmip6,
    grid: Grid,
) -> None:
    """Read years of a model, and a month of them onto the grid, which its file may not cover."""
    field = cmip6.read_model(root, source_id, member, experiment, years, section, grid)
    on_grid(field[:1], grid, f"{root / cmip6.FOLDER / source_id} ({source_id} {experiment})")


def _era5_land(root: Path, grid: Grid, section: config.Era5Land) -> Gridded:
    find = partial(list_files, root / era5_land.FOLDER, "*.nc", "ERA5-Land")
    years = section.first_year, section.last_year

    def read(year: int) -> object:
        return era5_land.read(root, grid, year, year)

    return Gridded("ERA5-Land", find, next(iter(era5_land.GRIB_CODES.items())), years, read)


def _amsmqtp(root: Path, grid: Grid, section: config.Amsmqtp) -> Iterator[Gridded]:
    def read(year: int) -> object:
        return amsmqtp.read(root, grid, year, year, section.min_days)

    for year in range(section.first_year, section.last_year + 1):
        find = partial(amsmqtp.files_of, root, year)
        yield Gridded(f"AMSMQTP {year}", find, ("SM",), (year, year), read, "day")


def _stations(root: Path, good_flags: list[str]) -> Iterator[Stations]:
    folder = root / ismn.FOLDER
    there = {path.parents[1].name for path in folder.glob(ismn.PATTERN)}
    for network in sorted({known.name for known in ISMN_NETWORKS} | there):
        find = partial(list_files, folder, f"{network}{ismn.PATTERN[1:]}", f"ISMN {network}")
        read = partial(ismn.read_record, good_flags=good_flags)
        yield Stations(f"ISMN {network}", find, read, "m3 m-3")
    folder = root / cma.FOLDER
    there = {path.name for path in folder.glob(cma.PATTERN)}
    for name in sorted({f"CMA_{year}.csv" for year in CMA_YEARS} | there):
        find = partial(list_files, folder, name, "CMA")
        yield Stations(name[: -len(".csv")].replace("_", " "), find, cma.read_year, "%")


def _static(folder: Path, grid: Grid) -> Iterator[Maps]:
    for name, properties, read in (
        (static.ELEVATION_FILE, (ELEVATION,), static.read_terrain),
        (static.SOIL_FILE, SOIL, static.read_soil),
    ):
        variables = tuple(variable for prop in properties for variable in prop.variables)
        path = folder / name
        yield Maps(f"static {path.stem}", path, variables, partial(read, path, grid))


def _truth(root: Path, experiments: list[str]) -> Iterator[Gridded]:
    for experiment in experiments:
        years = names.EXPERIMENT_YEARS[experiment]
        find = partial(list_files, root / TRUTH, f"truth_{experiment}.nc", TRUTH)
        # Its reader has the whole in memory, and the world's own file needs no conversion.
        yield Gridded(f"{TRUTH} {experiment}", find, (names.SOIL_MOISTURE,), years, lambda _: None)
