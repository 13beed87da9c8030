"""How a network learns fine maps from block means: epochs, early stopping, the best weights."""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from soilfuse import names
from soilfuse.config.sample import CoreSize, DownscalingTraining
from soilfuse.errors import UserError
from soilfuse.networks.registry import core
from soilfuse.networks.sizes import Sizes
from soilfuse.progress import progress
from soilfuse.seeding import derive_seed
from soilfuse.training import weights
from soilfuse.training.device import reproducible
from soilfuse.training.downscaling.inputs import Inputs
from soilfuse.training.downscaling.loss import block_mean_square
from soilfuse.training.downscaling.sample import Sample
from soilfuse.training.step import cosine

Record = dict[str, float]
OnEpoch = Callable[[Mapping[str, float]], None]


@dataclass(frozen=True)
class Task:
    """What is learned from: channels, targets, and which steps teach and which stop.

    mean, spread: of the target on the steps that teach; the network's map is in units of spread.
    """

    inputs: Inputs
    sample: Sample
    teaching: np.ndarray
    stopping: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """All observations of the steps that teach."""
        observed = self.sample.smap[self.teaching]
        return np.asarray(observed[np.isfinite(observed)], dtype=np.float64)


class Downscaler(nn.Module):
    """A core of the registry between the channels of steps and moisture in m3 m-3."""

    mean: Tensor
    spread: Tensor

    def __init__(self, name: str, size: CoreSize, task: Task) -> None:
        """Build the network called `name` for a task's channels and target."""
        super().__init__()
        self.inputs, self.trailing = task.inputs, name in names.TRAILING
        steps, variables = task.inputs.steps, task.inputs.variables
        self.core = core(
            name,
            Sizes(
                models=variables * (1 if self.trailing else steps),
                extra=len(task.inputs.maps),
                layers=1,
                width=size.width,
                depth=size.depth,
                dropout=size.dropout,
                months=steps if self.trailing else 1,
            ),
        )
        self.register_buffer("mean", torch.tensor(task.seen.mean(), dtype=torch.float32))
        self.register_buffer("spread", torch.tensor(task.seen.std() or 1.0, dtype=torch.float32))

    def forward(self, channels: Tensor) -> Tensor:
        """Map (B, K, V + S, H, W) or (B, K V + S, H, W) to (B, H, W) in units of the spread."""
        maps: Tensor = self.core(channels)
        return maps[:, 0]

    def channels(self, at: np.ndarray) -> Tensor:
        """Return what the network sees of the steps `at`, on its device."""
        made = self.inputs.series(at) if self.trailing else self.inputs.stacked(at)
        return torch.from_numpy(made).to(self.mean.device)

    def targets(self, observed: np.ndarray) -> Tensor:
        """Return (B, h, w) moisture in units of the spread, NaN where not observed."""
        values = torch.from_numpy(observed).to(self.mean.device)
        return (values - self.mean) / self.spread

    @torch.inference_mode()
    def predict(self, at: np.ndarray, batch: int) -> np.ndarray:
        """Return (N, H, W) float32 m3 m-3 at the steps `at`."""
        self.eval()
        parts = [
            self(self.channels(at[start : start + batch])) * self.spread + self.mean
            for start in range(0, len(at), batch)
        ]
        return np.asarray(torch.cat(parts).cpu().numpy())


@dataclass(frozen=True)
class Fitted:
    """A network with the weights of its best epoch (from 1), its error, and all records."""

    network: Downscaler
    best_epoch: int
    rmse: float
    history: list[Record]


def fit(
    name: str,
    size: CoreSize,
    task: Task,
    plan: DownscalingTraining,
    seed: int,
    device: torch.device,
    on_epoch: OnEpoch | None = None,
) -> Fitted:
    """Train until the epochs are done or `patience` of them brought no better stopping error.

    Errors are m3 m-3 of block means. Raises UserError where the error is never finite.
    """
    with reproducible(derive_seed(seed, "downscaling", name), device):
        network = Downscaler(name, size, task).to(device)
        optimizer = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
        order = np.random.default_rng(derive_seed(seed, "downscaling", name, "order"))
        best: weights.Weights = {}
        best_epoch, least, history = 0, math.inf, []
        for epoch in progress(range(1, plan.epochs + 1), name):
            rate = plan.learning_rate * cosine(epoch - 1, plan.epochs)
            loss = _epoch(network, optimizer, task, plan.batch, order, rate)
            rmse = stopping_rmse(network, task, plan.batch)
            history.append({"epoch": epoch, "train_mse": loss, "stopping_rmse": rmse})
            if on_epoch is not None:
                on_epoch(history[-1])
            if rmse < least:
                best, best_epoch, least = copy.deepcopy(network.state_dict()), epoch, rmse
            if epoch - best_epoch >= plan.patience:
                break
        if not best:
            raise UserError(
                f"{name}: the stopping error was never finite at learning rate "
                f"{plan.learning_rate:g}; expected a number: lower params.yaml:train.learning_rate"
            )
        network.load_state_dict(best)
    return Fitted(network, best_epoch, least, history)


def _epoch(
    network: Downscaler,
    optimizer: torch.optim.Optimizer,
    task: Task,
    batch: int,
    order: np.random.Generator,
    rate: float,
) -> float:
    for group in optimizer.param_groups:
        group["lr"] = rate
    network.train()
    shuffled, losses = order.permutation(task.teaching), []
    for start in range(0, len(shuffled), batch):
        at = shuffled[start : start + batch]
        observed = network.targets(task.sample.smap[at])
        loss = block_mean_square(network(network.channels(at)), observed, task.sample.block)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return float(torch.stack(losses).mean())


@torch.inference_mode()
def stopping_rmse(network: Downscaler, task: Task, batch: int) -> float:
    """Return the RMSE of block means in m3 m-3 over all observations of the stopping steps."""
    network.eval()
    total, count = 0.0, 0
    for start in range(0, len(task.stopping), batch):
        at = task.stopping[start : start + batch]
        observed = network.targets(task.sample.smap[at])
        seen = int(observed.isfinite().sum())
        mean = block_mean_square(network(network.channels(at)), observed, task.sample.block)
        total, count = total + float(mean) * seen, count + seen
    return math.sqrt(total / count) * float(network.spread)
