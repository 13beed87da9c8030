"""A network trained afresh on one fold's months, and what it says of those held out."""

from pathlib import Path

import numpy as np
import torch

from soilfuse import config, names
from soilfuse.seeding import derive_seed
from soilfuse.training.device import precision_of
from soilfuse.training.fields import Fields
from soilfuse.training.folds import Fold
from soilfuse.training.loop import fit
from soilfuse.training.plan import Plan
from soilfuse.training.players import assemble
from soilfuse.training.validation import BATCH

ERROR_ALONE = config.Loss(
    content=1.0,
    mse=1.0,
    perceptual=0.0,
    adversarial=0.0,
    insitu=0.0,
    total_variation=0.0,
    adversarial_form="ragan",
)


def paper_form(params: config.Params) -> config.Params:
    """Return the same with a network that sees and says soil moisture as it is, like the paper's.

    Its weather is neither smoothed away nor is its output added to a climatology.
    """
    form = {"inputs": names.SOIL_MOISTURE, "residual": names.NO_RESIDUAL, "smoothing_years": 1}
    return params.model_copy(update={"network": params.network.model_copy(update=form)})


def held_out(
    params: config.Params,
    fold: Fold,
    fields: Fields,
    device: torch.device,
    name: str,
    state_dir: Path | None = None,
) -> np.ndarray:
    """Train params.network as params.leakage says, without pre-training and on its error alone.

    Returns the (T, D, H, W) m3 m-3 that it says of the fold's outer months, with the weights of the
    epoch in which the inner months' error was least. state_dir: as of training.loop.fit.
    """
    settings = params.leakage
    plan = Plan(
        name=name,
        seed=derive_seed(params.seed, "leakage", fold.index),
        epochs=settings.epochs,
        batch=settings.batch,
        patience=settings.patience,
        learning_rate=settings.learning_rate,
        discriminator_learning_rate=settings.learning_rate,  # there is none
        loss=ERROR_ALONE,
        precision=precision_of(settings.precision, device),
        counts_untrained=params.network.has_base,
    )
    train, inner = (fields.validation(months, device) for months in (fold.train, fold.inner))
    players = assemble(params, plan, train, None, fields.static)
    fitted = fit(players, train, inner, plan, state_dir)
    generator, asked = players.generator, fields.validation(fold.outer, device)
    generator.load_state_dict(fitted.weights)
    generator.eval()
    with torch.inference_mode():
        parts = [
            generator(asked.inputs_at(slice(start, start + BATCH)), asked.calendar[start:][:BATCH])
            for start in range(0, len(asked), BATCH)
        ]
    return torch.cat(parts).float().cpu().numpy()
