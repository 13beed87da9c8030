"""Where trials of different architectures begin: each pre-trained alike, for a few epochs, once.

models/pretrain holds one architecture. Were its trials alone to begin there, they would win for
their head start; so all begin with weights that `sweep.pretrain_epochs` of pre-training gave.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from soilfuse import config
from soilfuse.files import sha256_of_content
from soilfuse.training import weights
from soilfuse.training.fields import Fields, Lineage
from soilfuse.training.pretrain import pretrain


@dataclass(frozen=True)
class Architectures:
    """The pre-training data, and the folder of one sweep's pre-trained weights."""

    fields: Fields
    lineage: Lineage
    folder: Path

    def beginning(self, params: config.Params, device: torch.device) -> weights.Weights:
        """Return the weights that trials of this network begin with, pre-trained where need be."""
        # Dropout changes no weight's place; the sweep's folder stands for everything else.
        network = params.network.model_dump(exclude={"dropout"})
        path = self.folder / f"{sha256_of_content(network)[:16]}.safetensors"
        if not path.exists():
            section = params.pretrain.model_copy(update={"epochs": params.sweep.pretrain_epochs})
            short = params.model_copy(update={"pretrain": section})
            weights.save(path, pretrain(short, self.fields, self.lineage, device).weights)
        return weights.load(path)

    def forget(self) -> None:
        """Delete the weights of a search that is over."""
        shutil.rmtree(self.folder, ignore_errors=True)
