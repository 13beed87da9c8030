"""The training loop: early stopping, checkpoints, and going on after an interruption."""

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

import soilfuse
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_content
from soilfuse.progress import progress
from soilfuse.training import checkpoints, weights
from soilfuse.training.data import TrainingData
from soilfuse.training.device import reproducible
from soilfuse.training.plan import Plan, Players
from soilfuse.training.run import Record, Run

OnEpoch = Callable[[Record], None]
CHECKPOINT_SHARE = 0.05  # at most this share of the time goes into writing checkpoints


class DivergedError(UserError):
    """No epoch gave a finite validation error."""


@dataclass(frozen=True)
class Fitted:
    """The weights of the best epoch (counted from 1), its masked RMSE in m3 m-3, all records."""

    weights: weights.Weights
    best_epoch: int
    rmse: float
    history: list[Record]


def fit(
    players: Players,
    train: TrainingData,
    validation: TrainingData,
    plan: Plan,
    state_dir: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> Fitted:
    """Train until the epochs are done or `patience` epochs brought no better validation RMSE.

    state_dir: where the state after an epoch is kept, so that the same call goes on after an
    interruption and ends in the same bytes; None keeps nothing. on_epoch: given one record an
    epoch, those of before an interruption again, so that one listener hears of all of them.
    Raises DivergedError where no epoch has a finite validation RMSE, UserError where the loss
    needs what the data lack.
    """
    _refuse_unfit(players, train, plan)
    with reproducible(plan.seed, train.mask.device):
        run = Run(players, train, plan)
        keeper = None
        if state_dir is not None:
            keeper = _Keeper(state_dir, _fingerprint(players, train, validation, plan))
            keeper.resume(run)
        for record in run.history if on_epoch else []:
            on_epoch(record)  # type: ignore[misc]
        for _ in progress(range(len(run.history), plan.epochs), plan.name):
            if run.stale >= plan.patience:
                break
            record = run.epoch(validation)
            if keeper is not None:
                keeper.keep(run)
            if on_epoch is not None:
                on_epoch(record)
    if not run.best:
        raise DivergedError(
            f"{plan.name}: the validation error was never finite at learning rate "
            f"{plan.learning_rate:g}; expected a number: lower the learning rates or loss weights "
            "in params.yaml"
        )
    return Fitted(run.best, run.best_epoch, run.rmse, run.history)


class _Keeper:
    """Writes checkpoints as often as is cheap."""

    def __init__(self, state_dir: Path, fingerprint: str) -> None:
        self.state_dir, self.fingerprint = state_dir, fingerprint
        self.saved_at, self.took = -math.inf, 0.0

    def resume(self, run: Run) -> None:
        if state := checkpoints.load(self.state_dir, self.fingerprint):
            run.resume(state)

    def keep(self, run: Run) -> None:
        began = time.monotonic()
        if began - self.saved_at >= self.took / CHECKPOINT_SHARE:
            checkpoints.save(self.state_dir, self.fingerprint, run.state())
            self.saved_at = time.monotonic()
            self.took = self.saved_at - began


def _refuse_unfit(players: Players, train: TrainingData, plan: Plan) -> None:
    stage = plan.name.split()[0]
    if "insitu" in plan.factors and (train.insitu is None or train.probability is None):
        raise UserError(
            f"{plan.name}: loss.insitu is {plan.loss.insitu:g} but there is no station field; "
            f"expected 0 without one: edit params.yaml:{stage}.loss.insitu"
        )
    smallest = len(train) // math.ceil(len(train) / plan.batch)
    if players.discriminator is not None and smallest < 2:
        raise UserError(
            f"{plan.name}: batches of {smallest} image; the discriminator's batch normalisation "
            f"needs 2 or more: edit params.yaml:{stage}.batch"
        )


def _fingerprint(
    players: Players, train: TrainingData, validation: TrainingData, plan: Plan
) -> str:
    """Hash all that decides the result: versions, settings, seed, first weights and data."""
    digest = hashlib.blake2b()
    for data in (train, validation):
        for field in (data.inputs, data.target, data.mask, data.insitu, data.probability):
            digest.update(b"none" if field is None else field.cpu().contiguous().numpy().tobytes())
    networks = (players.generator, players.discriminator, players.perceptual)
    return sha256_of_content(
        {
            "versions": [soilfuse.__version__, torch.__version__, train.mask.device.type],
            "plan": {**asdict(plan), "loss": plan.loss.model_dump()},
            "weights": [weights.sha256(n.state_dict()) if n is not None else "" for n in networks],
            "data": digest.hexdigest(),
        }
    )
