"""The loss terms of UNet-GAN (Li et al. 2024, equations 3 to 10), all inside the boundary.

Images are (B, D, H, W) in m3 m-3; `mask` is (H, W) bool, True inside. `inside` makes the outside of
an image equal to its target's, so that nothing outside reaches VGG16 or the discriminator.
The printed equations (3) and (8) take the logarithm of negative numbers; the relativistic average
GAN they mean (Jolicoeur-Martineau 2018, arXiv:1807.00734) is written here on raw logits.
"""

import torch
from torch import Tensor
from torch.nn import functional

AUTHORS = "authors"


def inside(images: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the images inside the boundary, and their targets outside it."""
    return torch.where(mask, images, target)


def mean_square(images: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the mean squared error over cells inside, layers and images (equation 5).

    A mean over the whole rectangle (1 / CWH) would shrink it by the share of cells inside.
    """
    return _inside_only(images - target, mask).square().sum() / _count(images, mask)


def insitu(images: Tensor, stations: Tensor, probability: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of I_prob (I_insitu - G)^2 over cells inside, layers and images (equation 9).

    stations: (B, D, H, W) m3 m-3, the field spread from stations; probability: likewise, in [0, 1].
    """
    errors = _inside_only(stations - images, mask).square()
    return (_inside_only(probability, mask) * errors).sum() / _count(images, mask)


def total_variation(images: Tensor, mask: Tensor) -> Tensor:
    """Return the sum of squared differences of neighbours, both inside, averaged over images.

    Equation (10) with both of its sums over x and y, as the paper's weight of 4e-8 goes with.
    """
    rows = _inside_only(images.diff(dim=-2), mask[1:] & mask[:-1])
    columns = _inside_only(images.diff(dim=-1), mask[:, 1:] & mask[:, :-1])
    return (rows.square().sum() + columns.square().sum()) / images.shape[0]


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's relativistic average loss of (B,) raw logits (equation 3)."""
    real, fake = real.float(), fake.float()
    return _is_real(real - fake.mean()) + _is_fake(fake - real.mean())


def generator_loss(real: Tensor, fake: Tensor, form: str) -> Tensor:
    """Return the generator's relativistic average loss of (B,) raw logits (equation 8).

    form: `ragan` is the discriminator's loss with both parts exchanged, the gradient also through
    the mean; `authors` keeps its second term alone, as the released code does.
    """
    real, fake = real.float(), fake.float()
    fooled = _is_real(fake - real.mean())
    return fooled if form == AUTHORS else fooled + _is_fake(real - fake.mean())


def _inside_only(values: Tensor, mask: Tensor) -> Tensor:
    # where, not a product, and before any power: what lies outside may be NaN, as may its gradient
    return torch.where(mask, values, 0.0)


def _count(images: Tensor, mask: Tensor) -> Tensor:
    return mask.sum() * images.shape[0] * images.shape[1]


def _is_real(logits: Tensor) -> Tensor:
    return -functional.logsigmoid(logits).mean()


def _is_fake(logits: Tensor) -> Tensor:
    return -functional.logsigmoid(-logits).mean()
