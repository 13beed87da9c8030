"""The loss of block means, by hand and by its properties."""

import numpy as np
import pytest
import torch

from soilfuse.grids.blocks import block_means, spread_over
from soilfuse.training.downscaling.loss import block_mean_square

NAN = float("nan")


def test_value_and_gradient_by_hand():
    made = torch.tensor([[[1.0, 3.0, 0.0, 0.0], [5.0, 7.0, 0.0, 8.0]]], requires_grad=True)
    observed = torch.tensor([[[3.0, 5.0]]])
    loss = block_mean_square(made, observed, 2)
    loss.backward()
    assert loss.item() == ((4 - 3) ** 2 + (2 - 5) ** 2) / 2
    # d/dx of the mean over 2 cells of (mean of 4 - y)^2 is 2 (mean - y) / 4 / 2
    expected = [[0.25, 0.25, -0.75, -0.75], [0.25, 0.25, -0.75, -0.75]]
    assert made.grad[0].tolist() == expected


def test_gradient_agrees_with_differences():
    torch.manual_seed(0)
    observed = torch.rand(2, 2, 3, dtype=torch.float64)
    observed[0, 1, 1] = NAN
    made = torch.rand(2, 8, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: block_mean_square(x, observed, 4), made)


def test_what_was_not_observed_has_no_influence():
    torch.manual_seed(0)
    observed = torch.rand(2, 2, 2)
    observed[0, 0, 0] = observed[1] = NAN
    losses, gradients = [], []
    for change in (0.0, 100.0):
        made = torch.arange(128.0).reshape(2, 8, 8) / 100
        made[0, :4, :4] += change
        made[1] -= change
        made.requires_grad_()
        loss = block_mean_square(made, observed, 4)
        loss.backward()
        losses.append(loss.item())
        gradients.append(made.grad)
    assert losses[0] == losses[1]
    assert torch.equal(*gradients)
    assert gradients[0][1].abs().max() == 0
    assert gradients[0][0, :4, :4].abs().max() == 0


def test_a_batch_without_any_observation_teaches_nothing():
    made = torch.rand(1, 4, 4, requires_grad=True)
    loss = block_mean_square(made, torch.full((1, 1, 1), NAN), 4)
    loss.backward()
    assert loss.item() == 0
    assert made.grad.abs().max() == 0


@pytest.mark.parametrize("block", [1, 2, 4])
def test_means_of_blocks_and_their_spreading_are_adjoint(block):
    rng = np.random.default_rng(0)
    fine, coarse = rng.random((3, 8, 4)), rng.random((3, 8 // block, 4 // block))
    assert np.allclose(
        (block_means(fine, block) * coarse).sum() * block**2,
        (fine * spread_over(coarse, block)).sum(),
    )
    assert np.allclose(block_means(spread_over(coarse, block), block), coarse)
