"""YNet (Liu, Ganguly and Dy 2020, as used by Feng et al. 2022, figure 1)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from soilfuse.networks.head import Head
from soilfuse.networks.padding import padded
from soilfuse.networks.sizes import Sizes
from soilfuse.networks.unet import he

CONVOLUTIONS = 15  # and as many deconvolution blocks: Feng's 30 convolutions and 15 deconvolutions
# Share of He's weights with which the last convolution of `features` begins: every skip adds to the
# variance, and the correction would begin up to seven times as large as what it corrects.
CORRECTION = 0.1


class Network(nn.Module):
    """YNet: features and upsampling on a coarse grid, fusion on the fine one.

    At width 64 and depth 3 (factor 8), with 25 models, two static fields and one layer, it has the
    published 1,658,174 weights. The papers feed it a coarse grid and its interpolation. The
    pipeline's inputs are on the target grid already, so the coarse branch sees the models'
    channels averaged over factor x factor cells (the grid padded by reflection to a multiple of
    it), and the fusion sees them as they are, beside the `extra` channels. Feng et al. use dropout
    but do not say where: here whole channels between convolutions and deconvolutions are dropped.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Build for a downscaling factor of 2**depth; `width` is the 64 features; months: 1."""
        super().__init__()
        models, width = sizes.models, sizes.width
        self.models = models
        self.factor = 2**sizes.depth
        inward = [models] + [width] * CONVOLUTIONS
        self.down = nn.ModuleList(_conv(a, b) for a, b in zip(inward, inward[1:], strict=False))
        self.drop = nn.Dropout2d(sizes.dropout) if sizes.dropout else nn.Identity()
        outward = inward[::-1][1:]
        blocks = [Deconvolution(width, after) for after in outward]
        self.up = nn.ModuleList(blocks)
        self.before = _conv(models, models)
        self.after = _conv(models, models)
        self.fuse = _conv(2 * models + sizes.extra, width)
        self.head = Head(width, sizes.layers)
        he(self)
        for block in blocks:
            block.begin()
        with torch.no_grad():
            blocks[-1].smooth.weight.mul_(CORRECTION)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, C, H, W) channels to (B, D, H, W) unbounded maps."""
        fine, crop = padded(inputs, self.factor)
        coarse = functional.avg_pool2d(fine[:, : self.models], self.factor)
        state = functional.relu(self.before(self.features(coarse)))
        state = functional.interpolate(state, scale_factor=self.factor, mode="bilinear")
        state = functional.relu(self.after(state))
        state = functional.relu(self.fuse(torch.cat([state, fine], dim=1)))
        maps: Tensor = self.head(crop(state))
        return maps

    def features(self, coarse: Tensor) -> Tensor:
        """Map (B, M, h, w) to itself plus a correction, in RED-Net's symmetric form.

        Deconvolution block k ends where convolution 15 - k did, and every second pair is joined.
        """
        state, skips = coarse, {}
        for number, conv in enumerate(self.down, start=1):
            state = functional.relu(conv(state))
            if number % 2 == 0:
                skips[CONVOLUTIONS - number] = state
        state = self.drop(state)
        for number, block in enumerate(self.up, start=1):
            state = block(state)
            if number in skips:
                state = state + skips[number]
            if number < CONVOLUTIONS:
                state = functional.relu(state)
        return coarse + state


class Deconvolution(nn.Module):
    """A transposed convolution, and the convolution that takes out its checkerboard."""

    def __init__(self, width: int, after: int) -> None:
        """Build for (B, width, h, w) -> (B, after, h, w)."""
        super().__init__()
        self.transposed = nn.ConvTranspose2d(width, width, 3, padding=1)
        self.smooth = _conv(width, after)

    def forward(self, state: Tensor) -> Tensor:
        """Map (B, width, h, w) to (B, after, h, w)."""
        made: Tensor = self.smooth(functional.relu(self.transposed(state)))
        return made

    def begin(self) -> None:
        """Draw the transposed convolution as `he` draws the others; its channels in come first."""
        nn.init.kaiming_normal_(self.transposed.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.transposed.bias)  # type: ignore[arg-type]


def _conv(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1)
