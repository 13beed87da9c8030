"""Which months a batch holds, and how often VGG16 looks at anything."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from training_cases import BEST, CPU, MODELS, run

from soilfuse.grids.months import month_axis, month_of
from soilfuse.networks.generator import Generator
from soilfuse.networks.vgg import triples
from soilfuse.training import loop
from soilfuse.training import run as run_module
from soilfuse.training.loop import fit
from soilfuse.training.plan import finetune_plan
from soilfuse.training.players import assemble
from soilfuse.training.run import Run

PLACES = torch.tensor([17, 2, 23, 0, 9])
TARGETS_AT_ONCE = 10


@pytest.fixture
def plan(params):
    values = {**BEST, "loss.adversarial": 0.0, "loss.perceptual": 0.5, "loss.insitu": 0.1}
    return replace(finetune_plan(params, 0, values), epochs=2, batch=9)


def looking_back(params, fields, months):
    """Give networks and data of one that looks at so many months."""
    name, depth = ("pscnet", 3) if months > 1 else ("unet", 2)
    update = {"name": name, "months": months, "depth": depth, "width": 4}
    network = params.network.model_copy(update=update)
    return params.model_copy(update={"network": network}), replace(fields, trailing=months)


@pytest.mark.parametrize("trailing", [1, 3])
def test_each_field_of_a_batch_is_that_of_its_months(params, fields, plan, trailing):
    params, fields = looking_back(params, fields, trailing)
    train = fields.training(month_axis(2000, 2001), CPU)
    players = assemble(params, plan, train)
    batch = Run(players, train, plan)._batch(PLACES)
    months = train.months[PLACES.numpy()]
    seen = [months.astype("datetime64[M]") - back for back in range(trailing - 1, -1, -1)]
    inputs = np.stack([fields.inputs.at(wanted) for wanted in seen], axis=1)
    assert inputs.shape[1:3] == (trailing, MODELS)
    np.testing.assert_array_equal(batch.inputs, inputs[:, 0] if trailing == 1 else inputs)
    np.testing.assert_array_equal(batch.calendar, month_of(months) - 1)
    for name in ("target", "insitu", "probability"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(fields, name).at(months), name)
    features = players.perceptual.features(train.target[PLACES])
    assert (features[:, 0] - features[:, 1]).abs().max() > 1e-3  # so that months can be told apart
    torch.testing.assert_close(batch.features, features, rtol=0, atol=1e-5)
    assert batch.share == 1


def test_terms_that_are_not_used_have_no_field(params, fields, plan):
    train = fields.training(month_axis(2000, 2001), CPU)
    loss = plan.loss.model_copy(update={"insitu": 0.0, "perceptual": 0.0})
    without = replace(plan, loss=loss)
    batch = Run(assemble(params, without, train), train, without)._batch(PLACES)
    assert (batch.insitu, batch.probability, batch.features) == (None, None, None)


@pytest.fixture
def looked_at(params, plan, train, monkeypatch):
    """Give networks, and the shapes of all that their VGG16 looks at."""
    monkeypatch.setattr(run_module, "BATCH", TARGETS_AT_ONCE)
    players, shapes = assemble(params, plan, train), []
    vgg = players.perceptual.vgg
    vgg.register_forward_hook(lambda _, given, __: shapes.append(given[0].shape[0]))
    return players, shapes


def test_vgg_looks_at_each_target_once_and_at_each_image_made_once(
    looked_at, train, validation, plan
):
    players, shapes = looked_at
    each = len(triples(train.target.shape[1]))
    run = Run(players, train, plan)
    assert shapes == [each * months for months in (10, 10, 4)]
    del shapes[:]
    batch = run._batch(PLACES)
    assert shapes == []
    run.step(batch, rate=1.0)
    assert shapes == [each * len(PLACES)]
    del shapes[:]
    run.epoch(validation)
    assert shapes == [each * months for months in (8, 8, 8)]


def test_vgg_looks_at_nothing_else_in_a_whole_training(looked_at, train, validation, plan):
    players, shapes = looked_at
    fit(players, train, validation, plan)
    targets, batches = 3, 3  # 24 months by 10, and by at most 9
    assert len(shapes) == targets + plan.epochs * batches


def test_weights_and_shuffles_are_drawn_from_streams_of_their_own(
    params, plan, train, validation, monkeypatch
):
    seeds = {}

    def noting(name, function):
        def called(*arguments, **named):
            seeds[name] = torch.initial_seed()
            return function(*arguments, **named)

        return called

    monkeypatch.setattr(
        "soilfuse.training.players.Generator",
        noting("weights", Generator),
    )
    monkeypatch.setattr(loop, "Run", noting("training", Run))
    for seed in (plan.seed, plan.seed + 1):
        run(params, replace(plan, epochs=1, seed=seed), train, validation)
        seeds[seed] = {seeds.pop("weights"), seeds.pop("training")}
    assert len(set.union(*seeds.values())) == 4
