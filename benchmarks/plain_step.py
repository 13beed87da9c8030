"""The paper's training step as one would write it down from its equations."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from soilfuse.training.data import TrainingData
from soilfuse.training.plan import Plan
from soilfuse.training.players import Players

TRIPLES = (slice(0, 3), slice(2, 5))  # the layers that VGG16 sees
Losses = dict[str, Tensor]


@dataclass
class Plain:
    """All in float32; nothing is computed ahead, shared between passes, or compiled."""

    players: Players
    plan: Plan
    data: TrainingData

    def __post_init__(self) -> None:
        """Give each network its optimiser."""
        generator, judge = self.players.generator, self.players.discriminator
        self.optimizer = torch.optim.Adam(generator.parameters(), self.plan.learning_rate)
        rate = self.plan.discriminator_learning_rate
        self.judge_optimizer = torch.optim.Adam(judge.parameters(), rate)

    def __call__(self) -> Losses:
        """Train the generator, then the discriminator, on all months; return each loss."""
        data, judge = self.data, self.players.discriminator
        made = self.players.generator(data.inputs, data.calendar)
        seen = torch.where(data.mask, made, data.target)
        real, fake = judge(data.target), judge(seen)
        losses = {
            "mse": self.mean_inside((made - data.target) ** 2),
            "perceptual": self.perceptual(seen),
            "adversarial": relativistic(fake, real),
            "insitu": self.mean_inside(data.probability * (data.insitu - made) ** 2),
            "total_variation": self.total_variation(made),
        }
        self.optimizer.zero_grad()
        sum(self.plan.factors[name] * loss for name, loss in losses.items()).backward()
        self.optimizer.step()
        self.judge_optimizer.zero_grad()
        losses["discriminator"] = relativistic(judge(data.target), judge(seen.detach()))
        losses["discriminator"].backward()
        self.judge_optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def mean_inside(self, values: Tensor) -> Tensor:
        """Return the mean over cells inside the boundary."""
        return values[..., self.data.mask].mean()

    def perceptual(self, seen: Tensor) -> Tensor:
        """Return the mean squared distance of VGG16 features over both triples of layers."""
        vgg, target = self.players.perceptual.vgg, self.data.target
        parts = [functional.mse_loss(vgg(seen[:, t]), vgg(target[:, t])) for t in TRIPLES]
        return torch.stack(parts).mean()

    def total_variation(self, made: Tensor) -> Tensor:
        """Return the squared differences of neighbours inside, summed over an image."""
        mask = self.data.mask
        rows = (made[..., 1:, :] - made[..., :-1, :]) ** 2 * (mask[1:] & mask[:-1])
        columns = (made[..., 1:] - made[..., :-1]) ** 2 * (mask[:, 1:] & mask[:, :-1])
        return (rows.sum() + columns.sum()) / len(made)


def relativistic(high: Tensor, low: Tensor) -> Tensor:
    """Return the relativistic average loss that wants the logits `high` above `low`."""
    bce = functional.binary_cross_entropy_with_logits
    return bce(high - low.mean(), torch.ones_like(high)) + bce(
        low - high.mean(), torch.zeros_like(low)
    )
