import numpy as np
import pytest

from soilfuse import names
from soilfuse.baselines.registry import METHODS, build
from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis, month_of


@pytest.fixture
def data():
    rng = np.random.default_rng(7)
    months = month_axis(2000, 2003)
    season = np.sin(2 * np.pi * month_of(months) / 12)[:, None, None, None]
    inputs = 0.2 + 0.05 * season + 0.02 * rng.standard_normal((48, 4, 3, 5))
    target = 0.3 + 0.08 * season + 0.03 * rng.standard_normal((48, 2, 3, 5))
    return inputs.astype(np.float32), target.astype(np.float32), months


def test_registry_holds_every_declared_baseline():
    assert set(METHODS) == set(names.BASELINES)


def test_only_ridge_asks_for_more_than_the_mean_of_the_models():
    needs = {name: METHODS[name]().needs for name in METHODS}
    assert [name for name in needs if needs[name] != "mean"] == ["ridge"]


def test_unknown_baseline_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'delta_change'"):
        build("delta_chnage")


def test_climatology_is_the_mean_of_each_calendar_month(data):
    inputs, target, months = data
    predicted = build("climatology").fit(inputs, target, months).predict(inputs[:14], months[:14])
    np.testing.assert_allclose(predicted[13], target[[1, 13, 25, 37]].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(predicted[1], predicted[13])


def test_ensemble_mean_is_the_same_in_every_layer_and_leaves_a_missing_model_out(data):
    inputs, target, months = data
    inputs[3, 2] = np.nan
    predicted = build("ensemble_mean").fit(inputs, target, months).predict(inputs, months)
    np.testing.assert_allclose(predicted[3, 0], inputs[3, [0, 1, 3]].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(predicted[:, 0], predicted[:, 1])


def test_bias_correction_gives_the_training_mean_and_spread_of_every_calendar_month(data):
    inputs, target, months = data
    predicted = build("bias_corrected_mean").fit(inputs, target, months).predict(inputs, months)
    for number in range(1, 13):
        here = month_of(months) == number
        np.testing.assert_allclose(predicted[here].mean(0), target[here].mean(0), atol=1e-6)
        np.testing.assert_allclose(predicted[here].std(0), target[here].std(0), atol=1e-6)


def test_bias_correction_of_models_that_never_vary_is_the_climatology(data):
    inputs, target, months = data
    still = np.broadcast_to(np.float32(0.3), inputs.shape)
    predicted = build("bias_corrected_mean").fit(still, target, months).predict(inputs, months)
    expected = build("climatology").fit(still, target, months).predict(inputs, months)
    np.testing.assert_array_equal(predicted, expected)


def test_delta_change_hands_a_uniform_wetting_of_the_models_through_to_every_layer(data):
    inputs, target, months = data
    fitted = build("delta_change").fit(inputs, target, months)
    wetter = fitted.predict(inputs + np.float32(0.04), months)
    np.testing.assert_allclose(wetter - fitted.predict(inputs, months), 0.04, atol=1e-6)
    mean = fitted.predict(inputs, months)[month_of(months) == 7].mean(axis=0)
    np.testing.assert_allclose(mean, target[month_of(months) == 7].mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("name", names.BASELINES)
def test_predictions_are_float32_of_the_target_shape_and_do_not_touch_what_they_are_given(
    name, data
):
    inputs, target, months = data
    before = inputs.copy(), target.copy()
    fitted = build(name).fit(inputs[:36], target[:36], months[:36])
    first = fitted.predict(inputs[36:], months[36:])
    second = fitted.predict(inputs[36:], months[36:])
    assert first.dtype == np.float32
    assert first.shape == target[36:].shape
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(inputs, before[0])
    np.testing.assert_array_equal(target, before[1])


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name]().needs == "mean"])
def test_a_single_mean_model_gives_what_all_models_give(name, data):
    inputs, target, months = data
    mean = inputs.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    of_all = build(name).fit(inputs, target, months).predict(inputs, months)
    of_mean = build(name).fit(mean, target, months).predict(mean, months)
    np.testing.assert_allclose(of_mean, of_all, atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(names.BASELINES) - {"ensemble_mean"}))
def test_masked_cells_stay_missing(name, data):
    inputs, target, months = data
    target[:, 1, 0, 0] = np.nan
    predicted = build(name).fit(inputs, target, months).predict(inputs, months)
    assert np.isnan(predicted[:, 1, 0, 0]).all()
    assert np.isfinite(predicted[:, 0]).all()


def test_a_calendar_month_without_training_is_refused(data):
    inputs, target, months = data
    with pytest.raises(UserError, match="calendar month 11, 12"):
        build("climatology").fit(inputs[:10], target[:10], months[:10])
