"""Stage evaluate: table 2 and figures 3 to 5, in the test years that chose nothing."""

from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.evaluation.china.evaluate import evaluate, write_evaluation
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write results/evaluate/: scores, Taylor rows, zone series, MAE maps and metrics.json."""
    params = config.load_study(config.ChinaStudy)
    with declared_run("evaluate", params) as run:
        found = evaluate(params)
        write_evaluation(Path("results/evaluate"), found)
        run.log_metrics(found.facts)


if __name__ == "__main__":
    with one_line_errors():
        main()
