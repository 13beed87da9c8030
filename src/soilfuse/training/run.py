"""The mutable state of one training run: what an epoch changes and a checkpoint keeps."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from soilfuse.errors import UserError
from soilfuse.seeding import derive_seed
from soilfuse.training import ranks
from soilfuse.training.compiling import compile_where_it_pays
from soilfuse.training.data import TrainingData
from soilfuse.training.device import autocast, random_state, restore_random_state
from soilfuse.training.plan import Plan
from soilfuse.training.players import Players
from soilfuse.training.step import Batch, Step, cosine
from soilfuse.training.validation import BATCH, masked_rmse
from soilfuse.training.weights import Weights

Record = dict[str, float]


class Run:
    """Networks, optimisers, the records of all epochs, and the best weights so far."""

    def __init__(self, players: Players, train: TrainingData, plan: Plan) -> None:
        """Begin at the first epoch; torch's random generators are to be seeded already."""
        _refuse_small_batches(len(train), plan)
        self.players, self.train, self.plan = players, train, plan
        self.step = Step(players, plan, train.mask)
        self.features = _target_features(players, train, plan)
        compile_where_it_pays(players, train, plan.precision)
        self.history: list[Record] = []
        self.best: Weights = {}
        self.best_epoch, self.rmse = 0, math.inf

    @property
    def stale(self) -> int:
        """Epochs since the best one, or since the beginning where none was finite."""
        return len(self.history) - self.best_epoch

    def begin(self, validation: TrainingData) -> None:
        """Score the generator before its first epoch, where the plan lets it count as epoch 0."""
        if self.plan.counts_untrained and not self.history:
            self._judge(masked_rmse(self.players.generator, validation, self.plan.precision))

    def epoch(self, validation: TrainingData) -> Record:
        """Train one epoch, validate, keep the weights if they are the best; return the record."""
        number = len(self.history)
        losses, rate = self._train_epoch(number)
        rmse = masked_rmse(self.players.generator, validation, self.plan.precision)
        record = {
            "epoch": float(number + 1),
            **{f"train_{name}": loss for name, loss in losses.items()},
            "validation_rmse": rmse,
            "learning_rate": self.plan.learning_rate * rate,
        }
        if self.players.discriminator is not None:
            record["discriminator_learning_rate"] = self.plan.discriminator_learning_rate * rate
        self.history.append(record)
        self._judge(rmse)
        return record

    def state(self) -> dict[str, Any]:
        """Return all that the next epoch depends on."""
        return {
            **{name: part.state_dict() for name, part in self._parts().items()},
            "random": random_state(self.train.mask.device),
            "history": self.history,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "rmse": self.rmse,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state` returned."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        restore_random_state(state["random"])
        self.history, self.best = state["history"], state["best"]
        self.best_epoch, self.rmse = state["best_epoch"], state["rmse"]

    def _judge(self, rmse: float) -> None:
        """Keep the weights if they are the best so far; NaN never is."""
        if rmse < self.rmse:
            self.best, self.best_epoch = _copy(self.players.generator), len(self.history)
            self.rmse = rmse

    def _train_epoch(self, epoch: int) -> tuple[dict[str, float], float]:
        self.players.generator.train()
        batches = self._batches(epoch)
        steps = self.plan.epochs * len(batches)
        sums: dict[str, Tensor] = {}
        rate = 1.0
        for number, places in enumerate(batches, start=epoch * len(batches)):
            rate = cosine(number, steps)
            batch = self._batch(places)
            share = len(batch.target) / len(self.train)
            for name, loss in self.step(batch, rate).items():
                sums[name] = sums.get(name, 0.0) + share * loss
        totals = ranks.total(torch.stack(list(sums.values()))).tolist()
        return dict(zip(sums, totals, strict=True)), rate

    def _batches(self, epoch: int) -> list[Tensor]:
        """Return the places of the months of each batch, the same on all ranks."""
        if not ranks.is_first():  # dropout of other ranks, also of ones that were resumed
            torch.manual_seed(derive_seed(self.plan.seed, "rank", ranks.rank(), epoch))
        device = self.train.mask.device
        batches = shuffled_batches(len(self.train), self.plan.batch)
        return [ranks.from_first(places.to(device)) for places in batches]

    def _batch(self, places: Tensor) -> Batch:
        data = self.train
        stations = data if "insitu" in self.step.factors else None
        own = places[ranks.own_part(len(places))]
        return Batch(
            inputs=data.inputs_at(own),
            calendar=data.calendar[own],
            target=data.target[own],
            insitu=_at(stations.insitu, own) if stations else None,
            probability=_at(stations.probability, own) if stations else None,
            features=None if self.features is None else self.features[:, own],
            share=len(own) / len(places),
        )

    def _parts(self) -> dict[str, Any]:
        parts = {
            "generator": self.players.generator,
            "optimizer": self.step.optimizer,
            "discriminator": self.players.discriminator,
            "discriminator_optimizer": self.step.discriminator_optimizer,
        }
        return {name: part for name, part in parts.items() if part is not None}


def shuffled_batches(count: int, batch: int) -> list[Tensor]:
    """Return the places 0 to count - 1 in random order, in batches whose sizes differ by at most 1.

    Batches of nearly one size keep a last batch from being too small for batch normalisation.
    """
    return list(torch.randperm(count).tensor_split(math.ceil(count / batch)))


def _refuse_small_batches(count: int, plan: Plan) -> None:
    smallest = count // math.ceil(count / plan.batch)
    if smallest < ranks.size():
        raise UserError(
            f"{plan.name}: batches of {smallest} months for {ranks.size()} devices; expected a "
            "month a device or more: raise the stage's batch or lower compute.devices in "
            "params.yaml"
        )


def _at(field: Tensor | None, places: Tensor) -> Tensor | None:
    return None if field is None else field[places]


def _copy(network: nn.Module) -> Weights:
    # clone, because on the CPU the rest would share memory with the weights in training
    return {name: w.detach().cpu().contiguous().clone() for name, w in network.state_dict().items()}


@torch.no_grad()
def _target_features(players: Players, train: TrainingData, plan: Plan) -> Tensor | None:
    """VGG16's features of all targets, once: they are 1/32 of the grid and never change."""
    if players.perceptual is None:
        return None
    with autocast(train.mask.device, plan.precision):
        parts = [players.perceptual.features(part) for part in train.target.split(BATCH)]
    return torch.cat(parts, dim=1).float()
