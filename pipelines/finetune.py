"""Stage finetune@fold: one ensemble member learns AMSMQTP's five layers."""

import sys

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.files import write_json
from soilfuse.tracking.stages import declared_run
from soilfuse.tracking.trainings import record_training
from soilfuse.training import checkpoints, ranks, weights
from soilfuse.training.device import computing
from soilfuse.training.fields import Trained, write_curves
from soilfuse.training.finetune import finetune_fold
from soilfuse.training.folds import FOLDS
from soilfuse.training.launching import ended_together
from soilfuse.training.loading import finetuning_fields, pretrained_weights
from soilfuse.training.loop import OnEpoch
from soilfuse.training.swept import read_best, tell_advice


def main(item: str) -> None:
    """Write models/finetune/fold_<k>.safetensors and .json, and results/finetune/fold_<k>.csv."""
    params = config.load()
    fold = int(config.item_of(item, [str(k) for k in range(FOLDS)], "fold", "the command"))
    device, state = computing(params.compute), layout.STATE / "finetune" / item

    def trained_fold(on_epoch: OnEpoch | None = None) -> Trained:
        fields, lineage = finetuning_fields(params, fold)
        pretrained = pretrained_weights(params, fields, lineage)
        best = read_best(layout.BEST)
        given = fields, pretrained, best, lineage
        return finetune_fold(params, fold, *given, device, state, on_epoch)

    if not ranks.is_first():  # one of several processes: the first of them records and writes
        trained_fold()
        return
    with declared_run("finetune", params, item) as run:
        tell_advice(params, read_best(layout.BEST))
        with run.epochs() as on_epoch:
            trained = trained_fold(on_epoch)
        weights.save(layout.FINETUNE / f"fold_{fold}.safetensors", trained.weights)
        manifest = layout.FINETUNE / f"fold_{fold}.json"
        write_json(manifest, trained.manifest)
        write_curves(layout.FINETUNE_CURVES / f"fold_{fold}.csv", trained.history)
        record_training(run, trained, manifest, "inner_rmse")
    checkpoints.clear(state)


if __name__ == "__main__":
    with one_line_errors(), ended_together():
        main(config.given_item(sys.argv, "fold"))
