"""A residual network (He et al. 2016, doi:10.1109/CVPR.2016.90) that keeps the grid it is given."""

from torch import Tensor, nn
from torch.nn import functional

from soilfuse.networks.head import Head
from soilfuse.networks.sizes import Sizes
from soilfuse.networks.unet import he


class Network(nn.Module):
    """ResNet: a 3x3 convolution, `depth` basic blocks of `width` channels, a 1x1 head.

    At width 64 and depth 8, with 17 channels in and 5 out, it has 602,117 weights. He et al. halve
    the grid between stages and end in a class; maps of every cell need neither, so all blocks are
    those of one stage. The last block's output may lose whole channels to dropout.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Build `depth` blocks of `width` channels; `months` must be 1."""
        super().__init__()
        width = sizes.width
        self.stem = nn.Sequential(*_normed(sizes.models + sizes.extra, width), nn.ReLU())
        self.blocks = nn.Sequential(*(Block(width) for _ in range(sizes.depth)))
        self.drop = nn.Dropout2d(sizes.dropout) if sizes.dropout else nn.Identity()
        self.head = Head(width, sizes.layers)
        he(self)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, C, H, W) channels to (B, D, H, W) unbounded maps."""
        maps: Tensor = self.head(self.drop(self.blocks(self.stem(inputs))))
        return maps


class Block(nn.Module):
    """He's basic block: two normed 3x3 convolutions, added to what came in."""

    def __init__(self, width: int) -> None:
        """Build for (B, width, H, W)."""
        super().__init__()
        self.residual = nn.Sequential(*_normed(width, width), nn.ReLU(), *_normed(width, width))

    def forward(self, state: Tensor) -> Tensor:
        """Map (B, width, H, W) to the same shape, at least 0."""
        return functional.relu(state + self.residual(state))


def _normed(before: int, after: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after)
