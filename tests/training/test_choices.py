"""Every choice of params.yaml:network through pre-training and fine-tuning to weights that load."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from training_cases import BEST, CPU, GRID

from soilfuse.networks.generator import Generator
from soilfuse.training.finetune import finetune_fold
from soilfuse.training.pretrain import pretrain

CHOICES = {
    "mbconv": {"name": "mbconv_unet"},
    "ynet": {"name": "ynet", "static": True, "season": True},
    "pscnet": {"name": "pscnet", "width": 8, "months": 3, "inputs": "anomalies"},
    "resnet": {"name": "resnet", "width": 8},
    "vit": {"name": "vit", "width": 16},
    "lstm": {"name": "lstm", "width": 8, "months": 3, "inputs": "anomalies"},
    "residual": {"residual": "climatology", "inputs": "anomalies", "dropout": 0.2},
    "forced": {"residual": "forced_change", "model_dropout": 0.3, "static": True},
}


def changed(params, **network):
    return params.model_copy(update={"network": params.network.model_copy(update=network)})


def shortened(params, epochs):
    parts = {
        name: getattr(params, name).model_copy(update={"epochs": epochs})
        for name in ("pretrain", "finetune")
    }
    return params.model_copy(update=parts)


def fitting(fields, network):
    maps = np.random.default_rng(0).normal(size=(2, *GRID)) if network.get("static") else None
    return replace(fields, static=maps, trailing=network.get("months", 1))


@pytest.mark.parametrize("network", CHOICES.values(), ids=CHOICES)
def test_a_choice_is_trained_and_its_weights_are_whole(
    params, fields, era5_fields, lineage, network
):
    chosen = shortened(changed(params, **network), 1)
    body = pretrain(chosen, fitting(era5_fields, network), lineage, CPU)
    own = fitting(fields, network)
    fold = finetune_fold(chosen, 0, own, body.weights, BEST, lineage, CPU)
    generator = Generator(**fold.manifest["network"])
    generator.load_state_dict(fold.weights)
    inner = own.validation(np.array(fold.manifest["inner_months"], "datetime64[ns]"), CPU)
    with torch.inference_mode():
        made = generator.eval()(inner.inputs_at(slice(None)), inner.calendar)
    error = (made - inner.target)[:, :, inner.mask].double().square().mean().sqrt().item()
    assert fold.manifest["inner_rmse"] == pytest.approx(error, rel=1e-4)


def test_a_residual_that_is_not_trained_is_its_simple_method(params, fields, era5_fields, lineage):
    still = shortened(changed(params, residual="forced_change"), 0)
    body = pretrain(still, era5_fields, lineage, CPU)
    assert body.manifest["best_epoch"] == 0
    assert body.history == []
    fold = finetune_fold(still, 1, fields, body.weights, BEST, lineage, CPU)
    generator = Generator(**fold.manifest["network"])
    generator.load_state_dict(fold.weights)
    inputs, month = torch.rand(2, 3, *GRID), torch.tensor([0, 7])
    made = generator.eval()(inputs, month)
    torch.testing.assert_close(made, generator.simple(inputs, month).clamp(0, 1))


def test_training_that_only_harms_is_not_kept(params, fields, era5_fields, lineage):
    """Seasonal fields without any signal beyond: a wild learning rate cannot beat the base."""
    wild = changed(params, residual="climatology")
    section = wild.finetune.model_copy(update={"learning_rate": 1.0, "epochs": 2})
    wild = wild.model_copy(update={"finetune": section})
    body = pretrain(shortened(wild, 0), era5_fields, lineage, CPU)
    fold = finetune_fold(wild, 0, fields, body.weights, BEST, lineage, CPU)
    assert len(fold.history) == 2
    assert fold.manifest["best_epoch"] == 0
    assert bool((fold.weights["core.head.weight"] == 0).all())
