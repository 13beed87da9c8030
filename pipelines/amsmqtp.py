"""Stage amsmqtp: the monthly fine-tuning target, from daily files, on the domain's grid."""

from pathlib import Path

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.grids.grid import Grid
from soilfuse.sources import amsmqtp
from soilfuse.sources.processed import write_field
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write data/processed/amsmqtp.nc."""
    params = config.load()
    root, section = Path(params.raw_root), params.amsmqtp
    with declared_run("amsmqtp", params):
        grid = Grid.of(params.domain)
        target = amsmqtp.read(root, grid, section.first_year, section.last_year, section.min_days)
        write_field(layout.AMSMQTP, target)


if __name__ == "__main__":
    with one_line_errors():
        main()
