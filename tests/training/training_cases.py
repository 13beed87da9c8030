"""Small monthly fields with a seasonal cycle, for the tests of this room."""

import numpy as np
import torch

from soilfuse.grids.months import month_axis, month_of
from soilfuse.training.data import Monthly
from soilfuse.training.loop import fit
from soilfuse.training.players import assemble

MODELS, LAYERS, GRID = 3, 5, (7, 9)
CPU = torch.device("cpu")
PLAIN = {  # the paper's kind of network, without a base
    "dropout": 0.0,
    "inputs": "soil_moisture",
    "smoothing_years": 1,
    "static": False,
    "season": False,
    "residual": "none",
}
BEST = {
    "learning_rate": 3e-3,
    "discriminator_learning_rate": 1e-5,
    "loss.perceptual": 0.006,
    "loss.adversarial": 0.001,
    "loss.insitu": 0.01,
}


def monthly(name, channels, years, seed=0):
    """A seasonal cycle with an east-west gradient, and noise."""
    time = month_axis(*years)
    rng = np.random.default_rng(seed)
    season = 0.05 * np.cos(2 * np.pi * month_of(time) / 12)[:, None, None, None]
    east = np.linspace(0.1, 0.4, GRID[1])
    noise = rng.normal(0, 0.01, (time.size, channels, *GRID))
    return Monthly(name, (season + east + noise).astype(np.float32), time)


def boundary():
    mask = np.zeros(GRID, dtype=bool)
    mask[1:-1, 1:-2] = True
    return mask


def run(params, plan, train, validation, state_dir=None, on_epoch=None):
    return fit(assemble(params, plan, train), train, validation, plan, state_dir, on_epoch)
