"""Stage map: the interactive map over all experiments."""

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.files import read_json
from soilfuse.grids.regions import regions_of
from soilfuse.report.map_page import write_map
from soilfuse.report.sections import MAP_PAGE
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write reports/map.html."""
    params = config.load()
    page = layout.REPORTS / MAP_PAGE
    with declared_run("map", params) as run:
        write_map(
            page,
            params.experiments,
            layout.TRENDS,
            read_json(layout.CHAMPION / layout.CHAMPION_FILE),
            params.report,
            regions_of(params.domain),
        )
        run.log_artifact(page)


if __name__ == "__main__":
    with one_line_errors():
        main()
