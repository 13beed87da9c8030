"""Pre-training on ERA5-Land's three layers (Li et al. 2024, section 2.3.5)."""

from pathlib import Path

import torch

from soilfuse import config
from soilfuse.grids.months import month_axis
from soilfuse.seeding import derive_seed
from soilfuse.training import weights
from soilfuse.training.device import FP32, precision_of, reproducible
from soilfuse.training.fields import Fields, Lineage, Trained, described
from soilfuse.training.loop import OnEpoch, fit
from soilfuse.training.plan import Plan
from soilfuse.training.players import assemble
from soilfuse.training.validation import masked_rmse


def pretrain(
    params: config.Params,
    fields: Fields,
    lineage: Lineage,
    device: torch.device,
    state_dir: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Train a generator from nothing on ERA5-Land; see loop.fit for state_dir and on_epoch.

    The manifest holds the RMSE of the validation years, which chose the epoch, and of the test
    years, which chose nothing. That no part leaks into the folds is a rule of config.Params.
    """
    section = params.pretrain
    plan = pretrain_plan(params, precision_of(section.precision, device))
    train = fields.training(month_axis(*section.train_years), device)
    players = assemble(params, plan, train, static=fields.static)
    validation = fields.validation(month_axis(*section.validation_years), device)
    test = fields.validation(month_axis(*section.test_years), device)
    fitted = fit(players, train, validation, plan, state_dir, on_epoch)
    players.generator.load_state_dict(fitted.weights)
    with reproducible(plan.seed, device):
        test_rmse = masked_rmse(players.generator, test, plan.precision)
    manifest = {
        **described(params, lineage, players),
        "network": fields.architecture(params.network),
        "inputs": dict(lineage.inputs),
        "settings": plan.settings(),
        "years": {
            "train": list(section.train_years),
            "validation": list(section.validation_years),
            "test": list(section.test_years),
        },
        "best_epoch": fitted.best_epoch,
        "validation_rmse": fitted.rmse,
        "test_rmse": test_rmse,
        "weights_sha256": weights.sha256(fitted.weights),
    }
    return Trained(fitted.weights, manifest, fitted.history)


def pretrain_plan(params: config.Params, precision: str = FP32) -> Plan:
    """Return the plan that params.yaml:pretrain asks for."""
    section = params.pretrain
    return Plan(
        name="pretrain",
        seed=derive_seed(params.seed, "pretrain"),
        epochs=section.epochs,
        batch=section.batch,
        patience=section.patience,
        learning_rate=section.learning_rate,
        discriminator_learning_rate=section.discriminator_learning_rate,
        loss=section.loss,
        precision=precision,
        counts_untrained=params.network.has_base,
    )
