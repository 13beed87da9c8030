"""The step that runs each network once gives what the plain four-pass step gives."""

import copy
import math
from dataclasses import replace

import pytest
import torch
from training_cases import BEST, CPU

from soilfuse.grids.months import month_axis
from soilfuse.training import losses
from soilfuse.training.plan import finetune_plan
from soilfuse.training.players import assemble
from soilfuse.training.run import Run
from soilfuse.training.step import Batch, Step, cosine


@pytest.fixture
def case(params, fields):
    train = fields.training(month_axis(2000, 2000), CPU)
    plan = finetune_plan(params, 0, {**BEST, "loss.adversarial": 0.5, "loss.perceptual": 0.5})
    plan = replace(plan, discriminator_learning_rate=1e-3)
    return assemble(params, plan, train), train, plan


def batch_of(players, train):
    return Batch(
        train.inputs,
        train.calendar,
        train.target,
        train.insitu,
        train.probability,
        players.perceptual.features(train.target),
    )


def plain_step(players, train, plan):
    """Generator first, then discriminator with a second pass over the same images."""
    generator, judge = players.generator, players.discriminator
    made = generator(train.inputs, train.calendar)
    seen = losses.inside(made, train.target, train.mask)
    factors = plan.factors
    total = (
        factors["mse"] * losses.mean_square(seen, train.target, train.mask)
        + factors["perceptual"]
        * players.perceptual(seen, players.perceptual.features(train.target))
        + factors["adversarial"] * losses.generator_loss(judge(train.target), judge(seen), "ragan")
        + factors["insitu"] * losses.insitu(seen, train.insitu, train.probability, train.mask)
        + factors["total_variation"] * losses.total_variation(seen, train.mask)
    )
    gradients = torch.autograd.grad(total, list(generator.parameters()))
    loss = losses.discriminator_loss(judge(train.target), judge(seen.detach()))
    return gradients, torch.autograd.grad(loss, list(judge.parameters()))


def test_gradients_are_those_of_the_plain_step(case):
    players, train, plan = case
    expected, expected_judge = plain_step(copy.deepcopy(players), train, plan)
    Step(players, plan, train.mask)(batch_of(players, train), rate=1.0)
    for weight, gradient in zip(players.generator.parameters(), expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-3, atol=1e-6)
    for weight, gradient in zip(players.discriminator.parameters(), expected_judge, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-3, atol=1e-6)


def test_the_discriminator_runs_twice_a_step(case):
    players, train, plan = case
    passes = []
    players.discriminator.register_forward_hook(lambda *_: passes.append(1))
    Step(players, plan, train.mask)(batch_of(players, train), rate=1.0)
    assert len(passes) == 2


def test_each_loss_is_returned_by_itself(case):
    players, train, plan = case
    batch = batch_of(players, train)
    with torch.no_grad():
        made = players.generator(train.inputs, train.calendar)
        seen = losses.inside(made, train.target, train.mask)
        logits = players.discriminator(train.target), players.discriminator(seen)
        expected = {
            "mse": losses.mean_square(seen, train.target, train.mask),
            "perceptual": players.perceptual(seen, batch.features),
            "adversarial": losses.generator_loss(*logits, "ragan"),
            "insitu": losses.insitu(seen, train.insitu, train.probability, train.mask),
            "total_variation": losses.total_variation(seen, train.mask),
            "discriminator": losses.discriminator_loss(*logits),
        }
    found = Step(players, plan, train.mask)(batch, rate=1.0)
    total = sum(factor * expected[name] for name, factor in plan.factors.items())
    assert {n: v.item() for n, v in found.items()} == pytest.approx(
        {"loss": total.item(), **{n: v.item() for n, v in expected.items()}}, rel=1e-5
    )


def test_the_generators_turn_computes_no_weight_gradient_of_the_discriminator(case, monkeypatch):
    players, train, plan = case
    step, computed = Step(players, plan, train.mask), []
    for weight in players.discriminator.parameters():
        weight.register_hook(lambda _: computed.append(1))
    own_turn = step._train_discriminator

    def noted(*logits):
        assert not computed
        return own_turn(*logits)

    monkeypatch.setattr(step, "_train_discriminator", noted)
    step(batch_of(players, train), rate=1.0)
    assert len(computed) >= len(list(players.discriminator.parameters()))


def test_the_untrained_generator_counts_where_the_plan_says_so(case, fields):
    players, train, plan = case
    validation = fields.validation(month_axis(2004, 2004), CPU)
    first = copy.deepcopy(players.generator.state_dict())
    plain = Run(copy.deepcopy(players), train, plan)
    plain.begin(validation)
    assert (plain.best, plain.rmse) == ({}, math.inf)
    run = Run(players, train, replace(plan, counts_untrained=True, learning_rate=10.0))
    run.begin(validation)
    score = run.rmse
    run.epoch(validation)  # at a rate that can only do harm
    assert (run.best_epoch, run.rmse, run.stale) == (0, score, 1)
    assert all(torch.equal(weight, first[name]) for name, weight in run.best.items())
    run.begin(validation)  # as after an interruption: epoch 0 is over
    assert run.rmse == score


def test_what_lies_outside_does_not_change_a_step(case):
    players, train, plan = case
    other = copy.deepcopy(players)
    hidden = replace(train, insitu=torch.where(train.mask, train.insitu, 99.0))
    one = Step(players, plan, train.mask)(batch_of(players, train), rate=1.0)
    two = Step(other, plan, train.mask)(batch_of(other, hidden), rate=1.0)
    assert {n: v.item() for n, v in one.items()} == {n: v.item() for n, v in two.items()}


def test_rates_multiply_both_learning_rates(case):
    players, train, plan = case
    step = Step(players, plan, train.mask)
    before = copy.deepcopy(players.generator.state_dict())
    step(batch_of(players, train), rate=0.0)
    for name, weight in players.generator.state_dict().items():
        assert torch.equal(weight, before[name]), name
    step(batch_of(players, train), rate=0.5)
    assert step.optimizer.param_groups[0]["lr"] == plan.learning_rate / 2
    rate = step.discriminator_optimizer.param_groups[0]["lr"]
    assert rate == plan.discriminator_learning_rate / 2


def test_cosine_from_one_to_zero():
    assert cosine(0, 10) == 1
    assert cosine(5, 10) == pytest.approx(0.5)
    assert cosine(10, 10) == pytest.approx(0)
