"""What generators know of their training months before they learn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from training_cases import BEST, CPU, GRID, LAYERS, MODELS, boundary

from soilfuse.errors import UserError
from soilfuse.grids.climatology import monthly_climatology, smooth_climatology
from soilfuse.grids.months import month_axis
from soilfuse.training.around import around
from soilfuse.training.plan import finetune_plan
from soilfuse.training.players import assemble
from soilfuse.training.validation import masked_rmse


@pytest.fixture(scope="module")
def months_of_training(fields):
    return fields.training(month_axis(2004, 2009), CPU)


def with_network(params, **changes):
    return params.model_copy(update={"network": params.network.model_copy(update=changes)})


def test_climate_models_have_their_climatology_and_spread(months_of_training):
    train = months_of_training
    found = around(train, None, inputs="anomalies", residual=False)
    mean = monthly_climatology(train.inputs.numpy(), train.months)
    np.testing.assert_allclose(found.model_mean.numpy(), mean)
    departure = (train.inputs.numpy() - mean[np.arange(72) % 12])[:, :, boundary()]
    expected = departure.std(axis=(0, 2), ddof=1)
    np.testing.assert_allclose(found.model_spread.numpy(), expected, rtol=1e-4)
    assert found.base is None


def test_differences_have_the_spread_around_the_multi_model_mean(months_of_training):
    train = months_of_training
    found = around(train, None, inputs="differences", residual=False)
    departure = train.inputs.numpy() - found.model_mean.numpy()[np.arange(72) % 12]
    departure = (departure - departure.mean(axis=1, keepdims=True))[:, :, boundary()]
    expected = departure.std(axis=(0, 2), ddof=1)
    np.testing.assert_allclose(found.model_spread.numpy(), expected, rtol=1e-4)


def test_the_base_is_the_smoothed_climatology_and_what_is_left_its_spread(months_of_training):
    train = months_of_training
    found = around(train, None, inputs="soil_moisture", residual=True)
    smooth, _ = smooth_climatology(train.target.numpy(), train.months, boundary())
    np.testing.assert_array_equal(found.base.numpy(), smooth)
    left = (train.target.numpy() - smooth[np.arange(72) % 12])[:, :, boundary()]
    np.testing.assert_allclose(found.spread.numpy(), left.std(axis=(0, 2), ddof=1), rtol=1e-4)
    varies = smooth[:, :, boundary()].std(axis=(0, 2))
    np.testing.assert_allclose(found.response.numpy(), varies / varies[0], rtol=1e-3)
    assert found.response[0] == 1


def test_static_maps_are_scaled_inside_the_boundary(months_of_training):
    maps = np.stack([np.arange(63.0).reshape(GRID), np.full(GRID, 7.0)])
    found = around(months_of_training, maps, inputs="soil_moisture", residual=False).static.numpy()
    assert found[0][boundary()].mean() == pytest.approx(0, abs=1e-6)
    assert found[0][boundary()].std(ddof=1) == pytest.approx(1, rel=1e-5)
    assert (found[1] == 0).all()
    maps[0, 0, 0] = np.nan
    with pytest.raises(UserError, match="a static map has cells without a value"):
        around(months_of_training, maps, inputs="soil_moisture", residual=False)


def test_an_assembled_residual_begins_as_its_simple_method(params, fields, months_of_training):
    residual = with_network(params, residual="climatology", inputs="anomalies", season=True)
    plan = finetune_plan(residual, 0, BEST)
    assert plan.counts_untrained
    players = assemble(residual, plan, months_of_training)
    inner = fields.validation(month_axis(2013, 2014), CPU)
    simple = players.generator.base[inner.calendar]
    error = (simple - inner.target)[:, :, inner.mask].double().square().mean().sqrt().item()
    assert masked_rmse(players.generator, inner, "fp32") == pytest.approx(error, rel=1e-6)


def test_static_maps_become_channels(params, months_of_training):
    maps = np.stack([np.arange(63.0).reshape(GRID)] * 2)
    plan = finetune_plan(params, 0, BEST)
    players = assemble(params, plan, months_of_training, static=maps)
    assert players.generator.static.shape == (2, *GRID)
    first = next(players.generator.core.parameters())
    assert first.shape[1] == MODELS + 2
    assert players.generator.core.head.out_channels == LAYERS


def test_trailing_months_come_from_before_the_training_months(params, fields):
    looking_back = replace(fields, trailing=3)
    train = looking_back.training(month_axis(2004, 2005), CPU)
    assert len(train) == 24
    assert train.inputs.shape[0] == 26
    given = train.inputs_at(torch.tensor([0, 5]))
    assert given.shape == (2, 3, MODELS, *GRID)
    start = int(np.flatnonzero(fields.inputs.time == np.datetime64("2004-01-01"))[0])
    np.testing.assert_array_equal(given[0].numpy(), fields.inputs.values[start - 2 : start + 1])
    np.testing.assert_array_equal(given[1].numpy(), fields.inputs.values[start + 3 : start + 6])
    first = looking_back.training(month_axis(1990, 1990), CPU).inputs_at(slice(0, 1))
    np.testing.assert_array_equal(first[0].numpy(), fields.inputs.values[[10, 11, 0]])
