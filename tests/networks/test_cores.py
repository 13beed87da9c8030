"""What every network of the registry must do."""

import io

import pytest
import torch

from soilfuse import names
from soilfuse.networks.registry import core
from soilfuse.networks.sizes import Sizes

EACH = pytest.mark.parametrize("name", names.NETWORKS)
CELL_BY_CELL = ("lstm",)  # networks that see no neighbour
ROUNDING = {"rtol": 1e-4, "atol": 1e-5}


@EACH
@pytest.mark.parametrize("grid", [(71, 151), (29, 61), (7, 9), (16, 16), (1, 3), (4, 2)])
def test_any_grid_comes_back_in_its_own_size(small, name, grid):
    made = small(name).eval()(torch.rand(2, 6, *grid))
    assert made.shape == (2, 3, *grid)
    assert made.isfinite().all()


@EACH
def test_maps_are_not_bounded(small, name):
    network = small(name).eval()
    with torch.no_grad():
        network.head.bias.copy_(torch.tensor([-7.0, 0.0, 9.0]))
        made = network(torch.rand(1, 6, 9, 9)).mean(dim=(0, 2, 3))
    assert made[0] < -4
    assert made[2] > 5


@EACH
def test_head_is_the_last_step_and_works_cell_by_cell(small, name):
    network = small(name).eval()
    inputs = torch.rand(1, 6, 9, 7)
    seen = []
    network.head.register_forward_hook(lambda head, given, made: seen.append((given[0], made)))
    made = network(inputs)
    assert network.head.kernel_size == (1, 1)
    assert torch.equal(made, seen[0][1])
    assert seen[0][0].shape[-2:] == (9, 7)


@EACH
def test_every_weight_gets_a_gradient(small, name):
    months = 13 if name in names.TRAILING else 1
    network = small(name, months=months)
    shape = (2, months, 6, 17, 14) if months > 1 else (2, 6, 17, 14)
    network(torch.rand(shape)).square().mean().backward()
    for weight_name, weight in network.named_parameters():
        assert weight.grad is not None, weight_name
        assert weight.grad.isfinite().all(), weight_name
        assert weight.grad.abs().sum() > 0, weight_name


@EACH
@pytest.mark.parametrize("channel", [0, 3, 4, 5])
def test_every_channel_matters(small, name, channel):
    network = small(name).eval()
    inputs = torch.rand(1, 6, 12, 12)
    other = inputs.clone()
    other[:, channel] += 0.5
    assert (network(inputs) - network(other)).abs().max() > 1e-5


@EACH
def test_samples_of_a_batch_do_not_meet(small, name):
    network = small(name).eval()
    inputs = torch.rand(3, 6, 9, 11)
    torch.testing.assert_close(network(inputs)[1:2], network(inputs[1:2]), **ROUNDING)


@EACH
def test_channels_last_equals_contiguous(small, name):
    network = small(name).eval()
    inputs = torch.rand(2, 6, 13, 10)
    expected = network(inputs)
    last = {"memory_format": torch.channels_last}
    torch.testing.assert_close(network.to(**last)(inputs.to(**last)), expected, **ROUNDING)


@EACH
def test_dropout_leaves_weights_and_evaluation_as_they_are(small, name):
    without, with_dropout = small(name).eval(), small(name, dropout=0.5).eval()
    assert list(without.state_dict()) == list(with_dropout.state_dict())
    for key, weight in without.state_dict().items():
        assert torch.equal(weight, with_dropout.state_dict()[key]), key
    inputs = torch.rand(2, 6, 9, 9)
    assert torch.equal(without(inputs), with_dropout(inputs))


@EACH
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_dropout_works_in_training_only(small, name, dropout):
    network = small(name, width=8, dropout=dropout)
    inputs = torch.rand(2, 6, 17, 17)
    assert network.training
    assert torch.equal(network(inputs), network(inputs)) == (dropout == 0)


@EACH
def test_dropout_takes_whole_channels(small, name):
    network = small(name, width=16, dropout=0.5)
    seen = []
    drop = next(layer for layer in network.modules() if isinstance(layer, torch.nn.Dropout2d))
    drop.register_forward_hook(lambda layer, given, made: seen.append((given[0], made)))
    network(torch.rand(2, 6, 32, 32))
    given, made = seen[0]
    kept = (made == 2 * given).all(dim=-1).all(dim=-1)
    gone = (made == 0).all(dim=-1).all(dim=-1)
    assert (kept | gone).all()
    assert kept.any()
    assert gone.any()


@EACH
def test_bf16_autocast_stays_near_float32(small, name):
    network = small(name, width=8)
    inputs = torch.rand(2, 6, 19, 21)
    seen = []
    network.head.register_forward_pre_hook(lambda _, given: seen.append(given[0].dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = network(inputs)
    made.float().square().mean().backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters())
    expected = small(name, width=8)(inputs)
    assert seen == [torch.bfloat16]
    assert made.dtype == torch.float32
    assert (made.float() - expected).square().mean().sqrt() < 0.05 * expected.std()


@EACH
def test_weights_can_be_assigned_to_a_network_that_has_none(small, name):
    network = small(name)
    network(torch.rand(4, 6, 16, 16))  # moves what batch normalisation has seen
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    with torch.device("meta"):
        empty = core(name, Sizes(4, 2, 3, 4, 2, 0.0, 1))
    empty.load_state_dict(torch.load(file), assign=True)
    inputs = torch.rand(1, 6, 9, 5)
    assert torch.equal(empty.eval()(inputs), network.eval()(inputs))


@EACH
def test_export_gives_the_same_maps(small, name):
    network = small(name).eval()
    inputs = torch.rand(2, 6, 9, 11)
    exported = torch.export.export(network, (inputs,)).module()
    torch.testing.assert_close(exported(inputs), network(inputs), **ROUNDING)


@EACH
def test_same_seed_same_weights_and_another_seed_others(small, name):
    one, same = small(name), small(name)
    torch.manual_seed(1)
    other = core(name, Sizes(4, 2, 3, 4, 2, 0.0, 1))
    for key, weight in one.named_parameters():
        assert torch.equal(weight, same.get_parameter(key)), key
    assert not torch.equal(one.head.weight, other.head.weight)


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_signal_neither_fades_nor_explodes_on_its_way(name, seed):
    torch.manual_seed(seed)
    network = core(name, Sizes(17, 0, 5, 12, 3, 0.0, 1))
    spread = network(torch.randn(2, 17, 32, 32)).std(dim=(2, 3)).mean()
    assert 0.05 < spread < 5


@EACH
def test_it_learns_a_blurred_mean_of_its_inputs(name):
    torch.manual_seed(0)
    network = core(name, Sizes(3, 0, 1, 8, 2, 0.0, 1))
    inputs = torch.randn(8, 3, 8, 8)
    target = inputs.mean(dim=1, keepdim=True)
    if name not in CELL_BY_CELL:
        target = torch.nn.functional.avg_pool2d(target, 3, 1, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(50):
        loss = (network(inputs) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.4 * target.var()
