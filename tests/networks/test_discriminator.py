import pytest
import torch
from torch.nn import functional

from soilfuse.networks.discriminator import Discriminator
from soilfuse.networks.registry import parameter_count

BLOCKS = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2))  # (n, s), figure 4
EPS = 1e-5  # torch's, which the published code leaves as it is


def with_weights_apart(judge):
    """Give every weight and running mean a value of its own, so that none is a 1 or a 0."""
    draw = torch.Generator().manual_seed(4)
    for name, weight in judge.state_dict().items():
        if weight.is_floating_point() and weight.ndim == 1:
            share = torch.rand(weight.shape, generator=draw)
            small = name.endswith("running_var")  # so that logits in evaluation differ by image
            weight.copy_(0.01 + 0.02 * share if small else share - 0.4)
    return judge


def leaky(state):
    return torch.where(state > 0, state, 0.2 * state)


def normalised(weights, key, state, training):
    mean, variance = weights[f"{key}.running_mean"], weights[f"{key}.running_var"]
    if training:
        mean, variance = state.mean(dim=(0, 2, 3)), state.var(dim=(0, 2, 3), correction=0)
    scale = weights[f"{key}.weight"] / (variance + EPS).sqrt()
    return (state - mean[:, None, None]) * scale[:, None, None] + weights[f"{key}.bias"][
        :, None, None
    ]


def plain_logits(weights, images, width, training):
    """The discriminator as its figure 4 says it, from the weights by their names."""
    kernel, bias = weights["features.0.weight"], weights["features.0.bias"]
    assert kernel.shape[0] == width
    state = leaky(functional.conv2d(images, kernel, bias, stride=1, padding=1))
    for number, (count, stride) in enumerate(BLOCKS):
        place = 2 + 3 * number
        kernel, bias = weights[f"features.{place}.weight"], weights[f"features.{place}.bias"]
        assert kernel.shape[0] == count * width // 64
        state = functional.conv2d(state, kernel, bias, stride=stride, padding=1)
        state = leaky(normalised(weights, f"features.{place + 1}", state, training))
    pooled = state.mean(dim=(2, 3))
    dense = leaky(pooled @ weights["dense.0.weight"].T + weights["dense.0.bias"])
    assert dense.shape[1] == 1024 * width // 64
    return (dense @ weights["dense.2.weight"].T + weights["dense.2.bias"])[:, 0]


@pytest.mark.parametrize("training", [True, False])
def test_logits_are_those_of_a_plainly_written_discriminator(training):
    torch.manual_seed(2)
    judge = with_weights_apart(Discriminator(3, 8)).train(training)
    images = torch.rand(5, 3, 33, 47)
    weights = {name: weight.clone() for name, weight in judge.state_dict().items()}
    expected = plain_logits(weights, images, 8, training)
    assert expected.std() > 1e-3  # else a constant would do
    torch.testing.assert_close(judge(images), expected, rtol=1e-4, atol=1e-5)


def test_published_number_of_weights():
    assert parameter_count(Discriminator(5, 64)) == 5_216_577


@pytest.mark.parametrize("grid", [(71, 151), (29, 61), (7, 9)])
def test_one_raw_logit_an_image(grid):
    judge = Discriminator(3, 4)
    torch.nn.init.constant_(judge.dense[2].bias, 9.0)
    logits = judge(torch.rand(4, 3, *grid))
    assert logits.shape == (4,)
    assert logits.dtype == torch.float32
    assert (logits > 5).all()  # which no sigmoid gives


def test_logits_stay_float32_under_autocast():
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = Discriminator(3, 4)(torch.rand(4, 3, 16, 16))
    assert logits.dtype == torch.float32
    assert not torch.equal(logits, logits.bfloat16().float())  # not rounded on their way either
    logits.sum().backward()


def test_strides_halve_the_grid_four_times():
    features = Discriminator(3, 4).features(torch.rand(2, 3, 64, 32))
    assert features.shape == (2, 32, 4, 2)


def test_it_learns_to_tell_smooth_from_noise():
    torch.manual_seed(1)
    judge = Discriminator(1, 4)
    optimizer = torch.optim.Adam(judge.parameters(), lr=3e-3)
    for _ in range(40):
        smooth = torch.rand(8, 1, 1, 1).expand(8, 1, 16, 16)
        noise = torch.rand(8, 1, 16, 16)
        loss = torch.nn.functional.softplus(judge(noise) - judge(smooth)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.3
