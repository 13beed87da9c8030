"""The last convolution of every network."""

import torch
from torch import Tensor, nn


class Head(nn.Conv2d):
    """A 1x1 convolution that stays in float32 under autocast.

    bfloat16 has three digits: soil moisture would be rounded to 0.001 m3 m-3, and its differences
    between neighbouring cells with it.
    """

    def __init__(self, width: int, layers: int) -> None:
        """Map `width` channels to D layers."""
        super().__init__(width, layers, 1)

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, width, H, W) of any precision to (B, D, H, W) float32."""
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float())
