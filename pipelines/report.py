"""Stage report: the first page, over all experiments."""

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.files import read_json
from soilfuse.grids.regions import regions_of
from soilfuse.report.pages import write_index
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write reports/index.html, reports/sweep.html and reports/figures/index/."""
    params = config.load()
    page = layout.REPORTS / "index.html"
    with declared_run("report", params) as run:
        write_index(
            page,
            params.experiments,
            layout.EVALUATE,
            layout.SWEEP,
            read_json(layout.VERDICT),
            read_json(layout.CHAMPION / layout.CHAMPION_FILE),
            layout.TRENDS,
            params.report,
            regions_of(params.domain),
        )
        run.log_artifact(page)


if __name__ == "__main__":
    with one_line_errors():
        main()
