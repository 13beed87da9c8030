"""Stage evaluate: every method against SMAP, the stations and the truth, with simple yardsticks."""

from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.evaluation.pscnet.evaluate import evaluate
from soilfuse.evaluation.pscnet.outputs import write_evaluation
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write results/evaluate/: tables, maps of scores, one event, and metrics.json."""
    params = config.load_study(config.PscnetStudy)
    with declared_run("evaluate", params) as run:
        found = evaluate(params)
        write_evaluation(Path("results/evaluate"), found)
        run.log_metrics(found.facts)


if __name__ == "__main__":
    with one_line_errors():
        main()
