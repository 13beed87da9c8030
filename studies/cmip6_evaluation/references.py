"""Stage references: ERA5, ERA-Interim and GLDAS-Noah on the common grid."""

from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.grids.grid import Grid
from soilfuse.progress import progress
from soilfuse.sources.reanalyses import REANALYSES
from soilfuse.sources.water import reanalysis_water, write_water
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write data/processed/references/<name>.nc."""
    params = config.load_study(config.Cmip6Study)
    root, grid = Path(params.raw_root), Grid.of(params.domain)
    with declared_run("references", params):
        for name in progress(REANALYSES, "reanalyses"):
            water = reanalysis_water(root, name, params.years, grid)
            write_water(Path(f"data/processed/references/{name}.nc"), water)


if __name__ == "__main__":
    with one_line_errors():
        main()
