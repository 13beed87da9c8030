"""Stage promote: the gate between the trained folds and the champion that inference uses."""

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.tracking.promoting import promote
from soilfuse.tracking.promotion import reasons
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write results/promote/verdict.json and, if promoted, models/champion/."""
    params = config.load()
    with declared_run("promote", params) as run:
        verdict = promote(params, run.run_id)
        told = {"soilfuse.promoted": verdict.promoted, "soilfuse.reasons": reasons(verdict)}
        run.set_tags(told)
        run.log_artifact(layout.VERDICT)


if __name__ == "__main__":
    with one_line_errors():
        main()
