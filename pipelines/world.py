"""Stage world: write the pseudo-reality's raw files and its truth."""

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.tracking.stages import declared_run
from soilfuse.world.build import write_world


def main() -> None:
    """Write data/raw/pseudo."""
    params = config.load()
    with declared_run("world", params):
        write_world(layout.PSEUDO_REALITY, params.domain, params.world, params.cmip6.models)


if __name__ == "__main__":
    with one_line_errors():
        main()
