"""The one thing that teaches: the mean over a coarse cell, where the coarse sensor looked."""

import torch
from torch import Tensor
from torch.nn import functional


def block_mean_square(made: Tensor, observed: Tensor, block: int) -> Tensor:
    """Return the mean square of (mean of made over a block - observed), over what was observed.

    made: (B, H, W) fine maps; observed: (B, h, w), NaN where nothing was seen, in the same unit.
    0 where nothing at all was seen.
    """
    seen = observed.isfinite()
    means = functional.avg_pool2d(made, block)
    errors = torch.where(seen, means - observed.nan_to_num(), 0.0)
    return errors.square().sum() / seen.sum().clamp(min=1)
