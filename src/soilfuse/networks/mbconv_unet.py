"""The MBConv U-Net that Li et al. also tried (their code), with blocks of EfficientNet's form."""

from torch import Tensor, nn

from soilfuse.networks import unet

EXPANSION = 4
SQUEEZE = 4  # the block's channels over those between the two gates' convolutions


class Network(unet.Network):
    """The U-Net with two inverted residual blocks a level instead of two 3x3 convolutions.

    At width 64 and depth 4, with 17 channels in and 5 out, it has 36,597,269 weights; the authors
    give no count. Down- and upsampling, skips, padding and dropout are the U-Net's.
    """

    @staticmethod
    def block(before: int, after: int) -> nn.Module:
        """Build what one level does to (B, before, H, W): two inverted residual blocks."""
        return nn.Sequential(InvertedResidual(before, after), InvertedResidual(after, after))


class InvertedResidual(nn.Module):
    """MBConv (Tan and Le 2019): expand, filter each channel, excite, project; add where it fits.

    Batch normalisation keeps the level of a whole month in evaluation, which normalisation within
    a month (layers, groups) would take away, and the wetting of a century with it.
    """

    def __init__(self, before: int, after: int) -> None:
        """Build for (B, before, H, W) -> (B, after, H, W)."""
        super().__init__()
        inner = EXPANSION * before
        self.inverted = nn.Sequential(
            nn.Conv2d(before, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.SiLU(inplace=True),
            nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.SiLU(inplace=True),
            Excitation(inner, max(1, before // SQUEEZE)),
            nn.Conv2d(inner, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.residual = before == after

    def forward(self, state: Tensor) -> Tensor:
        """Map (B, before, H, W) to (B, after, H, W)."""
        made: Tensor = self.inverted(state)
        return state + made if self.residual else made


class Excitation(nn.Module):
    """Squeeze-and-excitation (Hu et al. 2018): a gate per channel from the channels' means."""

    def __init__(self, channels: int, squeezed: int) -> None:
        """Build for (B, channels, H, W)."""
        super().__init__()
        self.gate = nn.Sequential(
            nn.Conv2d(channels, squeezed, 1),
            nn.SiLU(inplace=True),
            nn.Conv2d(squeezed, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, state: Tensor) -> Tensor:
        """Map (B, C, H, W) to itself times gates in (0, 1)."""
        gates: Tensor = self.gate(state.mean(dim=(2, 3), keepdim=True))
        return state * gates
