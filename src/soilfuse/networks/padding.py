"""Grids of any size: padding by reflection to a multiple of what a network divides by."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Crop:
    """Where the cells of the user's grid lie in a padded one."""

    top: int
    left: int
    height: int
    width: int

    def __call__(self, padded: Tensor) -> Tensor:
        """Cut (..., H', W') back to the (..., H, W) that was padded."""
        rows = slice(self.top, self.top + self.height)
        return padded[..., rows, self.left : self.left + self.width]


def padded(inputs: Tensor, multiple: int) -> tuple[Tensor, Crop]:
    """Pad (..., H, W) by reflection to sides that `multiple` divides; return it and its crop."""
    height, width = inputs.shape[-2:]
    top, rows = reflection(height, multiple, inputs.device)
    left, columns = reflection(width, multiple, inputs.device)
    crop = Crop(top, left, height, width)
    return inputs.index_select(-2, rows).index_select(-1, columns), crop


def reflection(size: int, multiple: int, device: torch.device) -> tuple[int, Tensor]:
    """Return the padding before, and the (padded,) source index of each cell of a padded axis.

    The padding is shared between both ends. Where it is wider than the axis, the reflection is
    reflected again, which is what keeps small grids possible.
    """
    padding = -size % multiple
    before = padding // 2
    place = torch.arange(-before, size + padding - before, device=device)
    last = max(size - 1, 1)
    folded = last - (place.remainder(2 * last) - last).abs()
    return before, folded.clamp(max=size - 1)
