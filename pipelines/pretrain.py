"""Stage pretrain: the generator learns ERA5-Land's three layers."""

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.files import write_json
from soilfuse.tracking.stages import declared_run
from soilfuse.tracking.trainings import record_training
from soilfuse.training import checkpoints, ranks, weights
from soilfuse.training.device import computing
from soilfuse.training.fields import write_curves
from soilfuse.training.launching import ended_together
from soilfuse.training.loading import pretraining_fields
from soilfuse.training.pretrain import pretrain


def main() -> None:
    """Write models/pretrain/: generator.safetensors, generator.json and curves.csv."""
    params, state = config.load(), layout.STATE / "pretrain"
    device = computing(params.compute)
    if not ranks.is_first():  # one of several processes: the first of them records and writes
        pretrain(params, *pretraining_fields(params), device, state)
        return
    with declared_run("pretrain", params) as run:
        fields, lineage = pretraining_fields(params)
        with run.epochs() as on_epoch:
            trained = pretrain(params, fields, lineage, device, state, on_epoch)
        weights.save(layout.PRETRAIN / "generator.safetensors", trained.weights)
        write_json(layout.PRETRAIN / "generator.json", trained.manifest)
        write_curves(layout.PRETRAIN / "curves.csv", trained.history)
        record_training(run, trained, layout.PRETRAIN / "generator.json", "test_rmse")
    checkpoints.clear(state)


if __name__ == "__main__":
    with one_line_errors(), ended_together():
        main()
