"""What one training run is told: its settings, resolved."""

from collections.abc import Mapping
from dataclasses import dataclass

from soilfuse import config, names
from soilfuse.errors import UserError
from soilfuse.seeding import derive_seed
from soilfuse.training.device import FP32

SweptValue = float | int | str
LEARNING_RATES = ("learning_rate", "discriminator_learning_rate")
BATCH = "batch"
ADVERSARIAL_FORM = "adversarial_form"


@dataclass(frozen=True)
class Plan:
    """Settings of one run; `name` stands in progress lines and errors.

    counts_untrained: whether the generator says something before it is trained, and may stay so.
    """

    name: str
    seed: int
    epochs: int
    batch: int
    patience: int
    learning_rate: float
    discriminator_learning_rate: float
    loss: config.Loss
    precision: str = FP32
    counts_untrained: bool = False

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
        """Return the settings of this training, for a manifest."""
        return {
            "epochs": self.epochs,
            "batch": self.batch,
            "patience": self.patience,
            "learning_rate": self.learning_rate,
            "discriminator_learning_rate": self.discriminator_learning_rate,
            "loss": self.loss.model_dump(),
            "precision": self.precision,
        }


def swept_values(finetune: config.Finetune) -> dict[str, SweptValue]:
    """Return fine-tuning's numbers, and the word `sweep` where it stands, by flat name."""
    loss = finetune.loss.model_dump(exclude={ADVERSARIAL_FORM})
    others = {name: getattr(finetune, name) for name in (*LEARNING_RATES, BATCH)}
    return {**others, **{f"loss.{name}": value for name, value in loss.items()}}


def finetune_plan(
    params: config.Params, fold: int, best: Mapping[str, SweptValue], precision: str = FP32
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
    """Return a fold's plan with every flat value of fine-tuning a number."""
    finetune = params.finetune
    numbers = {name: float(values[name]) for name in swept_values(finetune)}
    loss = {n.removeprefix("loss."): v for n, v in numbers.items() if n.startswith("loss.")}
    return Plan(
        name=f"finetune fold {fold}",
        seed=derive_seed(params.seed, "finetune", fold),
        epochs=finetune.epochs,
        batch=int(numbers[BATCH]),
        patience=finetune.patience,
        learning_rate=numbers["learning_rate"],
        discriminator_learning_rate=numbers["discriminator_learning_rate"],
        loss=config.Loss(**loss, adversarial_form=finetune.loss.adversarial_form),
        precision=precision,
        counts_untrained=params.network.has_base,
    )
