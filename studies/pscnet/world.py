"""Stage world: a window's three-hourly pseudo-reality in the place of the archives."""

from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.grids.grid import EDGES, Grid
from soilfuse.grids.steps import Steps
from soilfuse.tracking.stages import declared_run
from soilfuse.world.three_hourly.build import Window, write_three_hourly


def main() -> None:
    """Write data/raw/pseudo/{era5_land,smap,ismn,static,truth}."""
    params = config.load_study(config.PscnetStudy)
    root = Path("data/raw/pseudo")  # a stage's outs are fixed; raw_root may be the user's own
    sample = params.sample
    grid = Grid.recorded(sample.model_dump(include=set(EDGES)))
    when = Steps(sample.months, sample.step_hours, sample.days_a_month)
    window = Window(grid, sample.block, when, params.world.seed)
    with declared_run("world", params) as run:
        write_three_hourly(root, window, sample.years)
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
        run.log_metrics({"bytes": size})


if __name__ == "__main__":
    with one_line_errors():
        main()
