"""The discriminator (Li et al. 2024, figure 4; the form of SRGAN)."""

import torch
from torch import Tensor, nn

SLOPE = 0.2
BLOCKS = ((1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2))  # (multiple of width, stride)


class Discriminator(nn.Module):
    """Eight convolutions, global pooling and two dense layers: one raw logit an image.

    At width 64 with five channels it has 5,216,577 weights.
    """

    def __init__(self, channels: int, width: int) -> None:
        """Build for images of `channels` layers; `width` is the paper's 64."""
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), _leaky()]
        before = width
        for multiple, stride in BLOCKS:
            after = multiple * width
            layers += [
                nn.Conv2d(before, after, 3, stride=stride, padding=1),
                nn.BatchNorm2d(after),
                _leaky(),
            ]
            before = after
        self.features = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Linear(before, 16 * width), _leaky(), nn.Linear(16 * width, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, D, H, W) images to (B,) raw logits in float32, no sigmoid.

        The printed equations put a sigmoid here; the relativistic loss needs the logit. It takes
        differences of logits, so the dense layers stay in float32 under autocast too.
        """
        pooled = self.features(images).float().mean(dim=(2, 3))
        with torch.autocast(images.device.type, enabled=False):
            logits: Tensor = self.dense(pooled).squeeze(1)
        return logits


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(SLOPE, inplace=True)
