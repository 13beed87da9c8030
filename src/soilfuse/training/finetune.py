"""Fine-tuning on AMSMQTP's five layers, one ensemble member a fold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from soilfuse import config
from soilfuse.files import sha256_of_content
from soilfuse.training import ranks, weights
from soilfuse.training.device import precision_of
from soilfuse.training.fields import (
    Fields,
    Lineage,
    Trained,
    described,
    month_names,
)
from soilfuse.training.folds import Fold, fold_of
from soilfuse.training.loop import Fitted, OnEpoch, fit
from soilfuse.training.plan import finetune_plan
from soilfuse.training.players import assemble
from soilfuse.training.space import Value

OF_A_FOLD = (  # entries of a manifest in which the folds of one training differ
    "fold",
    "train_months",
    "inner_months",
    "outer_months",
    "best_epoch",
    "inner_rmse",
    "ensemble_hash",
    "weights_sha256",
)


def finetune_fold(
    params: config.Params,
    fold_index: int,
    fields: Fields,
    pretrained: Mapping[str, Tensor],
    best: Mapping[str, Value],
    lineage: Lineage,
    device: torch.device,
    state_dir: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Fine-tune pre-trained weights on one fold's training months, stopped by its inner block.

    best: the flat mapping of best.yaml (name -> value), for the word `sweep` in params.yaml.
    The last convolution is drawn afresh. The outer block is not touched. Raises UserError for a
    missing entry of `best`, missing months, or weights of another network.
    """
    precision = precision_of(params.finetune.precision, device)
    plan = finetune_plan(params, fold_index, best, precision)
    fold = fold_of(
        params.finetune.protocol, fold_index, params.seed, fields.target.time, fields.target.name
    )
    train = fields.training(fold.train, device)
    inner = fields.validation(fold.inner, device)
    players = assemble(params, plan, train, pretrained, fields.static)
    fitted = fit(players, train, inner, plan, state_dir, on_epoch)
    shared = {
        **described(params, lineage, players),
        "network": fields.architecture(params.network),
        "protocol": params.finetune.protocol,
        "seed": params.seed,
        "discriminator_width": params.network.discriminator_width,
        "devices": ranks.size(),
        "settings": plan.settings(),
        "insitu": params.insitu.model_dump(),
        "inputs": dict(lineage.inputs),
        "pretrained_sha256": weights.sha256(pretrained),
    }
    return Trained(fitted.weights, _manifest(shared, fold, fitted), fitted.history)


def ensemble_hash_of(manifest: Mapping[str, Any]) -> str:
    """Return the hash over what all folds of one training share: every entry but OF_A_FOLD."""
    return sha256_of_content({k: v for k, v in manifest.items() if k not in OF_A_FOLD})


def _manifest(shared: dict[str, Any], fold: Fold, fitted: Fitted) -> dict[str, Any]:
    return {
        **shared,
        "fold": fold.index,
        "train_months": month_names(fold.train),
        "inner_months": month_names(fold.inner),
        "outer_months": month_names(fold.outer),
        "best_epoch": fitted.best_epoch,
        "inner_rmse": fitted.rmse,
        "ensemble_hash": ensemble_hash_of(shared),
        "weights_sha256": weights.sha256(fitted.weights),
    }
