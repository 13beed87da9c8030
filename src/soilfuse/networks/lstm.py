"""Long short-term memory (Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735)."""

import torch
from torch import Tensor, nn

from soilfuse.networks.head import Head
from soilfuse.networks.sizes import Sizes

SPREAD = 0.2  # of what a layer gives: its gates are half open, and it squashes twice


class Network(nn.Module):
    """LSTM: the trailing months of each cell by itself, with weights that all cells share.

    At width 64 and depth 2, with 17 channels in and 5 out, it has 54,853 weights, whatever the
    number of months. It sees no neighbour. Forget gates (Gers et al. 2000) begin open. Whole
    channels of the last state may be dropped.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Build `depth` layers of `width` memories."""
        super().__init__()
        width = sizes.width
        self.memory = nn.LSTM(
            sizes.models + sizes.extra, width, num_layers=sizes.depth, batch_first=True
        )
        self.drop = nn.Dropout2d(sizes.dropout) if sizes.dropout else nn.Identity()
        self.head = Head(width, sizes.layers)
        self._begin()

    def _begin(self) -> None:
        for name, weight in self.memory.named_parameters():
            if name.startswith("weight"):
                # with torch's weights the signal fades over a few layers
                seen = 1.0 if name == "weight_ih_l0" else SPREAD
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5 / seen)
            else:
                nn.init.zeros_(weight)
                if name.startswith("bias_ih"):
                    with torch.no_grad():  # gates in the order input, forget, cell, output
                        weight.view(4, -1)[1] = 1.0

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, T, C, H, W) channels of trailing months to (B, D, H, W) unbounded maps.

        The oldest month comes first. One month may come as (B, C, H, W).
        """
        if inputs.dim() == 4:
            inputs = inputs.unsqueeze(1)
        batch, _, _, height, width = inputs.shape
        cells = inputs.permute(0, 3, 4, 1, 2).flatten(0, 2)
        last = self.memory(cells)[0][:, -1]
        state = last.unflatten(0, (batch, height, width)).permute(0, 3, 1, 2)
        maps: Tensor = self.head(self.drop(state))
        return maps
