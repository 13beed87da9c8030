"""What the training stages are given, and what they give back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from soilfuse import config
from soilfuse.files import write_text
from soilfuse.training import weights
from soilfuse.training.data import Monthly, TrainingData
from soilfuse.training.loop import Record
from soilfuse.training.players import Players, architecture

TERMS = ("mse", "perceptual", "adversarial", "insitu", "total_variation")
CURVES = (
    "epoch",
    *(f"train_{name}" for name in ("loss", *TERMS, "discriminator")),
    "validation_rmse",
    "learning_rate",
    "discriminator_learning_rate",
)


@dataclass(frozen=True)
class Fields:
    """Monthly fields on the target grid, and the boundary's mask (H, W), True inside.

    inputs: climate models (T, M, H, W); target: (T, D, H, W); insitu and probability: the station
    field and its label density (T, D, H, W) of one fold; all m3 m-3 but probability. static: maps
    (S, H, W) in any units, None where the network sees none; trailing: months that it looks at.
    """

    inputs: Monthly
    target: Monthly
    mask: np.ndarray
    insitu: Monthly | None = None
    probability: Monthly | None = None
    static: np.ndarray | None = None
    trailing: int = 1

    def architecture(self, network: config.Network) -> dict[str, Any]:
        """Return the generator's arguments for these fields, as a manifest holds them."""
        models, layers = self.inputs.values.shape[1], self.target.values.shape[1]
        grid = (self.mask.shape[0], self.mask.shape[1])
        return architecture(
            network, models, layers, grid, 0 if self.static is None else len(self.static)
        )

    def training(self, months: np.ndarray, device: torch.device) -> TrainingData:
        """Return the months' tensors with the station field."""
        return self._joined(months, device, self.insitu, self.probability)

    def validation(self, months: np.ndarray, device: torch.device) -> TrainingData:
        """Return the months' tensors without the station field."""
        return self._joined(months, device, None, None)

    def _joined(
        self,
        months: np.ndarray,
        device: torch.device,
        insitu: Monthly | None,
        probability: Monthly | None,
    ) -> TrainingData:
        return TrainingData.join(
            months,
            self.inputs,
            self.target,
            self.mask,
            device,
            insitu,
            probability,
            self.trailing,
        )


@dataclass(frozen=True)
class Lineage:
    """What a manifest says of the data; all of it is the same for every fold.

    source_ids: the input channels in order; depth_bnds: (D, 2) m, the output layers; world: which
    pseudo-reality, or `real`; regions: hash of those that training looks at; inputs: file -> hash,
    without any file that differs between folds; static_maps: the static channels in order.
    """

    source_ids: Sequence[str]
    depth_bnds: Sequence[Sequence[float]]
    world: str
    regions: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    static_maps: Sequence[str] = ()


@dataclass(frozen=True)
class Trained:
    """Weights, the JSON manifest that belongs beside them, and one record an epoch."""

    weights: weights.Weights
    manifest: dict[str, Any]
    history: list[Record]


def described(params: config.Params, lineage: Lineage, players: Players) -> dict[str, Any]:
    """Return a manifest's facts about data, grid and perceptual weights."""
    perceptual = players.perceptual
    return {
        "source_ids": list(lineage.source_ids),
        "smoothing_years": params.network.smoothing_years,
        "static_maps": list(lineage.static_maps),
        "depth_bnds": [[float(edge) for edge in layer] for layer in lineage.depth_bnds],
        "domain": params.domain.model_dump(),
        "regions_sha256": lineage.regions,
        "world": lineage.world,
        "perceptual": {
            "weights": perceptual.weights if perceptual else "unused",
            "sha256": perceptual.sha256 if perceptual else "",
        },
    }


def month_names(months: np.ndarray) -> list[str]:
    """Return months as 'YYYY-MM'."""
    return [str(month) for month in np.asarray(months).astype("datetime64[M]")]


def write_curves(path: Path, history: Sequence[Record]) -> None:
    """Write the records as CSV, one line an epoch, every float to its last digit.

    CURVES are always there, empty where the loss lacks the term, so that plots find their columns.
    """
    rows = [",".join(repr(r[name]) if name in r else "" for name in CURVES) for r in history]
    write_text(Path(path), "\n".join([",".join(CURVES), *rows]) + "\n")
