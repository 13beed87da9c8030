"""The U-Net (Li et al. 2024, figure 3), for grids of any size."""

import torch
from torch import Tensor, nn

from soilfuse.networks.head import Head
from soilfuse.networks.padding import padded
from soilfuse.networks.sizes import Sizes


class Network(nn.Module):
    """U-Net: two 3x3 convolutions a block, max pooling, transposed convolutions, a 1x1 head.

    At width 64 and depth 4, with 17 channels in and 5 out, it has 31,040,069 weights.
    The grid is padded by reflection to a multiple of 2**depth, and the output cropped. The paper
    has no dropout; here whole channels of the deepest block's output may be dropped.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Build levels of width, 2 width, ..., 2**depth width channels; `months` must be 1."""
        super().__init__()
        width, depth = sizes.width, sizes.depth
        self.multiple = 2**depth
        widths = [width * 2**level for level in range(depth + 1)]
        levels = zip([sizes.models + sizes.extra, *widths], widths, strict=False)
        self.down = nn.ModuleList(self.block(before, after) for before, after in levels)
        upwards = widths[-2::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * n, n, 2, stride=2) for n in upwards)
        self.merge = nn.ModuleList(self.block(2 * n, n) for n in upwards)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout2d(sizes.dropout) if sizes.dropout else nn.Identity()
        self.head = Head(width, sizes.layers)
        he(self)

    @staticmethod
    def block(before: int, after: int) -> nn.Module:
        """Build what one level does to (B, before, H, W): two 3x3 convolutions with ReLU."""
        return nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1),
            nn.ReLU(inplace=True),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, C, H, W) channels to (B, D, H, W) unbounded maps."""
        state, crop = padded(inputs, self.multiple)
        skips = []
        for level, block in enumerate(self.down):
            state = block(self.pool(state) if level else state)
            skips.append(state)
        state = self.drop(skips.pop())
        for up, merge in zip(self.up, self.merge, strict=True):
            state = merge(torch.cat([skips.pop(), up(state)], dim=1))
        maps: Tensor = self.head(crop(state))
        return maps


def he(network: nn.Module) -> None:
    """Draw the weights of every 2-D convolution but the `head` anew, and zero their biases.

    None of the papers says how weights begin. These keep the variance behind a ReLU (He et al.
    2015); with torch's default the signal fades over many blocks, and some seeds never learn.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer is not network.head:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
