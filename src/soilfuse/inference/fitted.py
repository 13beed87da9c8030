"""A simple method in the place of the networks: five fits for the spread, one for the mean.

The folds' fits are what was scored out of fold. Beyond the folds the method is fitted once to all
their months, as anybody would who has no month to hold out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from soilfuse.baselines import storing
from soilfuse.baselines.methods import Baseline
from soilfuse.baselines.registry import METHODS, build
from soilfuse.errors import UserError, shortened
from soilfuse.files import mending, sha256_of_file
from soilfuse.grids.months import month_key
from soilfuse.names import ENSEMBLE, MODEL

if TYPE_CHECKING:
    import torch

WHOLE = "fold_all.safetensors"  # the fit to all months, beside fold_<k>.safetensors
WHOLE_HASH = "whole_sha256"
CONTEXT = "context_years"
NO_NETWORK = {"name": "none", "months": 1, "model_dropout": 0.0}


@dataclass(frozen=True)
class FittedMember:
    """One fit of a simple method, and its manifest."""

    manifest: dict[str, Any]
    baseline: Baseline

    def to(self, device: "torch.device") -> None:
        """Stay where it is: its few operations a cell run on the processor."""

    def predict(self, inputs: "torch.Tensor", month: "torch.Tensor") -> "torch.Tensor":
        """Return (B, D, H, W) m3 m-3 from (B, C, H, W), what the method's `prepare` makes.

        month: (B,) calendar months, 1 to 12.
        """
        import torch

        months = month_key(np.full(len(month), 2001), month.cpu().numpy())
        return torch.from_numpy(self.baseline.predict_prepared(inputs.cpu().numpy(), months))


def method_of(manifest: Mapping[str, Any]) -> str:
    """Return the method of a manifest; those of networks need not name it."""
    return str(manifest.get("method", ENSEMBLE))


def context_of(manifest: Mapping[str, Any]) -> int:
    """Return how many years around a month the method of a manifest looks at."""
    return int(manifest.get(CONTEXT, 0))


def require_method(path: Path, manifest: Mapping[str, Any]) -> None:
    """Raise UserError unless a simple method's manifest names one, and says what its fits need."""
    method, models = method_of(manifest), [f"{MODEL}{name}" for name in manifest["source_ids"]]
    if method not in {*METHODS, *models}:
        raise UserError(
            f"{path} names method {shortened(method, 40)!r}; expected one of "
            f"{', '.join([*METHODS, *models])}: {mending(path)}"
        )
    if type(manifest.get(CONTEXT)) is not int or WHOLE_HASH not in manifest:
        raise UserError(
            f"{path} lacks {CONTEXT} or {WHOLE_HASH} of method {shortened(method, 40)}; expected "
            f"both: {mending(path)}"
        )


def load_fitted(file: Path, manifest: dict[str, Any], recorded: str) -> FittedMember:
    """Load one fit from its safetensors file; raise UserError where it is not the recorded one."""
    baseline = storing.load(file, build(method_of(manifest), manifest["source_ids"]))
    found = sha256_of_file(file)
    if found != recorded:
        raise UserError(
            f"{file} has SHA-256 {found[:12]}, its manifest says {recorded[:12]}; expected the "
            f"same: {mending(file)}"
        )
    return FittedMember(manifest, baseline)
