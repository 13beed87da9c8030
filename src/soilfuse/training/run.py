"""The mutable state of one training run: what an epoch changes and a checkpoint keeps."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from soilfuse.training.data import TrainingData
from soilfuse.training.device import autocast, random_state, restore_random_state
from soilfuse.training.plan import Plan, Players
from soilfuse.training.step import Batch, Step, cosine
from soilfuse.training.validation import BATCH, masked_rmse
from soilfuse.training.weights import Weights

Record = dict[str, float]


class Run:
    """Networks, optimisers, the records of all epochs, and the best weights so far."""

    def __init__(self, players: Players, train: TrainingData, plan: Plan) -> None:
        """Begin at the first epoch; torch's random generators are to be seeded already."""
        self.players, self.train, self.plan = players, train, plan
        self.step = Step(players, plan, train.mask)
        self.features = _target_features(players, train, plan)
        self.history: list[Record] = []
        self.best: Weights = {}
        self.best_epoch, self.rmse = 0, math.inf

    @property
    def stale(self) -> int:
        """Epochs since the best one, or since the beginning where none was finite."""
        return len(self.history) - self.best_epoch

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
        if rmse < self.rmse:  # never true of NaN
            self.best, self.best_epoch = _copy(self.players.generator), number + 1
            self.rmse = rmse
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

    def _train_epoch(self, epoch: int) -> tuple[dict[str, float], float]:
        self.players.generator.train()
        batches = shuffled_batches(len(self.train), self.plan.batch)
        steps = self.plan.epochs * len(batches)
        sums: dict[str, Tensor] = {}
        rate = 1.0
        for number, places in enumerate(batches, start=epoch * len(batches)):
            rate = cosine(number, steps)
            share = len(places) / len(self.train)
            for name, loss in self.step(self._batch(places), rate).items():
                sums[name] = sums.get(name, 0.0) + share * loss
        return {name: total.item() for name, total in sums.items()}, rate

    def _batch(self, places: Tensor) -> Batch:
        data = self.train
        places = places.to(data.mask.device)
        stations = data if "insitu" in self.step.factors else None
        return Batch(
            inputs=data.inputs[places],
            target=data.target[places],
            insitu=_at(stations.insitu, places) if stations else None,
            probability=_at(stations.probability, places) if stations else None,
            features=None if self.features is None else self.features[:, places],
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
