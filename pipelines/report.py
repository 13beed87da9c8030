"""Stage report: the first page, over all experiments, and the page of the evaluation."""

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.files import read_json
from soilfuse.grids.regions import regions_of
from soilfuse.report.pages import write_evaluation, write_index
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write reports/index.html, evaluation.html and sweep.html, and the figures of these."""
    params = config.load()
    page, scores = layout.REPORTS / "index.html", layout.REPORTS / "evaluation.html"
    with declared_run("report", params) as run:
        verdict = read_json(layout.VERDICT)
        champion = read_json(layout.CHAMPION / layout.CHAMPION_FILE)
        folds = sorted(layout.CHAMPION.glob("fold_*.json"))
        regions = regions_of(params.domain)
        write_evaluation(
            scores,
            layout.EVALUATE,
            verdict,
            champion,
            params.report,
            regions,
            [layout.LEAKAGE],
        )
        write_index(
            page,
            params.experiments,
            layout.EVALUATE,
            layout.SWEEP,
            verdict,
            champion,
            layout.TRENDS,
            params.report,
            regions,
            read_json(folds[0]) if folds else None,
        )
        for made in (page, scores):
            run.log_artifact(made)


if __name__ == "__main__":
    with one_line_errors():
        main()
