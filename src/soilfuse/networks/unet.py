"""The U-Net generator (Li et al. 2024, figure 3), for grids of any size."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

HEAD = "head."


class Network(nn.Module):
    """U-Net: two 3x3 convolutions a block, max pooling, transposed convolutions, sigmoid head.

    At width 64 and depth 4, with 17 channels in and 5 out, it has 31,040,069 weights.
    The grid is padded by reflection to a multiple of 2**depth, and the output cropped. The paper
    does not say how weights begin. Here 3x3 convolutions keep the variance (He et al. 2015): with
    torch's default the signal fades over the 2 depth + 1 blocks, and some seeds never learn.
    """

    def __init__(self, in_channels: int, out_channels: int, width: int, depth: int) -> None:
        """Build levels of width, 2 width, ..., 2**depth width channels."""
        super().__init__()
        self.multiple = 2**depth
        widths = [width * 2**level for level in range(depth + 1)]
        levels = zip([in_channels, *widths], widths, strict=False)
        self.down = nn.ModuleList(_block(before, after) for before, after in levels)
        upwards = widths[-2::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * n, n, 2, stride=2) for n in upwards)
        self.merge = nn.ModuleList(_block(2 * n, n) for n in upwards)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(width, out_channels, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer is not self.head:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, M, H, W) volumetric soil moisture in m3 m-3 to (B, D, H, W), in (0, 1)."""
        height, width = inputs.shape[-2:]
        top, rows = reflection(height, self.multiple, inputs.device)
        left, columns = reflection(width, self.multiple, inputs.device)
        state = inputs.index_select(-2, rows).index_select(-1, columns)
        skips = []
        for level, block in enumerate(self.down):
            state = block(self.pool(state) if level else state)
            skips.append(state)
        skips.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            state = merge(torch.cat([skips.pop(), up(state)], dim=1))
        state = state[..., top : top + height, left : left + width]
        return torch.sigmoid(self.head(state))

    def reset_head(self, means: Sequence[float] | None = None) -> None:
        """Draw the last 1x1 convolution's weights again.

        means: (D,) m3 m-3, each in (0, 1); what the layers begin near instead of 0.5. The way from
        0.5 to soil's 0.2 is so steep that large learning rates end in a saturated sigmoid.
        """
        self.head.reset_parameters()
        if means is not None:
            share = torch.as_tensor(means, dtype=self.head.weight.dtype)
            self.head.bias.data.copy_(torch.logit(share))  # type: ignore[union-attr]

    def load_body(self, weights: Mapping[str, Tensor]) -> None:
        """Take all weights but the last convolution's, which stays as it is.

        The given network may have another number of layers D. Raises RuntimeError where
        anything else differs.
        """
        own = {name: weight for name, weight in self.state_dict().items() if name.startswith(HEAD)}
        body = {name: weight for name, weight in weights.items() if not name.startswith(HEAD)}
        self.load_state_dict({**body, **own})


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


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(after, after, 3, padding=1),
        nn.ReLU(inplace=True),
    )
