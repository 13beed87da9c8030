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
        """Return the weights that trials of this network begin with, pre-trained where need be.

        Workers that come while another one makes them wait for it.
        """
        from filelock import FileLock

        # The sweep's folder stands for everything else.
        name = sha256_of_content(params.network.model_dump())[:16]
        path = self.folder / f"{name}.safetensors"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / f"{name}.lock"):
                if not path.exists():
                    self._make(path, params, device)
        return weights.load(path)

    def _make(self, path: Path, params: config.Params, device: torch.device) -> None:
        section = params.pretrain.model_copy(update={"epochs": params.sweep.pretrain_epochs})
        short = params.model_copy(update={"pretrain": section})
        weights.save(path, pretrain(short, self.fields, self.lineage, device).weights)

    def forget(self) -> None:
        """Delete the weights of a search that is over."""
        shutil.rmtree(self.folder, ignore_errors=True)
