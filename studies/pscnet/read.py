"""Stage read: the raw files as one sample a year, and the stations' records at its steps."""

from pathlib import Path

import numpy as np

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.grids.grid import EDGES, Grid
from soilfuse.grids.steps import Steps
from soilfuse.progress import progress
from soilfuse.sources.sample import sample_of, write_sample, write_stations
from soilfuse.sources.station_steps import read_station_steps
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write data/processed/<year>.nc and data/processed/stations.csv."""
    params = config.load_study(config.PscnetStudy)
    root, out, sample = Path(params.raw_root), Path("data/processed"), params.sample
    grid = Grid.recorded(sample.model_dump(include=set(EDGES)))
    when = Steps(sample.months, sample.step_hours, sample.days_a_month)
    with declared_run("read", params):
        for year in progress(sample.years, "years"):
            write_sample(out / f"{year}.nc", sample_of(root, grid, sample.block, when, year))
        steps = np.concatenate([when.of_year(year) for year in sample.years])
        write_stations(out / "stations.csv", read_station_steps(root, grid, steps))


if __name__ == "__main__":
    with one_line_errors():
        main()
