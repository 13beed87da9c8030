"""Stage cmip6@experiment: read every climate model of one experiment through the one door."""

import sys
from pathlib import Path

from soilfuse import config, layout, names
from soilfuse.errors import one_line_errors
from soilfuse.grids.grid import Grid
from soilfuse.progress import progress
from soilfuse.sources.cmip6 import read_model
from soilfuse.sources.processed import write_models
from soilfuse.tracking.stages import declared_run


def main(experiment: str) -> None:
    """Write data/processed/cmip6/<experiment>.nc."""
    params = config.load()
    config.item_of(experiment, params.experiments, "experiment", "params.yaml:experiments")
    root, grid = Path(params.raw_root), Grid.of(params.domain)
    years = names.EXPERIMENT_YEARS[experiment]
    with declared_run("cmip6", params, experiment) as run:
        models = {
            source_id: read_model(root, source_id, member, experiment, years, params.cmip6, grid)
            for source_id, member in progress(params.cmip6.models.items(), experiment)
        }
        write_models(layout.climate_models(experiment), experiment, models)
        run.log_metrics({"filled_cells": sum(m.attrs["filled_cells"] for m in models.values())})


if __name__ == "__main__":
    with one_line_errors():
        main(config.given_item(sys.argv, "experiment"))
