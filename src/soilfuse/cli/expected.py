"""The raw files that params.yaml asks for: where each source's lie, and how they are read."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from soilfuse import config, layout, names
from soilfuse.cli.expected_kinds import Expected, Gridded, Maps, Other, Stations
from soilfuse.errors import UserError
from soilfuse.files import read_json
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import regions_of
from soilfuse.sources import amsmqtp, cma, cmip6, era5_land, ismn, static
from soilfuse.sources.static_files import ELEVATION, SOIL
from soilfuse.sources.targets import list_files, on_grid
from soilfuse.world.build import MANIFEST
from soilfuse.world.station_files import CMA_YEARS
from soilfuse.world.station_networks import ISMN_NETWORKS

TRUTH = "truth"


def expected(params: config.Params) -> Iterator[Expected]:
    """Yield the regions, and every source of params.yaml:raw_root.

    Networks and years of stations are those of Li et al. 2024 and whatever else is there. A truth
    is expected of a pseudo-reality only.
    """
    root, grid = Path(params.raw_root), Grid.of(params.domain)
    files = () if params.domain.regions in names.REGION_SETS else (Path(params.domain.regions),)
    yield Other("regions", files, partial(regions_of, params.domain))
    if not root.is_dir():
        yield Other("raw_root", (), partial(_refuse, _no_root(root)))
        return
    yield from _climate_models(root, grid, params)
    yield _era5_land(root, grid, params.era5_land)
    yield from _amsmqtp(root, grid, params.amsmqtp)
    yield from _stations(root, params.insitu.good_flags)
    yield from _static(root / static.FOLDER, grid)
    yield from _truth(root, params.experiments)


def _refuse(problem: str) -> None:
    raise UserError(problem)


def _no_root(root: Path) -> str:
    remedy = (
        "run `dvc repro world`"
        if root == layout.PSEUDO_REALITY
        else "put your files there (docs/data.md), or edit params.yaml:raw_root"
    )
    return f"no folder {root}: {remedy}"


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


def _stations(root: Path, good_flags: list[str]) -> Iterator[Stations | Other]:
    folder = root / ismn.FOLDER
    there = {path.parents[1].name for path in folder.glob(ismn.PATTERN)}
    if not there:
        yield _ismn("ISMN", folder, ismn.PATTERN, good_flags)
    for network in sorted({known.name for known in ISMN_NETWORKS} | there):
        pattern = f"{network}{ismn.PATTERN[1:]}"
        yield _ismn(f"ISMN {network}", folder, pattern, good_flags, optional=True)
    if files := tuple(sorted(folder.glob(ismn.PATTERN))):
        yield Other("ISMN places", files, partial(ismn.require_places, root))
    if others := ismn.files_not_read(root):
        yield Other("ISMN others", tuple(others), note=f"such as {others[0]}; {ismn.NAMES}")
    yield from _cma(root / cma.FOLDER)


def _ismn(
    source: str, folder: Path, pattern: str, good_flags: list[str], optional: bool = False
) -> Stations:
    find = partial(list_files, folder, pattern, "ISMN")
    read = partial(ismn.read_record, good_flags=good_flags)
    return Stations(source, find, read, "m3 m-3", optional)


def _cma(folder: Path) -> Iterator[Stations]:
    there = {path.name for path in folder.glob(cma.PATTERN)}
    if not there:
        yield Stations("CMA", partial(list_files, folder, cma.PATTERN, "CMA"), cma.read_year, "%")
    for name in sorted({f"CMA_{year}.csv" for year in CMA_YEARS} | there):
        find = partial(list_files, folder, name, "CMA")
        yield Stations(name[: -len(".csv")].replace("_", " "), find, cma.read_year, "%", True)


def _static(folder: Path, grid: Grid) -> Iterator[Maps]:
    for name, properties, read in (
        (static.ELEVATION_FILE, (ELEVATION,), static.read_terrain),
        (static.SOIL_FILE, SOIL, static.read_soil),
    ):
        variables = tuple(variable for prop in properties for variable in prop.variables)
        path = folder / name
        yield Maps(f"static {path.stem}", path, variables, partial(read, path, grid))


def _truth(root: Path, experiments: list[str]) -> Iterator[Gridded | Other]:
    """Yield what a pseudo-reality has; of a world.json alone, that it may be left over."""
    there = any((root / TRUTH).glob("truth_*.nc"))
    if (root / MANIFEST).exists() and root != layout.PSEUDO_REALITY and not there:
        yield Other(MANIFEST, (root / MANIFEST,), partial(_refuse, _left_over(root)))
    elif there or (root / MANIFEST).exists():
        for experiment in experiments:
            years = names.EXPERIMENT_YEARS[experiment]
            find = partial(list_files, root / TRUTH, f"truth_{experiment}.nc", TRUTH)
            # Its reader has the whole in memory, and the world's own file needs no conversion.
            variables = (names.SOIL_MOISTURE,)
            yield Gridded(f"{TRUTH} {experiment}", find, variables, years, lambda _: None)


def _left_over(root: Path) -> str:
    try:
        about = read_json(root / MANIFEST)
        label = f"v{about['version']} seed {about['seed']}"
    except (ValueError, LookupError, TypeError):
        label = "of an unknown seed"
    return (
        f"{root / MANIFEST} says pseudo-reality {label}, and no {TRUTH}_*.nc is in {root / TRUTH}; "
        "expected both or neither: delete it if these are your own files, or set "
        f"raw_root: {layout.PSEUDO_REALITY} in params.yaml"
    )
