"""Stage models: every climate model on the common grid, its members averaged."""

from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.grids.grid import Grid
from soilfuse.progress import progress
from soilfuse.sources.water import model_water, write_water
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write data/processed/models/<source_id>.nc."""
    params = config.load_study(config.Cmip6Study)
    root, grid = Path(params.raw_root), Grid.of(params.domain)
    with declared_run("models", params):
        for source_id, members in progress(params.models.items(), "climate models"):
            water = model_water(root, source_id, members, params.years, grid)
            write_water(Path(f"data/processed/models/{source_id}.nc"), water)


if __name__ == "__main__":
    with one_line_errors():
        main()
