"""Stage train@method: one method learns from SMAP's coarse cells, without a fine truth."""

import sys
from pathlib import Path

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.tracking.stages import declared_run
from soilfuse.training.device import computing
from soilfuse.training.downscaling.sample import read
from soilfuse.training.downscaling.train import train, write_learned


def main(method: str) -> None:
    """Write models/<method>/: moisture.nc of the scored steps, manifest, curves and weights."""
    params = config.load_study(config.PscnetStudy)
    config.item_of(method, params.methods, "method", "params.yaml:methods")
    device = computing(params.compute, together=False)
    with declared_run("train", params, method) as run:
        sample = read(layout.PROCESSED, params.split.years)
        with run.epochs() as on_epoch:
            learned = train(method, params, sample, device, on_epoch)
        write_learned(Path("models") / method, learned)
        run.log_metrics({"parameters": learned.manifest["parameters"]})


if __name__ == "__main__":
    with one_line_errors():
        main(config.given_item(sys.argv, "method"))
