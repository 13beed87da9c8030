import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soilfuse.training import losses

logits = st.lists(st.floats(-30, 30), min_size=2, max_size=8).map(
    lambda v: torch.tensor(v, dtype=torch.float32)
)
MASK = torch.tensor([[True, True, False], [True, False, False]])


@settings(max_examples=80, deadline=None)
@given(real=logits, fake=logits, shift=st.floats(-50, 50))
def test_relativistic_losses_do_not_see_a_shift_of_all_logits(real, fake, shift):
    for loss in (
        losses.discriminator_loss,
        lambda r, f: losses.generator_loss(r, f, "ragan"),
        lambda r, f: losses.generator_loss(r, f, "authors"),
    ):
        before, after = loss(real, fake), loss(real + shift, fake + shift)
        torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


@settings(max_examples=80, deadline=None)
@given(real=logits, fake=logits)
def test_the_players_want_the_opposite(real, fake):
    torch.testing.assert_close(
        losses.discriminator_loss(real, fake), losses.generator_loss(fake, real, "ragan")
    )


@settings(max_examples=80, deadline=None)
@given(real=logits, fake=logits, form=st.sampled_from(["ragan", "authors", "discriminator"]))
def test_logit_gradients_sum_to_zero(real, fake, form):
    real, fake = real.clone().requires_grad_(), fake.clone().requires_grad_()
    if form == "discriminator":
        losses.discriminator_loss(real, fake).backward()
    else:
        losses.generator_loss(real, fake, form).backward()
    assert abs((real.grad.sum() + fake.grad.sum()).item()) < 1e-5


def test_equal_logits_cost_two_ln_two():
    equal = torch.full((4,), 3.7)
    assert losses.discriminator_loss(equal, equal).item() == pytest.approx(2 * math.log(2))
    assert losses.generator_loss(equal, equal, "ragan").item() == pytest.approx(2 * math.log(2))
    assert losses.generator_loss(equal, equal, "authors").item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("form", ["ragan", "authors"])
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_extreme_logits_stay_finite(form, size):
    real = torch.full((3,), size, requires_grad=True)
    fake = torch.full((3,), -size, requires_grad=True)
    for loss in (losses.discriminator_loss(real, fake), losses.generator_loss(real, fake, form)):
        assert torch.isfinite(loss)
        for gradient in torch.autograd.grad(loss, (real, fake)):
            assert torch.isfinite(gradient).all()


def test_losses_against_sigmoid_and_logarithm():
    real, fake = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([0.1, 0.4, -0.7])
    d_real = torch.sigmoid(real - fake.mean())
    d_fake = torch.sigmoid(fake - real.mean())
    expected = -d_real.log().mean() - (1 - d_fake).log().mean()
    torch.testing.assert_close(losses.discriminator_loss(real, fake), expected)
    torch.testing.assert_close(losses.generator_loss(real, fake, "authors"), -d_fake.log().mean())


def test_ragan_sends_gradient_through_the_mean_of_fakes():
    real, fake = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 0.0], requires_grad=True)
    full = torch.autograd.grad(losses.generator_loss(real, fake, "ragan"), fake)[0]
    partial = torch.autograd.grad(losses.generator_loss(real, fake, "authors"), fake)[0]
    through_mean = torch.sigmoid(real - fake.mean()).mean() / 2
    torch.testing.assert_close(full - partial, -through_mean.expand(2))


def test_half_precision_logits_are_widened():
    real, fake = torch.tensor([1.0, 2.0]).bfloat16(), torch.tensor([0.0, 1.0]).bfloat16()
    assert losses.discriminator_loss(real, fake).dtype == torch.float32


def test_mean_square_by_hand():
    images = torch.tensor([[[[0.1, 0.4, 9.0], [0.2, 9.0, 9.0]]]])
    target = torch.tensor([[[[0.0, 0.2, 0.0], [0.2, 0.0, 0.0]]]])
    assert losses.mean_square(images, target, MASK).item() == pytest.approx((0.01 + 0.04) / 3)


def test_nothing_outside_reaches_a_loss_or_its_gradient():
    torch.manual_seed(0)
    images = torch.rand(2, 3, 2, 3, requires_grad=True)
    target = torch.where(MASK, torch.rand(2, 3, 2, 3), torch.nan)
    one = torch.ones_like(target)
    for loss in (
        losses.mean_square(images, target, MASK),
        losses.insitu(images, target, one, MASK),
        losses.total_variation(images, MASK),
    ):
        assert torch.isfinite(loss)
        gradient = torch.autograd.grad(loss, images)[0]
        assert (gradient[..., ~MASK] == 0).all()
        assert (gradient[..., MASK] != 0).any()


def test_insitu_by_hand_and_against_mean_square():
    images = torch.tensor([[[[0.1, 0.4, 9.0], [0.2, 9.0, 9.0]]]])
    stations = torch.tensor([[[[0.0, 0.2, 0.0], [0.4, 0.0, 0.0]]]])
    probability = torch.tensor([[[[0.5, 1.0, 1.0], [0.25, 1.0, 1.0]]]])
    expected = (0.5 * 0.01 + 0.04 + 0.25 * 0.04) / 3
    assert losses.insitu(images, stations, probability, MASK).item() == pytest.approx(expected)
    torch.testing.assert_close(
        losses.insitu(images, stations, torch.ones_like(images), MASK),
        losses.mean_square(images, stations, MASK),
    )


def test_total_variation_sums_pairs_inside_by_hand():
    images = torch.tensor([[[[0.1, 0.4, 9.0], [0.3, 9.0, 9.0]]]])
    assert losses.total_variation(images, MASK).item() == pytest.approx(0.09 + 0.04)
    doubled = images.repeat(2, 3, 1, 1)  # averaged over images, summed over layers
    assert losses.total_variation(doubled, MASK).item() == pytest.approx(3 * 0.13)


def test_total_variation_against_two_loops():
    rng = np.random.default_rng(1)
    image, mask = rng.random((6, 8)), rng.random((6, 8)) > 0.3
    expected = 0.0
    for y in range(6):
        for x in range(8):
            if x and mask[y, x] and mask[y, x - 1]:
                expected += (image[y, x] - image[y, x - 1]) ** 2
            if y and mask[y, x] and mask[y - 1, x]:
                expected += (image[y, x] - image[y - 1, x]) ** 2
    found = losses.total_variation(torch.from_numpy(image)[None, None], torch.from_numpy(mask))
    assert found.item() == pytest.approx(expected)


def test_inside_takes_the_target_outside():
    images, target = torch.zeros(1, 1, 2, 3), torch.ones(1, 1, 2, 3)
    assert losses.inside(images, target, MASK).tolist() == [[[[0, 0, 1], [0, 1, 1]]]]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31), share=st.floats(0.1, 0.9), size=st.sampled_from([(2, 2), (5, 7)])
)
def test_no_term_sees_nan_outside(seed, share, size):
    draw = torch.Generator().manual_seed(seed)
    mask = torch.rand(size, generator=draw) < share
    mask[0, 0] = True
    images, target, density = torch.rand(3, 2, 3, *size, generator=draw, dtype=torch.float64)

    def every(outside):
        made = torch.where(mask, images, outside).requires_grad_()
        other, weight = (torch.where(mask, field, outside) for field in (target, density))
        terms = torch.stack(
            [
                losses.mean_square(made, other, mask),
                losses.insitu(made, other, weight, mask),
                losses.total_variation(made, mask),
            ]
        )
        return terms, torch.autograd.grad(terms.sum(), made)[0]

    for found, expected in zip(every(torch.nan), every(0.0), strict=True):
        assert torch.isfinite(found).all()
        torch.testing.assert_close(found, expected)
