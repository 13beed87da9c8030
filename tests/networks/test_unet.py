import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.networks.registry import build, parameter_count
from soilfuse.networks.unet import Network, reflection

CPU = torch.device("cpu")


def small(in_channels=4, out_channels=3, depth=2):
    torch.manual_seed(0)
    return build("unet", in_channels, out_channels, 4, depth)


def test_published_number_of_weights():
    assert parameter_count(build("unet", 17, 5, 64, 4)) == 31_040_069


def test_every_name_of_the_registry_builds():
    for name in names.NETWORKS:
        assert build(name, 2, 3, 4, 2)(torch.zeros(1, 2, 8, 8)).shape == (1, 3, 8, 8)


def test_unknown_network_names_the_choices():
    with pytest.raises(UserError, match=r"unknown network 'unnet'.*did you mean 'unet'"):
        build("unnet", 17, 5, 64, 4)


@pytest.mark.parametrize("grid", [(71, 151), (29, 61), (7, 9), (16, 16), (1, 3), (4, 2)])
def test_any_grid_comes_back_in_its_own_size(grid):
    network = build("unet", 4, 3, 4, 4)
    made = network(torch.rand(2, 4, *grid))
    assert made.shape == (2, 3, *grid)
    assert ((made > 0) & (made < 1)).all()


@settings(max_examples=60, deadline=None)
@given(size=st.integers(2, 200), depth=st.integers(1, 6))
def test_reflection_is_numpys(size, depth):
    before, places = reflection(size, 2**depth, CPU)
    padding = -size % 2**depth
    expected = np.pad(np.arange(size), (before, padding - before), mode="reflect")
    assert places.tolist() == expected.tolist()
    assert len(places) % 2**depth == 0
    assert before in (padding // 2, padding - padding // 2)


def test_a_single_cell_is_repeated():
    assert reflection(1, 4, CPU)[1].tolist() == [0, 0, 0, 0]


def test_output_of_a_padded_grid_is_the_crop_of_the_padded_input():
    network = small().eval()
    inputs = torch.rand(1, 4, 6, 11)
    before, rows = reflection(6, 4, CPU)
    left, columns = reflection(11, 4, CPU)
    whole = network(inputs[..., rows, :][..., columns])
    torch.testing.assert_close(
        network(inputs), whole[..., before : before + 6, left : left + 11], rtol=0, atol=1e-6
    )


def test_every_weight_gets_a_gradient():
    network = small()
    network(torch.rand(2, 4, 9, 7)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_body_is_taken_over_and_head_drawn_again():
    before, after = small(out_channels=3), Network(4, 5, 4, 2)
    head = after.head.weight.detach().clone()
    after.load_body(before.state_dict())
    for name, weight in before.state_dict().items():
        if not name.startswith("head."):
            assert torch.equal(after.state_dict()[name], weight), name
    assert torch.equal(after.head.weight, head)
    after.reset_head()
    assert not torch.equal(after.head.weight, head)


def test_another_width_is_refused():
    with pytest.raises(RuntimeError, match="size mismatch"):
        Network(4, 5, 8, 2).load_body(small().state_dict())


def test_a_head_can_begin_at_given_means():
    network = small()
    network.reset_head([0.1, 0.2, 0.3])
    with torch.no_grad():
        network.head.weight.zero_()
        made = network(torch.rand(1, 4, 8, 8))
    torch.testing.assert_close(
        made, torch.tensor([0.1, 0.2, 0.3])[:, None, None].expand(1, 3, 8, 8)
    )


def test_signal_neither_fades_nor_explodes_on_its_way():
    torch.manual_seed(0)
    network = build("unet", 17, 5, 12, 4)
    spread = network.head(network.merge[-1](torch.randn(1, 24, 32, 32))).std(dim=(2, 3)).mean()
    assert 0.05 < spread < 5
