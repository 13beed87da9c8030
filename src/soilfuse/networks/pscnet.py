"""PSCNet (Zhou et al. 2025), reconstructed: only its abstract and figure captions are known.

What is theirs: a multi-frequency temporal fusion (MFTF), stages of squeeze-and-excitation (SE)
convolutions with feed-forward parts, progressive scale. All sizes and formulas here are ours.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from soilfuse.networks.head import Head
from soilfuse.networks.padding import padded
from soilfuse.networks.sizes import Sizes
from soilfuse.networks.unet import he

LENGTHS = (3, 6, 12)  # months: a season, half a year, a year
HIGH = 3  # months that the high-pass band is convolved over
GRID = 4  # cells a side to which an excitation squeezes
SQUEEZE = 4  # channels over those between an excitation's two convolutions
EXPANSION = 4  # of a feed-forward part
BRANCH = 0.2  # share of He's weights with which a stage's parts begin, so that it adds little


class Network(nn.Module):
    """A reconstruction of PSCNet: months fused cell by cell, then stages of growing kernels.

    At width 48 and depth 3 (stages of kernels 3, 5, 7), with 17 models, 5 layers and one month, it
    has 270,665 weights; each further month adds `width`. Whole channels of the fused stages may
    be dropped.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Build `depth` stages of `width` channels, for `months` trailing months."""
        super().__init__()
        width, depth = sizes.width, sizes.depth
        self.stem = nn.Conv2d(sizes.models + sizes.extra, width, 3, padding=1)
        self.fusion = TemporalFusion(width, sizes.months)
        stages = [Stage(width, 2 * number + 3) for number in range(depth)]
        self.stages = nn.ModuleList(stages)
        self.merge = nn.Conv2d(depth * width, width, 1)
        self.drop = nn.Dropout2d(sizes.dropout) if sizes.dropout else nn.Identity()
        self.head = Head(width, sizes.layers)
        he(self)
        with torch.no_grad():
            for stage in stages:
                stage.filters.weight.mul_(BRANCH)
                stage.project.weight.mul_(BRANCH)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, T, C, H, W) channels of trailing months to (B, D, H, W) unbounded maps.

        The oldest month comes first. One month may come as (B, C, H, W).
        """
        if inputs.dim() == 4:
            inputs = inputs.unsqueeze(1)
        fine, crop = padded(inputs, GRID)
        months = functional.gelu(self.stem(fine.flatten(0, 1)))
        state = self.fusion(months.unflatten(0, fine.shape[:2]))
        scales = []
        for stage in self.stages:
            state = stage(state)
            scales.append(state)
        state = self.drop(functional.gelu(self.merge(torch.cat(scales, dim=1))))
        maps: Tensor = self.head(crop(state))
        return maps


class TemporalFusion(nn.Module):
    """MFTF: several memories of what a cell was, mixed, gated, and pooled over the months.

    Each quarter of the channels has its own memory: a temporal convolution of each channel by
    itself over 3, 6 or 12 months, or over 3 months of what is left once the longest running mean
    is taken away (the high-pass band). All look back only; before the first month, that month is
    repeated. The mixture of all is gated and added to the month that it belongs to.
    """

    def __init__(self, channels: int, months: int) -> None:
        """Build for (B, T, channels, H, W) with T = `months`."""
        super().__init__()
        lengths = (*LENGTHS, HIGH)
        shares = [len(range(band, channels, len(lengths))) for band in range(len(lengths))]
        self.bands = nn.ParameterList(
            torch.empty(share, n) for share, n in zip(shares, lengths, strict=True)
        )
        for band in self.bands:
            nn.init.normal_(band, std=band.shape[1] ** -0.5)
        self.mix = nn.Conv2d(channels, channels, 1)
        self.gate = nn.Conv2d(channels, channels, 1)
        self.pool = nn.Parameter(torch.zeros(channels, months))

    def forward(self, months: Tensor) -> Tensor:
        """Map (B, T, C, H, W) to (B, C, H, W)."""
        memory = torch.einsum("cst,btchw->bschw", self.filters(), months).flatten(0, 1)
        mixed = torch.sigmoid(self.gate(memory)) * self.mix(memory)
        fused = months + mixed.unflatten(0, months.shape[:2])
        return torch.einsum("ct,btchw->bchw", self.pool.softmax(dim=1), fused)

    def filters(self) -> Tensor:
        """Return the (C, T, T) matrices that turn a channel's months into its memories.

        A convolution along so few months is fastest as one product of matrices.
        """
        months, device = self.pool.shape[1], self.pool.device
        *low, high = (
            torch.einsum("cl,tls->cts", band, looking_back(months, band.shape[1], device))
            for band in self.bands
        )
        return torch.cat([*low, high @ high_pass(months, device)])


def looking_back(months: int, length: int, device: torch.device) -> Tensor:
    """Return (T, L, T): 1 where the last index is the month that place l of t's window shows.

    The window ends at t; where it would begin before the first month, it shows the first.
    """
    month, place = torch.arange(months, device=device), torch.arange(length, device=device)
    shown = (month[:, None] + place - (length - 1)).clamp(min=0)
    return (shown[..., None] == month).float()


def high_pass(months: int, device: torch.device) -> Tensor:
    """Return the (T, T) matrix that takes the longest running mean away from each month."""
    return torch.eye(months, device=device) - looking_back(months, LENGTHS[-1], device).mean(dim=1)


class Stage(nn.Module):
    """One scale: an SE convolution and a feed-forward part, each added to what came in."""

    def __init__(self, channels: int, kernel: int) -> None:
        """Build for (B, channels, H, W) with a `kernel` x `kernel` convolution."""
        super().__init__()
        self.filters = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)
        self.excitation = CoarseExcitation(channels)
        self.expand = nn.Conv2d(channels, EXPANSION * channels, 1)
        self.project = nn.Conv2d(EXPANSION * channels, channels, 1)

    def forward(self, state: Tensor) -> Tensor:
        """Map (B, C, H, W) to itself plus what this scale finds."""
        state = state + self.excitation(functional.gelu(self.filters(state)))
        fed: Tensor = self.project(functional.gelu(self.expand(state)))
        return state + fed


class CoarseExcitation(nn.Module):
    """Squeeze-and-excitation whose squeeze is a coarse map: gates differ from place to place.

    One gate for a whole map (Hu et al. 2018) would raise or lower wet and dry corners together.
    """

    def __init__(self, channels: int) -> None:
        """Build for (B, channels, H, W), H and W multiples of 4."""
        super().__init__()
        self.gate = nn.Sequential(
            nn.Conv2d(channels, channels // SQUEEZE or 1, 1),
            nn.GELU(),
            nn.Conv2d(channels // SQUEEZE or 1, channels, 1),
        )

    def forward(self, state: Tensor) -> Tensor:
        """Map (B, C, H, W) to itself times gates in (0, 1), bilinear between 4x4 squares."""
        size = state.shape[-2:]
        squeezed = functional.avg_pool2d(state, (size[0] // GRID, size[1] // GRID))
        gates = functional.interpolate(self.gate(squeezed), size=size, mode="bilinear")
        return state * torch.sigmoid(gates)
