"""Stage trends@experiment: Mann-Kendall and Sen per cell and region, means and changes."""

import sys

import xarray as xr

from soilfuse import config, layout, names
from soilfuse.errors import one_line_errors
from soilfuse.grids.regions import regions_of
from soilfuse.sources.processed import read_models
from soilfuse.tracking.stages import declared_run
from soilfuse.trends.product_trends import product_trends, write_trends


def main(experiment: str) -> None:
    """Write results/trends/<experiment>.nc and its tables."""
    params = config.load()
    config.item_of(experiment, params.experiments, "experiment", "params.yaml:experiments")
    own, reference = layout.product(experiment), layout.product(names.HISTORICAL)
    with declared_run("trends", params, experiment) as run:
        with xr.open_dataset(own) as product, xr.open_dataset(reference) as historical:
            found = product_trends(
                product,
                None if experiment == names.HISTORICAL else historical,
                regions_of(params.domain),
                params.trends,
                params.compute.threads,
                read_models(layout.climate_models(experiment)),
            )
        for path in write_trends(layout.TRENDS, experiment, found):
            if path.suffix == ".csv":
                run.log_artifact(path)


if __name__ == "__main__":
    with one_line_errors():
        main(config.given_item(sys.argv, "experiment"))
