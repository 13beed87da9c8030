"""The networks of one training run, and how they begin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.networks.discriminator import Discriminator
from soilfuse.networks.generator import Generator
from soilfuse.networks.vgg import Perceptual
from soilfuse.seeding import derive_seed
from soilfuse.training.around import around
from soilfuse.training.data import TrainingData
from soilfuse.training.device import reproducible
from soilfuse.training.plan import Plan

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Players:
    """The networks of one run; what its loss does not use is None."""

    generator: Generator
    discriminator: Discriminator | None
    perceptual: Perceptual | None


def architecture(
    network: config.Network, models: int, layers: int, grid: tuple[int, int], static: int
) -> dict[str, Any]:
    """Return the arguments of networks.generator.Generator, as a manifest holds them."""
    return {
        "name": network.name,
        "models": models,
        "layers": layers,
        "width": network.width,
        "depth": network.depth,
        "grid": list(grid),
        "dropout": network.dropout,
        "model_dropout": network.model_dropout,
        "inputs": network.inputs,
        "static": static,
        "season": network.season,
        "residual": network.residual,
        "months": network.months,
    }


def assemble(
    params: config.Params,
    plan: Plan,
    train: TrainingData,
    pretrained: Mapping[str, Tensor] | None = None,
    static: np.ndarray | None = None,
) -> Players:
    """Build the networks for the training data's channels, seeded by the plan, on its device.

    The generator's output begins at its simple method, or near each layer's mean in the training
    months. pretrained: weights of a generator whose core's all but last layer are taken over; the
    discriminator always starts afresh (as the authors' does). static: (S, H, W) maps.
    """
    network, device = params.network, train.mask.device
    models, layers = train.inputs.shape[1], train.target.shape[1]
    grid = (train.mask.shape[0], train.mask.shape[1])
    maps = 0 if static is None else len(static)
    with reproducible(derive_seed(plan.seed, "weights"), device):
        generator = Generator(**architecture(network, models, layers, grid, maps))
        if pretrained is not None:
            _take_over(generator, pretrained)
        generator.reset_head(train.layer_means())
        discriminator = Discriminator(layers, network.discriminator_width)
    generator.take(around(train, static, network.inputs, network.has_base))
    perceptual = None
    if "perceptual" in plan.factors:
        vgg = params.perceptual
        perceptual = Perceptual(vgg.weights, vgg.width_divisor, params.seed)
    return Players(
        generator=_placed(generator, device),
        discriminator=_placed(discriminator, device) if "adversarial" in plan.factors else None,
        perceptual=None if perceptual is None else _placed(perceptual, device),
    )


def _take_over(generator: Generator, pretrained: Mapping[str, Tensor]) -> None:
    try:
        generator.load_body(pretrained)
    except RuntimeError:
        raise UserError(
            "the pre-trained weights do not fit this network; they were made with other "
            "params.yaml:network or cmip6.models: run `dvc repro pretrain`"
        ) from None


def _placed(module: Module, device: torch.device) -> Module:
    return module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
