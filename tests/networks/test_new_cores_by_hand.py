"""ResNet, ViT and LSTM beside what their papers, or torch's own layers, say."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from soilfuse.networks.resnet import Block
from soilfuse.networks.vit import Layer, positions

ROUNDING = {"rtol": 1e-4, "atol": 1e-5}


def reach(network, cell=(10, 10)):
    """Cells of the input that the map at one cell depends on."""
    inputs = torch.rand(1, 6, 21, 21, requires_grad=True)
    network.eval()(inputs)[0, 0, *cell].backward()
    return (inputs.grad[0].abs().sum(dim=0) > 0).nonzero()


def test_an_lstm_s_cell_sees_no_neighbour(small):
    assert reach(small("lstm")).tolist() == [[10, 10]]


def test_a_resnet_sees_as_far_as_its_convolutions_reach(small):
    seen = reach(small("resnet", width=8, depth=2))
    assert seen.min() == 10 - 5
    assert seen.max() == 10 + 5


def test_a_vit_sees_the_whole_map(small):
    assert len(reach(small("vit"))) == 21 * 21


def test_lstm_equals_the_gates_of_the_paper_stepped_by_hand(small):
    network = small("lstm", depth=1, months=3).eval()
    inputs = torch.rand(1, 3, 6, 2, 2)
    weights = {name: p.detach() for name, p in network.memory.named_parameters()}
    hidden = cell = torch.zeros(4)
    for month in range(3):
        gates = weights["weight_ih_l0"] @ inputs[0, month, :, 1, 0] + weights["bias_ih_l0"]
        gates = gates + weights["weight_hh_l0"] @ hidden + weights["bias_hh_l0"]
        enter, forget, candidate, leave = gates.chunk(4)
        cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
        hidden = leave.sigmoid() * cell.tanh()
    made = network.head(hidden[None, :, None, None])[0, :, 0, 0]
    torch.testing.assert_close(network(inputs)[0, :, 1, 0], made, **ROUNDING)


def test_lstm_knows_the_order_of_months(small):
    network = small("lstm", months=4).eval()
    inputs = torch.rand(1, 4, 6, 3, 3)
    assert (network(inputs) - network(inputs.flip(1))).abs().max() > 1e-3


def test_resnet_s_block_adds_to_what_came_in():
    block = Block(3).eval()
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
    state = torch.randn(1, 3, 5, 5)
    assert torch.equal(block(state), state.clamp(min=0))


@pytest.mark.parametrize(("width", "heads"), [(32, 2), (4, 1), (12, 1)])
def test_vit_s_layer_equals_torch_s_encoder_layer(width, heads):
    torch.manual_seed(0)
    own = Layer(width).eval()
    assert own.heads == heads
    theirs = nn.TransformerEncoderLayer(
        width,
        heads,
        4 * width,
        dropout=0.0,
        activation=functional.gelu,
        batch_first=True,
        norm_first=True,
    ).eval()
    attention, first, second = theirs.self_attn, own.each[1], own.each[3]
    asked, held = own.queries_values.weight.chunk(2)
    asked_bias, held_bias = own.queries_values.bias.chunk(2)
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.cat([asked, own.keys.weight, held]))
        attention.in_proj_bias.copy_(torch.cat([asked_bias, torch.zeros(width), held_bias]))
        attention.out_proj.load_state_dict(own.attended.state_dict())
        theirs.linear1.load_state_dict(first.state_dict())
        theirs.linear2.load_state_dict(second.state_dict())
    tokens = torch.randn(2, 7, width)
    torch.testing.assert_close(own(tokens), theirs(tokens), **ROUNDING)


def test_positions_tell_every_token_apart():
    places = positions(5, 7, 16, torch.device("cpu"))
    assert places.shape == (35, 16)
    assert torch.cdist(places, places).fill_diagonal_(1).min() > 0.1
    torch.testing.assert_close(places[0], torch.tensor([0.0] * 4 + [1.0] * 4).repeat(2))


def test_positions_fit_a_width_that_four_does_not_divide():
    assert positions(2, 3, 6, torch.device("cpu")).shape == (6, 6)
