"""What one training run is told: settings resolved, networks assembled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from soilfuse import config, names
from soilfuse.errors import UserError
from soilfuse.networks.discriminator import Discriminator
from soilfuse.networks.registry import build
from soilfuse.networks.vgg import Perceptual
from soilfuse.seeding import derive_seed
from soilfuse.training.data import TrainingData
from soilfuse.training.device import FP32, reproducible

Module = TypeVar("Module", bound=nn.Module)
SweptValue = float | str
LEARNING_RATES = ("learning_rate", "discriminator_learning_rate")
ADVERSARIAL_FORM = "adversarial_form"


@dataclass(frozen=True)
class Plan:
    """Settings of one run; `name` stands in progress lines and errors."""

    name: str
    seed: int
    epochs: int
    batch: int
    patience: int
    learning_rate: float
    discriminator_learning_rate: float
    loss: config.Loss
    precision: str = FP32

    @property
    def factors(self) -> dict[str, float]:
        """What each loss term is multiplied with (equations 4 and 7); terms of weight 0 left out.

        Raises UserError where nothing is left.
        """
        loss = self.loss
        every = {
            "mse": loss.content * loss.mse,
            "perceptual": loss.content * loss.perceptual,
            "adversarial": loss.adversarial,
            "insitu": loss.insitu,
            "total_variation": loss.total_variation,
        }
        used = {name: factor for name, factor in every.items() if factor > 0}
        if not used:
            raise UserError(
                f"{self.name}: every loss weight is 0; expected one above 0: edit params.yaml"
            )
        return used

    def settings(self) -> dict[str, object]:
        """Return everything that decides the result beside seed and data, for a manifest."""
        return {
            "epochs": self.epochs,
            "batch": self.batch,
            "patience": self.patience,
            "learning_rate": self.learning_rate,
            "discriminator_learning_rate": self.discriminator_learning_rate,
            "loss": self.loss.model_dump(),
            "precision": self.precision,
        }


@dataclass(frozen=True)
class Players:
    """The networks of one run; what its loss does not use is None."""

    generator: nn.Module
    discriminator: Discriminator | None
    perceptual: Perceptual | None


def assemble(
    params: config.Params,
    plan: Plan,
    train: TrainingData,
    pretrained: Mapping[str, Tensor] | None = None,
) -> Players:
    """Build the networks for the training data's channels, seeded by the plan, on its device.

    The generator's output begins near each layer's mean in the training months.
    pretrained: weights of a generator whose all but last layer are taken over; the discriminator
    always starts afresh (as the authors' does).
    """
    network, device = params.network, train.mask.device
    channels = train.inputs.shape[1], train.target.shape[1]
    with reproducible(plan.seed, device):
        generator = build(network.name, *channels, network.width, network.depth)
        if pretrained is not None:
            _take_over(generator, pretrained)
        generator.reset_head(train.layer_means())  # type: ignore[operator]
        discriminator = Discriminator(channels[1], network.discriminator_width)
    perceptual = None
    if "perceptual" in plan.factors:
        vgg = params.perceptual
        perceptual = Perceptual(vgg.weights, vgg.width_divisor, params.seed)
    return Players(
        generator=_placed(generator, device),
        discriminator=_placed(discriminator, device) if "adversarial" in plan.factors else None,
        perceptual=None if perceptual is None else _placed(perceptual, device),
    )


def swept_values(finetune: config.Finetune) -> dict[str, SweptValue]:
    """Return fine-tuning's numbers, and the word `sweep` where it stands, by flat name."""
    loss = finetune.loss.model_dump(exclude={ADVERSARIAL_FORM})
    rates = {name: getattr(finetune, name) for name in LEARNING_RATES}
    return {**rates, **{f"loss.{name}": value for name, value in loss.items()}}


def finetune_plan(
    params: config.Params, fold: int, best: Mapping[str, float], precision: str = FP32
) -> Plan:
    """Return a fold's plan: a number in params.yaml wins, the word `sweep` takes best.yaml's.

    best: the flat mapping of results/sweep/best.yaml. Raises UserError for each missing entry.
    """
    values = swept_values(params.finetune)
    asked = [name for name, value in values.items() if value == names.SWEEP]
    problems = [
        f"finetune.{name} is 'sweep' but results/sweep/best.yaml has no {name}; write a number, or "
        f"add it to params.yaml:sweep.search and run `dvc repro sweep`"
        for name in asked
        if name not in best
    ]
    if problems:
        raise UserError(*problems)
    return plan_with(params, fold, {**values, **{n: best[n] for n in asked}}, precision)


def plan_with(
    params: config.Params, fold: int, values: Mapping[str, SweptValue], precision: str
) -> Plan:
    """Return a fold's plan with every flat value a number."""
    finetune = params.finetune
    numbers = {name: float(value) for name, value in values.items()}
    loss = {n.removeprefix("loss."): v for n, v in numbers.items() if n.startswith("loss.")}
    return Plan(
        name=f"finetune fold {fold}",
        seed=derive_seed(params.seed, "finetune", fold),
        epochs=finetune.epochs,
        batch=finetune.batch,
        patience=finetune.patience,
        learning_rate=numbers["learning_rate"],
        discriminator_learning_rate=numbers["discriminator_learning_rate"],
        loss=config.Loss(**loss, adversarial_form=finetune.loss.adversarial_form),
        precision=precision,
    )


def _take_over(generator: nn.Module, pretrained: Mapping[str, Tensor]) -> None:
    try:
        generator.load_body(pretrained)  # type: ignore[operator]
    except RuntimeError:
        raise UserError(
            "the pre-trained weights do not fit this network; they were made with other "
            "params.yaml:network or cmip6.models: run `dvc repro pretrain`"
        ) from None


def _placed(module: Module, device: torch.device) -> Module:
    return module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
