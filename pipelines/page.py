"""Stage page@experiment: the experiment's page."""

import sys

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.files import read_json
from soilfuse.grids.regions import regions_of
from soilfuse.report.pages import write_page
from soilfuse.tracking.stages import declared_run


def main(experiment: str) -> None:
    """Write reports/<experiment>.html and reports/figures/<experiment>/."""
    params = config.load()
    config.item_of(experiment, params.experiments, "experiment", "params.yaml:experiments")
    product, page = layout.product(experiment), layout.REPORTS / f"{experiment}.html"
    with declared_run("page", params, experiment) as run:
        write_page(
            page,
            layout.FIGURES / experiment,
            experiment,
            product,
            layout.TRENDS,
            read_json(layout.CHAMPION / layout.CHAMPION_FILE),
            params.report,
            regions_of(params.domain),
        )
        run.log_artifact(page)


if __name__ == "__main__":
    with one_line_errors():
        main(config.given_item(sys.argv, "experiment"))
