import torch
from torch.nn import functional

from soilfuse.networks import ynet
from soilfuse.networks.sizes import Sizes


def plain(network, inputs, models, factor):
    """YNet as SCIENCE describes it, from the weights by their names."""
    weights = network.state_dict()

    def conv(key, state):
        return functional.conv2d(state, weights[f"{key}.weight"], weights[f"{key}.bias"], padding=1)

    coarse = inputs[:, :models].unflatten(-1, (-1, factor)).unflatten(-3, (-1, factor))
    state = coarse = coarse.mean(dim=(-1, -3))
    kept = []
    for number in range(15):
        state = conv(f"down.{number}", state).relu()
        if number % 2 == 1:
            kept.append(state)
    for number in range(15):
        up = (weights[f"up.{number}.transposed.weight"], weights[f"up.{number}.transposed.bias"])
        state = functional.conv_transpose2d(state, *up, padding=1).relu()
        state = conv(f"up.{number}.smooth", state)
        if number % 2 == 0 and kept:
            state = state + kept.pop()
        state = state.relu() if number < 14 else state + coarse
    state = conv("before", state).relu()
    state = torch.nn.Upsample(scale_factor=factor, mode="bilinear")(state)
    state = conv("after", state).relu()
    state = conv("fuse", torch.cat([state, inputs], dim=1)).relu()
    return functional.conv2d(state, weights["head.weight"], weights["head.bias"])


def test_values_are_those_of_a_plainly_written_ynet(small):
    network = small("ynet")
    inputs = torch.randn(2, 6, 12, 20)
    torch.testing.assert_close(network(inputs), plain(network, inputs, 4, 4))


def test_it_has_the_papers_30_convolutions_and_15_deconvolutions_before_upsampling(small):
    layers = list(small("ynet").down.modules()) + list(small("ynet").up.modules())
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in layers) == 30
    assert sum(isinstance(layer, torch.nn.ConvTranspose2d) for layer in layers) == 15


def test_static_fields_are_not_coarsened(small):
    network = small("ynet")
    inputs = torch.rand(1, 6, 16, 16)
    seen = []
    network.down[0].register_forward_hook(lambda layer, given, made: seen.append(given[0]))
    network(inputs)
    torch.testing.assert_close(seen[0], functional.avg_pool2d(inputs[:, :4], 4))


def test_coarse_features_begin_near_the_coarse_inputs():
    for seed in range(3):
        torch.manual_seed(seed)
        network = ynet.Network(Sizes(25, 2, 1, 64, 3, 0.0, 1))
        coarse = 0.2 + 0.05 * torch.randn(2, 25, 9, 19)
        with torch.no_grad():
            correction = network.features(coarse) - coarse
        assert 0.001 < correction.std() < coarse.square().mean().sqrt()


def test_factor_is_two_to_the_depth(small):
    assert small("ynet", depth=3).factor == 8
