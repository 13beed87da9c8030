"""What a generator knows of its training months before it learns: climatologies and spreads."""

import numpy as np
import torch
from torch import Tensor

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.grids.climatology import monthly_climatology, smooth_climatology
from soilfuse.networks.generator import Around, mean_of_models
from soilfuse.training.data import TrainingData

SMALLEST_SPREAD = 1e-4  # m3 m-3; a climate model that varies less says nothing


def around(train: TrainingData, static: np.ndarray | None, inputs: str, residual: bool) -> Around:
    """Return the buffers of a generator that is trained on these months.

    static: (S, H, W) maps in any unit, scaled here to mean 0 and standard deviation 1 inside;
    inputs: how climate models are seen, one of names.INPUTS; residual: whether maps are added to a
    climatology. Raises UserError for a static map that is not finite.
    """
    models = train.inputs[train.window[:, -1]]
    device, months = train.mask.device, train.months
    model_mean = model_spread = None
    if inputs != names.SOIL_MOISTURE or residual:
        model_mean = _climatology(models, months)
        departure = models - model_mean[train.calendar]
        if inputs == names.DIFFERENCES:
            departure = departure - mean_of_models(departure, None)[:, None]
        departure = departure[:, :, train.mask]
        model_spread = departure.double().std(dim=(0, 2)).clamp(min=SMALLEST_SPREAD).float()
    base = spread = response = None
    if residual:
        inside = train.mask.cpu().numpy()
        smooth, _ = smooth_climatology(train.target.cpu().numpy(), months, inside)
        base = torch.from_numpy(smooth).to(device)
        departure = (train.target - base[train.calendar])[:, :, train.mask]
        spread = departure.double().std(dim=(0, 2)).float()
        response = _response(base[:, :, train.mask])
    return Around(
        model_mean=model_mean,
        model_spread=model_spread,
        base=base,
        spread=spread,
        response=response,
        static=None if static is None else _scaled(static, train.mask),
    )


def _climatology(values: Tensor, months: np.ndarray) -> Tensor:
    mean = monthly_climatology(values.cpu().numpy(), months)
    return torch.from_numpy(mean).to(values.device)


def _response(base: Tensor) -> Tensor:
    """Return the (D,) departures of layers for one of the climate models' upper 10 cm.

    base: (12, D, cells) climatology. A layer is taken to follow a change as far as its climatology
    varies over cells and months, beside the upper layer's: deep layers vary, and so change, less.
    """
    varies = base.double().transpose(0, 1).flatten(1).std(dim=1)
    return (varies / varies[0].clamp(min=SMALLEST_SPREAD)).float()


def _scaled(static: np.ndarray, mask: Tensor) -> Tensor:
    maps = torch.from_numpy(np.asarray(static, dtype=np.float64)).to(mask.device)
    if not bool(torch.isfinite(maps).all()):
        raise UserError(
            "a static map has cells without a value; expected one in every cell: give files under "
            "static/ that cover params.yaml:domain"
        )
    inside = maps[:, mask]
    middle, width = inside.mean(dim=1), inside.std(dim=1)
    width = torch.where(width > 0, width, 1.0)
    return ((maps - middle[:, None, None]) / width[:, None, None]).float()
