"""The sections of what learns: networks, losses, pre-training, fine-tuning."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from soilfuse import names
from soilfuse.config.section import (
    Count,
    NonNegative,
    Positive,
    Section,
    Share,
    SweptCount,
    SweptNonNegative,
    SweptPositive,
    Years,
    refuse,
    unknown_names,
)

CHOICES = {  # of network: what a word says, and which there are
    "name": ("network", names.NETWORKS),
    "inputs": ("kind of inputs", names.INPUTS),
    "residual": ("residual", names.RESIDUALS),
}


class Network(Section):
    """The generator: its core, what it sees, and what its maps are added to."""

    name: str
    width: Count
    depth: int = Field(ge=1, le=6)
    discriminator_width: Count
    dropout: Share
    model_dropout: Share
    inputs: str
    smoothing_years: int = Field(ge=1)
    static: bool
    season: bool
    residual: str
    months: int = Field(ge=1, le=12)

    @field_validator(*CHOICES)
    @classmethod
    def _known(cls, word: str, info: ValidationInfo) -> str:
        what, allowed = CHOICES[str(info.field_name)]
        refuse(unknown_names([word], what, allowed, f"network.{info.field_name}"))
        return word

    @field_validator("smoothing_years")
    @classmethod
    def _odd_window(cls, years: int) -> int:
        first, last = names.EXPERIMENT_YEARS[names.HISTORICAL]
        if years % 2 == 0 or years > last - first + 1:
            raise ValueError(
                f"a running window has its year in the middle and fits into {first}-{last}; "
                f"expected an odd number of years, 1 for none, got {years}"
            )
        return years

    @field_validator("months")
    @classmethod
    def _months_of_network(cls, months: int, info: ValidationInfo) -> int:
        name = info.data.get("name")
        if months > 1 and name in names.NETWORKS and name not in names.TRAILING:
            raise ValueError(
                f"network {name!r} looks at one month, got {months}; more are for "
                f"{', '.join(names.TRAILING)}"
            )
        return months

    @property
    def has_base(self) -> bool:
        """Whether its maps are added to a simple method, so that it says something untrained."""
        return self.residual != names.NO_RESIDUAL


class Perceptual(Section):
    """VGG16 features: `imagenet` (published weights), `random` (seeded), or a path."""

    weights: str
    width_divisor: Count


class Loss(Section):
    """Weights of the generator's loss terms (Li et al. 2024, equations 4, 7 and 19)."""

    content: NonNegative
    mse: NonNegative
    perceptual: NonNegative
    adversarial: NonNegative
    insitu: NonNegative
    total_variation: NonNegative
    adversarial_form: Literal["ragan", "authors"]


class SweptLoss(Section):
    """Loss weights of fine-tuning; the word `sweep` takes the sweep's best value."""

    content: SweptNonNegative
    mse: SweptNonNegative
    perceptual: SweptNonNegative
    adversarial: SweptNonNegative
    insitu: SweptNonNegative
    total_variation: SweptNonNegative
    adversarial_form: Literal["ragan", "authors"]


class Training(Section):
    """What pre-training and fine-tuning have in common."""

    epochs: int = Field(ge=0)
    patience: Count
    precision: Literal["fp32", "bf16", "auto"]


class Pretrain(Training):
    """Pre-training on ERA5-Land, split by years."""

    train_years: Years
    validation_years: Years
    test_years: Years
    batch: Count
    learning_rate: Positive
    discriminator_learning_rate: Positive
    loss: Loss


class Finetune(Training):
    """Fine-tuning on AMSMQTP, one ensemble member a fold."""

    protocol: Literal["blocked", "shuffled"]
    batch: SweptCount
    learning_rate: SweptPositive
    discriminator_learning_rate: SweptPositive
    loss: SweptLoss
