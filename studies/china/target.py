"""Stage target: ERA5-Land's first layer, 0-7 cm, which YNet learns."""

from pathlib import Path

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.grids.grid import Grid
from soilfuse.sources import era5_land
from soilfuse.sources.processed import write_field
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write data/processed/era5_land.nc with one layer."""
    params = config.load_study(config.ChinaStudy)
    root, years = Path(params.raw_root), params.era5_land
    with declared_run("target", params):
        grid = Grid.of(params.domain)
        layers = era5_land.read(root, grid, years.first_year, years.last_year)
        write_field(layout.ERA5_LAND, layers.isel(depth=slice(1)))


if __name__ == "__main__":
    with one_line_errors():
        main()
