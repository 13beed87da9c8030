"""Stage evaluate: the candidate beside the baselines, out of fold, in the final test, in future."""

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.evaluation.candidate import Candidate
from soilfuse.evaluation.cells import on_cells
from soilfuse.evaluation.evaluate import evaluate
from soilfuse.evaluation.gate_facts import gate_facts
from soilfuse.evaluation.outputs import headline, write_evaluation
from soilfuse.files import write_json
from soilfuse.tracking.figures import layer_scores
from soilfuse.tracking.stages import declared_run
from soilfuse.trends.mann_kendall import trend_test


def main() -> None:
    """Write results/evaluate/."""
    import torch

    params = config.load()
    torch.set_num_threads(params.compute.threads)
    with declared_run("evaluate", params) as run:
        candidate, threads = Candidate(params), params.compute.threads
        result = evaluate(
            *on_cells(candidate.method(), candidate.material(), candidate.inputs_on),
            params.evaluate,
            params.seed,
            lambda series: trend_test(series, threads).slope,
        )
        write_evaluation(result, layout.EVALUATE)
        write_json(layout.EVALUATE / "facts.json", gate_facts(candidate, result))
        run.log_metrics(headline(result.metrics))
        run.log_artifact(layout.EVALUATE)
        found = result.metrics
        figure = layer_scores(found["outer"], found["baselines"], "Out of fold, whole year")
        run.log_figure(figure, "figures/scores.png")


if __name__ == "__main__":
    with one_line_errors():
        main()
