"""Stage leakage: what shuffling months is worth, the same methods under both protocols."""

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.evaluation.leakage import forget, leakage_table, rmse_of
from soilfuse.evaluation.outputs import write_table
from soilfuse.tracking.stages import declared_run
from soilfuse.training.device import computing


def main() -> None:
    """Write results/leakage/leakage.csv."""
    params, state = config.load(), layout.STATE / "leakage"
    with declared_run("leakage", params) as run:
        table = leakage_table(params, computing(params.compute, together=False), state)
        write_table(table, layout.LEAKAGE)
        run.log_metrics(rmse_of(table))
        run.log_artifact(layout.LEAKAGE)
    forget(state)


if __name__ == "__main__":
    with one_line_errors():
        main()
