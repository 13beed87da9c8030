"""Climate models left out one by one: by hand, against methods fitted without them, and refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from champion_cases import DOMAIN, NETWORK, SOURCES, write_champion
from hypothesis import given, settings
from hypothesis import strategies as st

from soilfuse import config
from soilfuse.baselines.registry import build
from soilfuse.errors import UserError
from soilfuse.grids.climatology import monthly_climatology
from soilfuse.grids.months import month_axis, month_of
from soilfuse.grids.regions import regions_of
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.fitted import NO_NETWORK, FittedMember
from soilfuse.inference.inputs import needs_climatologies
from soilfuse.inference.jackknife import LeavingOut, Tally, mean_changes, replaced, standard_error
from soilfuse.inference.leaving_out import MISSING, leaving_out
from soilfuse.inference.prediction import Prediction
from soilfuse.networks.generator import Generator

REGIONS = regions_of(config.Domain(**DOMAIN))
SHAPE = (7, 11)
WEIGHTS = np.where(REGIONS.inside, 1 / REGIONS.inside.sum(), 0).astype(np.float32)
ANOMALOUS = {"inputs": "differences", "residual": "forced_change"}


def uniform(seed, shape, low=0.15, high=0.35):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def generator(seed=3, **changes):
    """Return a network whose climatologies and weights are all drawn."""
    torch.manual_seed(seed)
    network = Generator(**{**NETWORK, **changes}).eval()
    with torch.no_grad():
        for name, buffer in network.named_buffers(recurse=False):
            low, high = {"model_mean": (0.15, 0.35), "base": (0.2, 0.3)}.get(name, (0.01, 0.05))
            buffer.uniform_(low, high)
        network.core.head.weight.normal_(0, 0.3)
    return network


def member(network):
    def predict(batch, month):
        with torch.no_grad():
            return network(batch, month - 1)

    return SimpleNamespace(network=network, predict=predict)


def changes_of(members, way, inputs, month):
    batch, calendar = torch.from_numpy(inputs), torch.from_numpy(month)
    whole = [each.predict(batch, calendar) for each in members]
    return way.changes(members, whole, inputs, month)


def test_a_linear_network_by_hand(month):
    inputs, normal = uniform(0, (10, 3, *SHAPE)), uniform(1, (12, 3, *SHAPE))
    weights = np.array([[0.5, 0.2, -0.1], [0.1, 0.3, 0.4]], np.float32)  # of two folds

    def linear(of):
        share = torch.from_numpy(of)[:, None, None, None]
        return SimpleNamespace(
            predict=lambda x, month: (x[:, :, None] * share).sum(1).repeat(1, 5, 1, 1)
        )

    got = changes_of(
        [linear(of) for of in weights], LeavingOut("", WEIGHTS, climatology=normal), inputs, month
    )
    own = normal[month - 1]
    for model, others in ((0, [1, 2]), (1, [0, 2]), (2, [0, 1])):
        said = own[:, model] + (inputs - own)[:, others].mean(axis=1)
        expected = weights[:, model].mean() * (said - inputs[:, model])
        for layer in range(5):
            np.testing.assert_allclose(got[model][:, layer], expected, atol=2e-7)


def test_the_error_of_a_mean_is_the_standard_deviation_over_the_root_of_the_number():
    values = uniform(4, (17, 6, 5, 3, 4))
    without = np.stack([np.delete(values, m, axis=0).mean(axis=0) for m in range(17)])
    expected = values.std(axis=0, ddof=1) / np.sqrt(17)
    np.testing.assert_allclose(standard_error(without), expected, rtol=1e-4)
    shifted = standard_error(without - values.mean(axis=0))
    np.testing.assert_allclose(shifted, expected, rtol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0078125, 0.625, width=32), min_size=2, max_size=20))
def test_the_error_against_its_formula_whatever_the_order(values):
    found = np.array(values, np.float32)[:, None]
    count, spread = len(values), np.array(values) - np.mean(values)
    expected = np.sqrt((count - 1) / count * (spread**2).sum())
    assert standard_error(found)[0] == pytest.approx(expected, rel=1e-5, abs=1e-9)
    np.testing.assert_allclose(standard_error(found[::-1]), standard_error(found), atol=1e-7)


def test_the_base_changes_as_the_mean_of_the_others_departures(month):
    network = generator(**ANOMALOUS)
    network.reset_head()
    inputs = uniform(0, (10, 3, *SHAPE))
    got = changes_of([member(network)], LeavingOut("", WEIGHTS), inputs, month)
    departure = inputs - network.model_mean.numpy()[month - 1]
    for model in range(3):
        less = np.delete(departure, model, axis=1).mean(axis=1) - departure.mean(axis=1)
        expected = network.response.numpy()[:, None, None] * less[:, None]
        np.testing.assert_allclose(got[model], expected, atol=2e-7)


def test_differences_without_a_model_are_those_that_model_dropout_gives(month):
    inputs = uniform(0, (10, 3, *SHAPE))
    plain = generator(**ANOMALOUS)
    sparing = generator(**ANOMALOUS, model_dropout=0.3)
    sparing.take(SimpleNamespace(**dict(plain.named_buffers(recurse=False))))
    normal, calendar = plain.model_mean.numpy(), torch.from_numpy(month - 1)[:, None]
    for place, without in replaced(inputs, month, normal):
        missing = torch.from_numpy(inputs.copy())[:, None]
        missing[:, :, place] = torch.nan
        given = torch.from_numpy(without)[:, None]
        expected = sparing._channels(missing, calendar, sparing._present(missing))[:, :, :3]
        got = plain._channels(given, calendar, None)[:, :, :3]
        np.testing.assert_allclose(got, expected, atol=1e-4)
        assert got[:, :, place].abs().max() < 1e-4


def test_trailing_months_have_the_climatologies_of_their_own_calendar_months():
    inputs, normal = uniform(0, (2, 4, 3, *SHAPE)), uniform(1, (12, 3, *SHAPE))
    places = []
    for place, got in replaced(inputs, np.array([2, 12]), normal):
        for sample, months in enumerate(([11, 12, 1, 2], [9, 10, 11, 12])):
            for step, number in enumerate(months):
                own, here = normal[number - 1], inputs[sample, step]
                expected = own[place] + np.delete(here - own, place, axis=0).mean(axis=0)
                np.testing.assert_allclose(got[sample, step, place], expected, atol=1e-6)
        kept = np.delete(got, place, axis=2)
        np.testing.assert_array_equal(kept, np.delete(inputs, place, axis=2))
        places.append(place)
    assert places == [0, 1, 2]


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"inputs": "anomalies", "residual": "climatology"},
        ANOMALOUS,
        {"residual": "forced_change"},
        {"name": "pscnet", "months": 3},
    ],
    ids=str,
)
def test_equal_models_have_no_spread_at_all(kind, month):
    trailing = (kind["months"],) if "months" in kind else ()
    inputs = np.repeat(uniform(0, (10, *trailing, 1, *SHAPE)), 3, axis=-3)
    network, normal = generator(**kind), np.repeat(uniform(1, (12, 1, *SHAPE)), 3, axis=1)
    if "model_mean" in dict(network.named_buffers()):
        network.model_mean.copy_(torch.from_numpy(normal))
    way = LeavingOut("", WEIGHTS, climatology=normal)
    changes = changes_of([member(network)], way, inputs, month)
    assert not changes.any() and not standard_error(changes).any()
    varied = changes_of([member(network)], way, uniform(7, inputs.shape), month)
    assert standard_error(varied).min() > 0


def fitted(method, inputs, target, months):
    baseline = build(method, SOURCES[: inputs.shape[1]]).fit(inputs, target, months)
    manifest = {"method": method, "network": NO_NETWORK, "source_ids": SOURCES}
    return FittedMember(manifest, baseline)


@pytest.fixture(scope="module")
def trained():
    """Return (T, M, H, W) models, (T, D, H, W) target and their months."""
    months = month_axis(2000, 2004)
    wave = 0.05 * np.sin(2 * np.pi * month_of(months) / 12)[:, None, None, None]
    models, target = uniform(8, (60, 3, *SHAPE)), uniform(9, (60, 5, *SHAPE))
    bias = np.array([0.1, 0.0, -0.05])[:, None, None]
    return (models + wave + bias).astype("f4"), (target + wave).astype("f4"), months


def test_delta_change_is_the_one_that_is_fitted_without_the_model(trained, month):
    models, target, months = trained
    inputs = uniform(0, (10, 3, *SHAPE))
    whole = fitted("delta_change", models, target, months)
    way = LeavingOut("", WEIGHTS, climatology=monthly_climatology(models, months))
    changes = changes_of([whole], way, inputs, month)
    calendar = torch.from_numpy(month)
    with_all = whole.predict(torch.from_numpy(inputs), calendar)
    for model in range(3):
        less = fitted("delta_change", np.delete(models, model, axis=1), target, months)
        expected = less.predict(torch.from_numpy(np.delete(inputs, model, axis=1)), calendar)
        np.testing.assert_allclose(changes[model], expected - with_all, atol=3e-7)
    order = [2, 0, 1]
    turned = fitted("delta_change", models[:, order], target, months)
    other = replace(way, climatology=way.climatology[:, order])
    again = changes_of([turned], other, inputs[:, order], month)
    np.testing.assert_allclose(again, changes[order], atol=3e-7)
    np.testing.assert_allclose(standard_error(again), standard_error(changes), atol=3e-7)


@pytest.mark.parametrize("method", ["bias_corrected_mean", "ridge"])
def test_what_was_fitted_stays_and_is_given_the_mean_of_the_others(method, trained, month):
    models, target, months = trained
    inputs, normal = uniform(0, (10, 3, *SHAPE)), monthly_climatology(models, months)
    whole = fitted(method, models, target, months)
    changes = changes_of([whole], LeavingOut("", WEIGHTS, climatology=normal), inputs, month)
    departure = inputs - normal[month - 1]
    for model in range(3):
        others = np.delete(departure, model, axis=1).mean(axis=1)
        if method == "ridge":
            own = whole.baseline.weights[model]
            expected = own * (others - departure[:, model])[:, None]
        else:
            ratio = whole.baseline.ratio[month - 1]
            expected = ratio * (others - departure.mean(axis=1))[:, None]
        np.testing.assert_allclose(changes[model], expected, atol=1e-6)


def test_after_model_dropout_a_model_left_out_is_a_missing_one(tmp_path, inputs, month):
    ensemble = Ensemble.load(write_champion(tmp_path / "one", model_dropout=0.3), threads=1)
    crops = SimpleNamespace(source_ids=SOURCES, path="x.nc")
    asked = replace(ensemble, leaving_out=leaving_out(ensemble, crops, REGIONS))
    assert asked.left_out == MISSING
    got, whole, without = asked.predict(inputs, month), ensemble.predict(inputs, month), []
    for model in range(3):
        less = inputs.copy()
        less[:, model] = np.nan
        without.append(ensemble.predict(less, month).mean)
    np.testing.assert_array_equal(got.mean, whole.mean)
    assert whole.leave_one_out is None
    changes = np.stack(without) - whole.mean
    np.testing.assert_allclose(got.leave_one_out, standard_error(changes), atol=1e-6)
    means = mean_changes(changes, asked.leaving_out.weights)
    np.testing.assert_allclose(got.model_changes, means, atol=1e-6)
    repeated = asked.predict(inputs, month)
    np.testing.assert_array_equal(repeated.leave_one_out, got.leave_one_out)

    inputs[:, 1] = np.nan  # a model that there is not: the other two are left out
    fewer = asked.predict(inputs, month)
    pair = np.stack([without_both(ensemble, inputs, month, model) for model in (0, 2)])
    np.testing.assert_allclose(fewer.leave_one_out, standard_error(pair), atol=1e-6)
    assert np.isnan(fewer.model_changes[:, 1]).all()
    inputs[:, 2] = np.nan
    with pytest.raises(UserError, match="^1 climate model in the inputs; expected 2 or more"):
        asked.predict(inputs, month)


def without_both(ensemble, inputs, month, model):
    less = inputs.copy()
    less[:, model] = np.nan
    return ensemble.predict(less, month).mean


def test_bf16_stays_near_float32(tmp_path, inputs, month):
    ensemble = Ensemble.load(write_champion(tmp_path / "one", model_dropout=0.3))
    asked = replace(ensemble, leaving_out=LeavingOut(MISSING, WEIGHTS, missing=True))
    short = replace(asked, precision="bf16").predict(inputs, month)
    exact = asked.predict(inputs, month)
    assert short.leave_one_out.dtype == np.float32
    apart = np.abs(short.leave_one_out - exact.leave_one_out).max()
    assert 0 < apart < 0.02


@pytest.mark.parametrize(
    ("method", "why"),
    [
        ("climatology", "in which climate models have no part"),
        ("quantile_delta_mapping", "which ranks months over whole series"),
        ("model:CESM2", "of which nothing would be left"),
        ("ensemble_mean", "which is no method of products"),
    ],
)
def test_a_champion_that_no_model_can_be_left_out_of_is_refused(method, why):
    champion = SimpleNamespace(manifest={"method": method}, channels=lambda *_: [0, 1, 2])
    crops = SimpleNamespace(source_ids=SOURCES, path="x.nc")
    with pytest.raises(UserError, match=f"the champion's method is '{method}', {why}"):
        leaving_out(champion, crops, REGIONS)


@pytest.mark.parametrize(
    ("network", "needed"),
    [
        ({}, True),
        ({"residual": "climatology"}, True),
        ({"residual": "forced_change"}, False),
        ({"inputs": "anomalies"}, False),
        ({"model_dropout": 0.2}, False),
    ],
    ids=str,
)
def test_climatologies_are_read_where_no_network_holds_them(network, needed):
    network = {**NETWORK, **network}
    assert needs_climatologies({"network": network}) is needed
    held = "model_mean" in dict(Generator(**network).named_buffers())
    assert needed is not (held or network["model_dropout"] > 0)


def test_the_tally_tells_the_model_that_matters_most_first():
    changes, told = np.zeros((2, 4, 5, *SHAPE), np.float32), {}
    changes[0], changes[1, :, 0] = -0.001, 0.01
    means = mean_changes(changes, WEIGHTS)
    parts = [Prediction(*[means[part]] * 4, model_changes=means[part]) for part in (slice(3), [3])]
    tally = Tally()
    assert list(tally.watched(parts)) == parts
    tally.tell(["A", "B"], told.update, lambda text, name: told.update({name: text}))
    assert told["leave_one_out"] == pytest.approx({"A": 0.001, "B": 0.002}, rel=1e-5)
    header, *rows = told["leave_one_out.csv"].splitlines()
    assert header.startswith("source_id,mean_absolute_change,layer_1,")
    assert rows[0].startswith("B,2.000e-03,1.000e-02,0.000e+00")
    assert rows[1].startswith("A,1.000e-03,1.000e-03")
    silent = Tally()
    list(silent.watched([Prediction(*[means] * 4)]))
    silent.tell(["A", "B"], pytest.fail, pytest.fail)
