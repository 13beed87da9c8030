"""Stage promote: the gate between the trained folds and the champion that inference uses."""

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.tracking.promoting import promote
from soilfuse.tracking.runs import stage_run

INPUTS = [layout.FINETUNE, layout.EVALUATE]


def main() -> None:
    """Write results/promote/verdict.json and, if promoted, models/champion/."""
    params = config.load()
    with stage_run("promote", params, ["seed", "promote"], INPUTS) as run:
        verdict = promote(params, run.run_id)
        run.set_tags({"soilfuse.promoted": verdict.promoted})
        run.log_artifact(layout.VERDICT)


if __name__ == "__main__":
    with one_line_errors():
        main()
