import pytest
import torch

from soilfuse.networks.discriminator import Discriminator
from soilfuse.networks.registry import parameter_count


def test_published_number_of_weights():
    assert parameter_count(Discriminator(5, 64)) == 5_216_577


@pytest.mark.parametrize("grid", [(71, 151), (29, 61), (7, 9)])
def test_one_raw_logit_an_image(grid):
    logits = Discriminator(3, 4)(torch.rand(4, 3, *grid))
    assert logits.shape == (4,)
    assert logits.dtype == torch.float32
    assert (logits < 0).any() or (logits > 1).any() or logits.std() > 0


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
