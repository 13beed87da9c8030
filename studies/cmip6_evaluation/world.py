"""Stage world: the globe's pseudo-reality in the place of the archives."""

from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.tracking.stages import declared_run
from soilfuse.world.wide.globe import write_globe


def main() -> None:
    """Write data/raw/pseudo/{cmip6,era5,era_interim,gldas}."""
    params = config.load_study(config.Cmip6Study)
    root = Path("data/raw/pseudo")  # a stage's outs are fixed; raw_root may be the user's own
    with declared_run("world", params) as run:
        write_globe(root, params.models, params.years, params.world.coarsen, params.world.seed)
        size = sum(path.stat().st_size for path in root.rglob("*.nc*"))
        run.log_metrics({"bytes": size})


if __name__ == "__main__":
    with one_line_errors():
        main()
