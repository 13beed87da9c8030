"""The training loop: early stopping, checkpoints, and going on after an interruption."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from soilfuse.errors import UserError
from soilfuse.progress import progress
from soilfuse.seeding import derive_seed
from soilfuse.training import checkpoints, ranks, weights
from soilfuse.training.data import TrainingData
from soilfuse.training.device import reproducible
from soilfuse.training.fingerprint import fingerprint
from soilfuse.training.plan import Plan
from soilfuse.training.players import Players
from soilfuse.training.run import Record, Run

OnEpoch = Callable[[Record], None]
CHECKPOINT_SHARE = 0.05  # at most this share of the time goes into writing checkpoints


class DivergedError(UserError):
    """No epoch gave a finite validation error."""


@dataclass(frozen=True)
class Fitted:
    """The weights of the best epoch, its masked RMSE in m3 m-3, all records.

    Epochs are counted from 1; 0 is the network before its first one, where the plan counts that.
    """

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
    epoch, those of before an interruption again, so that one listener hears of all of them; of
    several ranks the first one's is called.
    Raises DivergedError where no epoch has a finite validation RMSE, UserError where the loss
    needs what the data lack, or where a checkpoint cannot be written: the last one is then kept.
    """
    _refuse_unfit(players, train, plan)
    with reproducible(derive_seed(plan.seed, "training"), train.mask.device):
        keeper = None
        if state_dir is not None:
            keeper = _Keeper(state_dir, fingerprint(players, train, validation, plan), plan.name)
        run = Run(players, train, plan)
        if keeper is not None:
            keeper.resume(run)
        run.begin(validation)
        tell = on_epoch if ranks.is_first() and on_epoch is not None else _unheard
        for record in run.history:
            tell(record)
        for _ in _epochs(run):
            record = run.epoch(validation)
            if keeper is not None:
                keeper.keep(run)
            tell(record)
        if keeper is not None:
            keeper.finish(run)
    scores = [record["validation_rmse"] for record in run.history]
    if not run.best or (scores and not any(map(math.isfinite, scores))):
        if state_dir is not None and ranks.is_first():
            checkpoints.clear(state_dir)
        raise DivergedError(
            f"{plan.name}: the validation error was never finite at learning rate "
            f"{plan.learning_rate:g}; expected a number: lower the learning rates or loss weights "
            "in params.yaml"
        )
    return Fitted(run.best, run.best_epoch, run.rmse, run.history)


def _epochs(run: Run) -> Iterator[int]:
    """Give the epochs that are left, until training brings nothing more, in one progress line."""
    done, plan = len(run.history), run.plan
    bar = progress(range(done, plan.epochs), plan.name, total=plan.epochs)
    bar.disable = bar.disable or not ranks.is_first()
    bar.unit, bar.initial, bar.n = "epoch", done, done
    with bar:
        for epoch in range(done, plan.epochs):
            if run.stale >= plan.patience:
                break
            yield epoch
            rmse = run.history[-1]["validation_rmse"]
            best = f"best {run.rmse:.4f} in epoch {run.best_epoch}"
            bar.update()
            bar.set_postfix_str(f"validation RMSE {rmse:.4f}, {best}")


def _unheard(_: Record) -> None:
    """Hear no record."""


class _Keeper:
    """Writes checkpoints as often as is cheap; of several ranks the first alone."""

    def __init__(self, state_dir: Path, fingerprint: str, name: str) -> None:
        self.state_dir, self.fingerprint, self.name = state_dir, fingerprint, name
        self.saved_at, self.took, self.kept = -math.inf, 0.0, 0
        if ranks.is_first():
            checkpoints.prepare(state_dir, fingerprint)

    def resume(self, run: Run) -> None:
        if not ranks.is_first():
            ranks.wait_for_all()  # the first sets a damaged file aside, and only once
        state = checkpoints.load(self.state_dir, self.fingerprint)
        if ranks.is_first():
            ranks.wait_for_all()
        ranks.wait_for_all()  # the first may go on to remove a finished training's file
        if state:
            run.resume(state)
            self.kept = len(run.history)
        if not ranks.agree(len(run.history), run.train.mask.device):
            raise UserError(
                f"{self.name}: the processes go on from different epochs (this one from "
                f"{self.kept}); expected one checkpoint for all: share '{self.state_dir}' between "
                "the machines, or remove it on all of them"
            )

    def keep(self, run: Run) -> None:
        began = time.monotonic()
        if not ranks.is_first() or began - self.saved_at < self.took / CHECKPOINT_SHARE:
            return
        self._save(run)
        self.saved_at = time.monotonic()
        self.took = self.saved_at - began

    def finish(self, run: Run) -> None:
        if not ranks.is_first():
            return
        if self.kept < len(run.history):  # else the same command would train the last epochs again
            self._save(run)
        checkpoints.finish(self.state_dir, self.fingerprint)

    def _save(self, run: Run) -> None:
        try:
            checkpoints.save(self.state_dir, self.fingerprint, run.state())
        except OSError as error:
            raise self._refused(len(run.history), error) from None
        self.kept = len(run.history)

    def _refused(self, epoch: int, error: OSError) -> UserError:
        kept = f"the checkpoint of epoch {self.kept} is kept" if self.kept else "none is there yet"
        return UserError(
            f"{self.name}: no checkpoint of epoch {epoch} can be written to the folder "
            f"'{self.state_dir}' ({error.strerror}); {kept}: free space or mend the folder, and "
            "the same command goes on"
        )


def _refuse_unfit(players: Players, train: TrainingData, plan: Plan) -> None:
    # A sweep's trials train as params.yaml:finetune says.
    section = "pretrain" if plan.name.startswith("pretrain") else "finetune"
    if "insitu" in plan.factors and (train.insitu is None or train.probability is None):
        raise UserError(
            f"{plan.name}: loss.insitu is {plan.loss.insitu:g} but there is no station field; "
            f"expected 0 without one: edit params.yaml:{section}.loss.insitu"
        )
    smallest = len(train) // math.ceil(len(train) / plan.batch)
    if players.discriminator is not None and smallest < 2:
        raise UserError(
            f"{plan.name}: batches of {smallest} image; the discriminator's batch normalisation "
            f"needs 2 or more: edit params.yaml:{section}.batch"
        )
