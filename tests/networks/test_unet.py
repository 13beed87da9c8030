import pytest
import torch
from torch.nn import functional

from soilfuse.networks.padding import padded


def plain_block(network, block, state):
    """Two 3x3 convolutions with ReLU, from the weights by their names."""
    weights = network.state_dict()
    for place in (0, 2):
        key = f"{block}.{place}"
        state = functional.conv2d(
            state, weights[f"{key}.weight"], weights[f"{key}.bias"], padding=1
        )
        state = state.clamp(min=0)
    return state


def test_values_are_those_of_a_plainly_written_unet(small):
    network = small("unet")
    inputs = torch.rand(2, 6, 8, 12)
    weights = network.state_dict()
    top = plain_block(network, "down.0", inputs)
    middle = plain_block(network, "down.1", functional.max_pool2d(top, 2))
    state = plain_block(network, "down.2", functional.max_pool2d(middle, 2))
    for level, skip in enumerate((middle, top)):
        up = functional.conv_transpose2d(
            state, weights[f"up.{level}.weight"], weights[f"up.{level}.bias"], stride=2
        )
        state = plain_block(network, f"merge.{level}", torch.cat([skip, up], dim=1))
    head = weights["head.weight"][:, :, 0, 0]
    expected = torch.einsum("dc,bchw->bdhw", head, state) + weights["head.bias"][:, None, None]
    torch.testing.assert_close(network(inputs), expected)


def test_output_of_a_padded_grid_is_the_crop_of_the_padded_input(small):
    network = small("unet")
    inputs = torch.rand(1, 6, 6, 11)
    wide, crop = padded(inputs, 4)
    torch.testing.assert_close(network(inputs), crop(network(wide)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("depth", "first", "last"), [(1, 24, 41), (2, 10, 53)])
def test_a_cell_sees_as_far_as_the_levels_reach(small, depth, first, last):
    """By hand, depth 1, from row 32: merging convolutions see 30-34, that is 15-17 below; the block
    there sees 13-19, that is 26-39 above; the first block sees 24-41. Depth 2 goes on likewise.
    """
    network = small("unet", depth=depth, width=16)
    inputs = torch.rand(1, 6, 64, 64, requires_grad=True)
    network(inputs)[0, :, 32, 32].sum().backward()
    rows = inputs.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert (rows.min(), rows.max()) == (first, last)


def test_channels_of_the_models_and_extra_ones_are_treated_alike(small):
    first, second = small("unet", models=4, extra=2), small("unet", models=6, extra=0)
    inputs = torch.rand(1, 6, 8, 8)
    assert torch.equal(first(inputs), second(inputs))


def test_another_width_is_refused(small):
    with pytest.raises(RuntimeError, match="size mismatch"):
        small("unet", width=8).load_state_dict(small("unet").state_dict())
