"""Stage world: China's pseudo-reality in the place of the archives."""

from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.grids.regions import regions_of
from soilfuse.tracking.stages import declared_run
from soilfuse.world.wide.china import write_china


def main() -> None:
    """Write data/raw/pseudo/{cmip6,era5_land,static,truth}."""
    params = config.load_study(config.ChinaStudy)
    root = Path("data/raw/pseudo")  # a stage's outs are fixed; raw_root may be the user's own
    regions, observed = regions_of(params.domain), params.era5_land
    with declared_run("world", params) as run:
        write_china(
            root,
            regions.grid,
            regions.inside,
            params.cmip6.models,
            params.experiments,
            params.world.seed,
            (observed.first_year, observed.last_year),
        )
        run.log_metrics({"bytes": sum(path.stat().st_size for path in root.rglob("*.nc"))})


if __name__ == "__main__":
    with one_line_errors():
        main()
