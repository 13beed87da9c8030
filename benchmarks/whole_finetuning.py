"""The paper's whole fine-tuning by the product's own stage function, timed and weighed."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.device_memory import forget, peak_gib
from benchmarks.paper_case import MODELS, Case, smooth_fields, untrained
from soilfuse import config, names
from soilfuse.grids.months import month_axis
from soilfuse.training.fields import Fields, Lineage, Trained
from soilfuse.training.finetune import finetune_fold
from soilfuse.training.folds import BLOCKED, FOLDS


@dataclass(frozen=True)
class Whole:
    """What a fine-tuning of all folds took: seconds, GiB at the fullest moment of a GPU.

    months: that were trained on, every one as often as there are epochs; gib: None on a CPU.
    """

    params: config.Params
    folds: int
    seconds: float
    gib: float | None
    months: int

    @property
    def told(self) -> str:
        """What was done, in words."""
        section, vgg = self.params.finetune, self.params.perceptual.weights
        size = f"{self.folds} folds, {section.epochs} epochs, batch {section.batch}"
        return f"whole fine-tuning, {size}, VGG16 {vgg}, {section.precision}"


def finetune(case: Case, folds: Sequence[int] = tuple(range(FOLDS))) -> Whole:
    """Fine-tune every fold to its last epoch as the stage does, checkpoints included.

    Settings are those of the case's finetune, but for blocked folds (84 to 96 training months)
    and no early stopping. Making the months is not timed; compiling is, anew for each fold, because
    the stage is a process of its own. Raises AssertionError where a fold left out epochs.
    """
    epochs = case.params.finetune.epochs
    case = case.with_sections({"finetune": {"protocol": BLOCKED, "patience": epochs}})
    fields = smooth_fields(month_axis(*names.TRAINING_YEARS), case.shape)
    months, spent = 0, 0.0
    forget(case.device)
    for fold in folds:
        torch.compiler.reset()
        begin = time.perf_counter()
        trained = _fold(case, fold, fields)
        spent += time.perf_counter() - begin
        assert len(trained.history) == epochs, f"fold {fold} stopped early"
        assert np.isfinite([record["train_loss"] for record in trained.history]).all()
        months += len(trained.manifest["train_months"]) * epochs
    return Whole(case.params, len(folds), spent, peak_gib(case.device), months)


def _fold(case: Case, fold: int, fields: Fields) -> Trained:
    """Train one fold; its weights come back to the CPU, so that the device is done by then."""
    params, device = case.params, case.device
    lineage = Lineage([f"model {m + 1}" for m in range(MODELS)], names.PRODUCT_LAYERS, "none", "")
    pretrained = untrained(params, fields)
    with tempfile.TemporaryDirectory() as state:
        return finetune_fold(params, fold, fields, pretrained, {}, lineage, device, Path(state))
