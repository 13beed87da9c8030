"""Stage predict@experiment: YNet and the mean of the climate models, month by month."""

import sys
from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.inference.china.fields import write_fields
from soilfuse.inference.china.predicting import predicted
from soilfuse.tracking.stages import declared_run


def main(experiment: str) -> None:
    """Write data/processed/predicted/<experiment>.nc."""
    params = config.load_study(config.ChinaStudy)
    config.item_of(experiment, params.experiments, "experiment", "params.yaml:experiments")
    with declared_run("predict", params, experiment):
        fields = predicted(experiment, params)
        write_fields(Path(f"data/processed/predicted/{experiment}.nc"), fields)


if __name__ == "__main__":
    with one_line_errors():
        main(config.given_item(sys.argv, "experiment"))
