"""Stage skill: tables and maps of the climate models against the reanalyses."""

from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.evaluation.cmip6.evaluate import evaluate
from soilfuse.evaluation.cmip6.outputs import write_skill
from soilfuse.grids.grid import Grid
from soilfuse.sources.reanalyses import REANALYSES
from soilfuse.sources.water import read_water
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write results/skill/: CSVs, maps.nc and metrics.json."""
    params = config.load_study(config.Cmip6Study)
    data = Path("data/processed")
    with declared_run("skill", params) as run:
        found = evaluate(
            read_water(data / "models" / f"{source_id}.nc" for source_id in params.models),
            read_water(data / "references" / f"{name}.nc" for name in REANALYSES),
            Grid.of(params.domain),
            params.skill.good_tss,
            params.skill.alpha,
        )
        write_skill(Path("results/skill"), found)
        run.log_metrics(found.facts)


if __name__ == "__main__":
    with one_line_errors():
        main()
