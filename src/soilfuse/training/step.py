"""One step of both networks, with each network run once on each image.

The generator's output is cut from its graph and made a leaf: VGG16, the discriminator and the other
terms send their gradient there, and only the sum goes back through the generator. The discriminator
learns from the same two passes. So four discriminator passes become two, and neither network
computes weight gradients of the other. The result is that of a generator step followed by a
discriminator step on the same images, as in the released code.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from soilfuse.training import losses, ranks
from soilfuse.training.device import autocast
from soilfuse.training.plan import Plan
from soilfuse.training.players import Players

ADVERSARIAL = "adversarial"


@dataclass(frozen=True)
class Batch:
    """Images of B months; features (K, B, C, h, w) are VGG16's of the target.

    calendar: (B,) int64, 0 is January; share: of the images of all ranks that are these.
    """

    inputs: Tensor
    calendar: Tensor
    target: Tensor
    insitu: Tensor | None
    probability: Tensor | None
    features: Tensor | None
    share: float = 1.0


def cosine(step: int, steps: int) -> float:
    """Return the share of the learning rate at a step, from 1 at step 0 towards 0 at `steps`."""
    return 0.5 * (1 + math.cos(math.pi * step / steps))


class Step:
    """The optimisers of both networks, and what one batch does to them."""

    def __init__(self, players: Players, plan: Plan, mask: Tensor) -> None:
        """Take networks that are already on the mask's device."""
        self.players, self.plan, self.mask = players, plan, mask
        ranks.synchronise_norms([players.generator, players.discriminator])
        self.factors = plan.factors
        self.optimizer = torch.optim.Adam(
            players.generator.parameters(), lr=plan.learning_rate, fused=True
        )
        self.discriminator_optimizer = None
        if players.discriminator is not None:
            self.discriminator_optimizer = torch.optim.Adam(
                players.discriminator.parameters(), lr=plan.discriminator_learning_rate, fused=True
            )

    def __call__(self, batch: Batch, rate: float) -> dict[str, Tensor]:
        """Train on one batch at `rate` times the learning rates; return each loss by itself.

        Of several ranks, each returns the losses of its own images, the adversarial ones of all.
        """
        self._set_rates(rate)
        self.players.generator.zero_grad(set_to_none=True)
        with autocast(self.mask.device, self.plan.precision):
            made = self.players.generator(batch.inputs, batch.calendar)
        seen = losses.inside(made.detach().float(), batch.target, self.mask).requires_grad_()
        terms, logits = self._terms(seen, batch)
        # a mean over own images counts by their share; a loss of everyone's logits is whole
        shares = {name: 1.0 if name == ADVERSARIAL else batch.share for name in terms}
        weighted = [self.factors[name] * shares[name] * term for name, term in terms.items()]
        torch.stack(weighted).sum().backward(inputs=[seen], retain_graph=logits is not None)
        if logits is not None:
            terms["discriminator"] = self._train_discriminator(*logits)
        assert seen.grad is not None
        made.backward(torch.where(self.mask, seen.grad, 0.0).to(made.dtype))
        ranks.add_up_gradients(self.players.generator)
        self.optimizer.step()
        parts = {name: term.detach() for name, term in terms.items()}
        total = torch.stack([self.factors[name] * parts[name] for name in shares]).sum()
        return {"loss": total, **parts}

    def _terms(
        self, seen: Tensor, batch: Batch
    ) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor] | None]:
        terms, logits = {}, None
        if "mse" in self.factors:
            terms["mse"] = losses.mean_square(seen, batch.target, self.mask)
        if self.players.perceptual is not None:
            with autocast(self.mask.device, self.plan.precision):
                terms["perceptual"] = self.players.perceptual(seen, batch.features)
        if self.players.discriminator is not None:
            with autocast(self.mask.device, self.plan.precision):
                real = self.players.discriminator(batch.target)
                fake = self.players.discriminator(seen)
            logits = ranks.everyones(real), ranks.everyones(fake)
            form = self.plan.loss.adversarial_form
            terms[ADVERSARIAL] = losses.generator_loss(*logits, form)
        if batch.insitu is not None and batch.probability is not None:
            terms["insitu"] = losses.insitu(seen, batch.insitu, batch.probability, self.mask)
        if "total_variation" in self.factors:
            terms["total_variation"] = losses.total_variation(seen, self.mask)
        return terms, logits

    def _train_discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        assert self.players.discriminator is not None
        assert self.discriminator_optimizer is not None
        self.players.discriminator.zero_grad(set_to_none=True)
        loss = losses.discriminator_loss(real, fake)
        loss.backward(inputs=list(self.players.discriminator.parameters()))
        ranks.add_up_gradients(self.players.discriminator)
        self.discriminator_optimizer.step()
        return loss

    def _set_rates(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * rate
        if self.discriminator_optimizer is not None:
            for group in self.discriminator_optimizer.param_groups:
                group["lr"] = self.plan.discriminator_learning_rate * rate
