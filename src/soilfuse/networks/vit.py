"""A vision transformer (Dosovitskiy et al. 2021, arXiv:2010.11929) that gives maps."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from soilfuse.networks.head import Head
from soilfuse.networks.padding import padded
from soilfuse.networks.sizes import Sizes
from soilfuse.networks.unet import he

PATCH = 4  # cells a side of a token
HEAD_CHANNELS = 16  # of an attention head
EXPANSION = 4  # of the part that follows an attention
LONGEST = 10_000.0  # wave of the positions, as Vaswani et al. 2017


class Network(nn.Module):
    """ViT: tokens of 4x4 cells through `depth` pre-norm encoder layers, then maps.

    At width 192 and depth 8, with 17 channels in and 5 out, it has 4,897,349 weights. A class has
    no place, cells have one: each token becomes 4x4 cells again, and a 3x3 convolution joins
    them with one of the inputs as they are. Positions are fixed sines and cosines and not learned,
    so that any grid will do. Whole channels before the head may be dropped.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Build `depth` layers of tokens with `width` numbers; `months` must be 1."""
        super().__init__()
        width, channels = sizes.width, sizes.models + sizes.extra
        self.tokens = nn.Conv2d(channels, width, PATCH, stride=PATCH)
        self.layers = nn.Sequential(*(Layer(width) for _ in range(sizes.depth)))
        self.norm = nn.LayerNorm(width)
        self.cells = nn.Linear(width, width * PATCH**2)
        self.detail = nn.Conv2d(channels, width, 3, padding=1)
        self.merge = nn.Conv2d(2 * width, width, 3, padding=1)
        self.drop = nn.Dropout2d(sizes.dropout) if sizes.dropout else nn.Identity()
        self.head = Head(width, sizes.layers)
        he(self)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, C, H, W) channels to (B, D, H, W) unbounded maps."""
        fine, crop = padded(inputs, PATCH)
        tokens = self.tokens(fine)
        rows, columns = tokens.shape[-2:]
        places = positions(rows, columns, tokens.shape[1], tokens.device)
        state = self.norm(self.layers(tokens.flatten(2).transpose(1, 2) + places))
        coarse = self.cells(state).transpose(1, 2).unflatten(2, (rows, columns))
        state = torch.cat([functional.pixel_shuffle(coarse, PATCH), self.detail(fine)], dim=1)
        state = functional.gelu(self.merge(functional.gelu(state)))
        maps: Tensor = self.head(self.drop(crop(state)))
        return maps


class Layer(nn.Module):
    """An encoder layer: attention over all tokens, a part for each, both added to its input."""

    def __init__(self, width: int) -> None:
        """Build for (B, N, width) tokens."""
        super().__init__()
        self.heads = width // HEAD_CHANNELS if width % HEAD_CHANNELS == 0 else 1
        self.before = nn.LayerNorm(width)
        # a bias of the keys would change no attention, and so never learn
        self.queries_values = nn.Linear(width, 2 * width)
        self.keys = nn.Linear(width, width, bias=False)
        self.attended = nn.Linear(width, width)
        self.each = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, EXPANSION * width),
            nn.GELU(),
            nn.Linear(EXPANSION * width, width),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (B, N, width) to the same shape."""
        normed = self.before(tokens)
        asked, held = self.queries_values(normed).chunk(2, dim=-1)
        found = functional.scaled_dot_product_attention(
            self._split(asked), self._split(self.keys(normed)), self._split(held)
        )
        tokens = tokens + self.attended(found.transpose(1, 2).flatten(2))
        fed: Tensor = self.each(tokens)
        return tokens + fed

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def positions(rows: int, columns: int, width: int, device: torch.device) -> Tensor:
    """Return (rows x columns, width): sines and cosines of a token's row, then of its column."""
    waves = math.ceil(width / 4)
    rates = LONGEST ** (-torch.arange(waves, device=device) / waves)
    row, column = torch.arange(rows, device=device), torch.arange(columns, device=device)
    by_row, by_column = row[:, None] * rates, column[:, None] * rates
    parts = [by_row.sin(), by_row.cos(), by_column.sin(), by_column.cos()]
    spread = [part[:, None].expand(rows, columns, waves) for part in parts[:2]]
    spread += [part[None].expand(rows, columns, waves) for part in parts[2:]]
    return torch.cat(spread, dim=-1).flatten(0, 1)[:, :width]
