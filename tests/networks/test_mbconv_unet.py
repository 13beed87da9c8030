import torch
from torch.nn import functional

from soilfuse.networks.mbconv_unet import Excitation, InvertedResidual


def test_values_are_those_of_a_plainly_written_block():
    torch.manual_seed(0)
    block = InvertedResidual(4, 4).eval()
    expand, filters, project = (
        layer for layer in block.inverted if isinstance(layer, torch.nn.Conv2d)
    )
    norm = (1 + 1e-5) ** -0.5  # untrained batch normalisation in evaluation: mean 0, variance 1
    state = torch.randn(2, 4, 5, 7)
    inner = functional.silu(norm * torch.einsum("oc,bchw->bohw", expand.weight[..., 0, 0], state))
    inner = torch.stack(
        [
            functional.conv2d(inner[:, k : k + 1], filters.weight[k : k + 1], padding=1)[:, 0]
            for k in range(16)
        ],
        dim=1,
    )
    excited = block.inverted[6](functional.silu(norm * inner))
    added = norm * torch.einsum("oc,bchw->bohw", project.weight[..., 0, 0], excited)
    torch.testing.assert_close(block(state), state + added)


def test_only_blocks_that_keep_their_channels_add_their_input():
    assert InvertedResidual(4, 4).residual
    assert not InvertedResidual(4, 8).residual


def test_excitation_gates_a_channel_by_the_means_of_all():
    torch.manual_seed(0)
    excitation = Excitation(3, 2)
    reduce, _, expand, _ = excitation.gate
    state = torch.randn(1, 3, 4, 5)
    inner = functional.silu(reduce.weight[..., 0, 0] @ state.mean(dim=(0, 2, 3)) + reduce.bias)
    gates = torch.sigmoid(expand.weight[..., 0, 0] @ inner + expand.bias)
    torch.testing.assert_close(excitation(state), state * gates[:, None, None])


def test_a_month_that_is_wetter_everywhere_stays_wetter(small):
    network = small("mbconv_unet", width=8)
    months = torch.rand(8, 6, 16, 16)
    for _ in range(20):
        network(months)  # batch normalisation sees the present
    network.eval()
    assert (network(months + 0.2) - network(months)).abs().mean() > 0.01
