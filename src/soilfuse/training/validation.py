"""The score that stops training and selects weights."""

import math

import torch
from torch import nn

from soilfuse.training import ranks
from soilfuse.training.data import TrainingData
from soilfuse.training.device import autocast

BATCH = 64  # months at a time; no result depends on it beyond rounding


@torch.no_grad()
def masked_rmse(generator: nn.Module, data: TrainingData, precision: str) -> float:
    """Return the generator's RMSE in m3 m-3 over cells inside, layers and months; NaN if any is.

    Each of several ranks takes a part of the months, so all of them must ask.
    """
    generator.eval()
    total = torch.zeros((), dtype=torch.float64, device=data.mask.device)
    own = ranks.own_part(len(data))
    for start in range(own.start, own.stop, BATCH):
        part = slice(start, min(start + BATCH, own.stop))
        with autocast(data.mask.device, precision):
            made = generator(data.inputs_at(part), data.calendar[part])
        error = (made.float() - data.target[part]).square()
        total += torch.where(data.mask, error, 0.0).sum(dtype=torch.float64)
    count = int(data.mask.sum()) * data.target.shape[0] * data.target.shape[1]
    return math.sqrt(ranks.total(total).item() / count)
