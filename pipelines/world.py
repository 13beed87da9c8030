"""Stage world: write the pseudo-reality's raw files and its truth."""

from soilfuse.tracking.runs import stage_run
from soilfuse.world.build import write_world

from soilfuse import config, layout
from soilfuse.errors import one_line_errors


def main() -> None:
    """Write data/raw/pseudo."""
    params = config.load()
    with stage_run("world", params, sections=["domain", "world"], inputs=[]):
        write_world(layout.PSEUDO_REALITY, params.domain, params.world, params.cmip6.models)


if __name__ == "__main__":
    with one_line_errors():
        main()
