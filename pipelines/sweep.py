"""Stage sweep: search loss weights and learning rates on inner validation blocks."""

import torch

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.tracking.stages import declared_run
from soilfuse.training import weights
from soilfuse.training.device import device_of
from soilfuse.training.loading import finetuning_fields
from soilfuse.training.sweep import sweep
from soilfuse.training.swept import journal_of, write_swept


def main() -> None:
    """Write results/sweep/: best.yaml and trials.csv."""
    params = config.load()
    torch.set_num_threads(params.compute.threads)
    with declared_run("sweep", params) as run:
        loaded = [finetuning_fields(params, fold) for fold in range(params.sweep.folds)]
        pretrained = weights.load(layout.PRETRAIN / "generator.safetensors")

        def on_finish(number: int, values: dict[str, float], rmse: float) -> None:
            with run.child(f"trial {number}") as trial:
                trial.log_params(values)
                trial.log_metrics({"inner_rmse": rmse})

        swept = sweep(
            params,
            [fields for fields, _ in loaded],
            pretrained,
            journal_of(layout.STATE / "sweep", params, loaded[0][1], pretrained),
            device_of(params.compute.device),
            on_finish=on_finish,
        )
        write_swept(layout.SWEEP, swept)
        run.log_metrics({"inner_rmse": swept.rmse})
        run.log_artifact(layout.SWEEP)


if __name__ == "__main__":
    with one_line_errors():
        main()
