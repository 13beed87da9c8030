import pytest
import torch
from torch.nn import functional

from soilfuse.networks import pscnet
from soilfuse.networks.pscnet import CoarseExcitation, TemporalFusion, high_pass, looking_back

CPU = torch.device("cpu")


def fusion(channels=8, months=13):
    torch.manual_seed(0)
    module = TemporalFusion(channels, months)
    with torch.no_grad():
        module.pool.normal_()
    return module


def plain_memory(series, weights):
    """Convolve one (T,) series with (L,) weights, looking back; before the first is the first."""
    length = len(weights)
    longer = torch.cat([series[:1].expand(length - 1), series])
    return functional.conv1d(longer[None, None], weights[None, None])[0, 0]


def test_memories_are_those_of_plain_convolutions_in_time():
    module = fusion()
    series = torch.randn(8, 13)
    made = torch.einsum("cst,ct->cs", module.filters(), series)
    for channel in range(8):
        band, place = divmod(channel, 2)
        own = series[channel]
        if band == 3:
            own = own - plain_memory(own, torch.full((12,), 1 / 12))
        expected = plain_memory(own, module.bands[band][place])
        torch.testing.assert_close(made[channel], expected, rtol=1e-4, atol=1e-5)


def test_each_length_has_its_share_of_any_number_of_channels():
    assert [tuple(band.shape) for band in TemporalFusion(6, 2).bands] == [
        (2, 3),
        (2, 6),
        (1, 12),
        (1, 3),
    ]


def test_high_pass_takes_away_what_is_constant_and_keeps_what_alternates():
    series = torch.full((24,), 0.3)
    torch.testing.assert_close(high_pass(24, CPU) @ series, torch.zeros(24), rtol=0, atol=1e-6)
    alternating = torch.tensor([1.0, -1.0] * 12)
    torch.testing.assert_close((high_pass(24, CPU) @ alternating)[12:], alternating[12:])


@pytest.mark.parametrize("months", [1, 2, 5, 12])
def test_windows_end_at_their_month_and_begin_no_earlier_than_the_first(months):
    shown = looking_back(months, 3, CPU)
    expected = [[max(0, month - back) for back in (2, 1, 0)] for month in range(months)]
    assert shown.argmax(dim=-1).tolist() == expected
    assert torch.equal(shown.sum(dim=-1), torch.ones(months, 3))


def test_months_are_fused_cell_by_cell():
    module = fusion()
    months = torch.randn(2, 13, 8, 3, 5)
    whole = module(months)
    alone = module(months[..., 1:2, 4:5])
    torch.testing.assert_close(whole[..., 1:2, 4:5], alone, rtol=1e-4, atol=1e-5)


def test_values_are_those_of_a_plainly_written_fusion():
    module = fusion(months=4)
    months = torch.randn(1, 4, 8, 1, 1)
    memory = torch.einsum("cst,tc->sc", module.filters(), months[0, :, :, 0, 0])
    mix, gate = module.mix.weight[..., 0, 0], module.gate.weight[..., 0, 0]
    mixed = torch.sigmoid(memory @ gate.T + module.gate.bias) * (memory @ mix.T + module.mix.bias)
    shares = module.pool.exp() / module.pool.exp().sum(dim=1, keepdim=True)
    expected = ((months[0, :, :, 0, 0] + mixed) * shares.T).sum(dim=0)
    torch.testing.assert_close(module(months)[0, :, 0, 0], expected, rtol=1e-4, atol=1e-5)


def test_order_of_the_months_matters(small):
    network = small("pscnet", months=6).eval()
    inputs = torch.rand(1, 6, 6, 8, 8)
    assert (network(inputs) - network(inputs.flip(1))).abs().max() > 1e-4


def test_one_month_may_come_with_or_without_its_axis(small):
    network = small("pscnet").eval()
    inputs = torch.rand(2, 6, 9, 5)
    assert torch.equal(network(inputs), network(inputs[:, None]))


def test_another_number_of_months_is_refused(small):
    with pytest.raises(RuntimeError):
        small("pscnet", months=6)(torch.rand(1, 5, 6, 8, 8))


def test_kernels_grow_from_stage_to_stage(small):
    kernels = [stage.filters.kernel_size for stage in small("pscnet", depth=3).stages]
    assert kernels == [(3, 3), (5, 5), (7, 7)]


def test_coarse_excitation_is_bilinear_between_squares():
    torch.manual_seed(0)
    excitation = CoarseExcitation(8)
    state = torch.randn(2, 8, 12, 20)
    squeezed = state.unflatten(-1, (4, 5)).unflatten(-3, (4, 3)).mean(dim=(-1, -3))
    gates = torch.nn.Upsample(size=(12, 20), mode="bilinear")(excitation.gate(squeezed))
    torch.testing.assert_close(excitation(state), state * torch.sigmoid(gates))


def test_coarse_excitation_keeps_a_local_change_local():
    torch.manual_seed(0)
    excitation = CoarseExcitation(8)
    state = torch.rand(1, 8, 16, 32)
    other = state.clone()
    other[..., :4, :8] += 1  # one corner square gets wetter
    change = (excitation(other) - excitation(state)).abs().sum(dim=1)[0]
    assert change[:4, :8].min() > 0
    assert change[8:].max() == 0
    assert change[:, 16:].max() == 0


def test_stages_add_to_what_comes_in():
    stage = pscnet.Stage(4, 5)
    with torch.no_grad():
        for layer in (stage.filters, stage.project):
            layer.weight.zero_()
            layer.bias.zero_()
    state = torch.randn(1, 4, 8, 8)
    assert torch.equal(stage(state), state)
