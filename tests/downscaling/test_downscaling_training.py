"""Every method learns without a fine truth, the same each time, and from teaching steps alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sample_cases import datasets, small_params

from soilfuse import names
from soilfuse.grids.blocks import block_means
from soilfuse.seeding import derive_seed
from soilfuse.training.downscaling import forest
from soilfuse.training.downscaling.sample import of_datasets
from soilfuse.training.downscaling.split import HELD_OUT, STOPPING, TEST, TRAIN, UNUSED, roles
from soilfuse.training.downscaling.train import task_of, train

CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def sample():
    return of_datasets(datasets()[0])


@pytest.fixture(scope="module")
def learned(sample):
    """What each method learned, made when first asked for."""
    known = {}

    def of(method):
        if method not in known:
            known[method] = train(method, small_params(), sample, CPU)
        return known[method]

    return of


@pytest.mark.parametrize("method", names.DOWNSCALING_METHODS)
def test_every_scored_step_has_a_map(sample, learned, method):
    made = learned(method)
    role = roles(sample.time, small_params().split)
    wanted = sample.time[np.isin(role, (HELD_OUT, TEST))]
    assert np.array_equal(made.moisture["time"].values.astype("datetime64[h]"), wanted)
    assert made.moisture.shape == (len(wanted), 12, 16)
    assert ((made.moisture >= 0) & (made.moisture <= 1)).all()
    assert made.manifest["steps_that_teach"] == (sample.observed & (role == TRAIN)).sum()
    assert (made.state is None) == (method == names.FOREST)
    assert len(made.history) == (0 if method == names.FOREST else 2)


@pytest.mark.parametrize("method", ["rf", "lstm", "unet"])
def test_the_same_again_and_another_with_another_seed(sample, learned, method):
    again = train(method, small_params(), sample, CPU)
    assert np.array_equal(again.moisture, learned(method).moisture)
    other = train(method, small_params(seed=2), sample, CPU)
    assert not np.array_equal(other.moisture, learned(method).moisture)


@pytest.mark.parametrize("method", ["rf", "pscnet", "resnet"])
def test_held_out_days_and_test_years_teach_nothing(sample, learned, method):
    """Neither SMAP nor ERA5-Land of those steps: inputs of a day reach back less than the gap."""
    role = roles(sample.time, small_params().split)
    unseen = np.isin(role, (HELD_OUT, TEST))
    smap, fine = sample.smap.copy(), sample.fine.copy()
    smap[unseen] = 0.9
    fine[unseen] = -77.0
    made = train(method, small_params(), replace(sample, smap=smap, fine=fine), CPU)
    whole = learned(method)
    assert made.history == whole.history
    assert made.manifest == whole.manifest
    if whole.state is not None:
        for name, weight in whole.state.items():
            assert torch.equal(weight, made.state[name]), name


def test_smap_of_days_beside_held_out_ones_teaches_nothing(sample, learned):
    role = roles(sample.time, small_params().split)
    smap = np.where((role == UNUSED)[:, None, None], 0.9, sample.smap)
    made = train("resnet", small_params(), replace(sample, smap=smap), CPU)
    assert made.history == learned("resnet").history


def test_stopping_days_stop_and_do_not_teach(sample, learned):
    role = roles(sample.time, small_params().split)
    smap = np.where((role == STOPPING)[:, None, None], sample.smap + 0.1, sample.smap)
    made = train("resnet", small_params(), replace(sample, smap=smap), CPU)
    losses = [[record["train_mse"] for record in one.history] for one in (made, learned("resnet"))]
    stopping = [[r["stopping_rmse"] for r in one.history] for one in (made, learned("resnet"))]
    assert losses[0] == losses[1]
    assert stopping[0] != stopping[1]


def test_a_cell_that_smap_does_not_see_has_no_influence(sample):
    """Its target is NaN; were it put to a number and counted, both trainings would agree less."""
    hidden = sample.smap.copy()
    hidden[:, 1, 1] = np.nan
    one = train("resnet", small_params(), replace(sample, smap=hidden), CPU)
    other = train("resnet", small_params(), sample, CPU)
    assert one.manifest["observations"] < other.manifest["observations"]
    assert np.isfinite([record["train_mse"] for record in one.history]).all()
    assert one.history != other.history


def test_the_weights_of_the_best_epoch_are_kept(sample):
    params = small_params(train={"epochs": 6, "patience": 6, "learning_rate": 0.1})
    made = train("resnet", params, sample, CPU)
    errors = [record["stopping_rmse"] for record in made.history]
    best = int(np.argmin(errors)) + 1
    assert made.manifest["best_epoch"] == best
    assert made.manifest["stopping_rmse"] == min(errors)


def test_it_stops_after_epochs_that_brought_nothing(sample):
    params = small_params(train={"epochs": 40, "patience": 1, "learning_rate": 0.1})
    made = train("resnet", params, sample, CPU)
    assert len(made.history) == made.manifest["best_epoch"] + 1 < 40


def test_a_network_learns_the_observed_means(sample):
    params = small_params(
        train={"epochs": 25, "patience": 25, "learning_rate": 0.01},
        networks={"resnet": {"width": 8, "depth": 1, "dropout": 0.0}},
    )
    made = train("resnet", params, sample, CPU)
    assert made.manifest["stopping_rmse"] < 0.6 * np.nanstd(sample.smap)


def test_the_forest_is_scikit_learn_s_on_block_means(sample, learned):
    from sklearn.ensemble import RandomForestRegressor

    params = small_params()
    task = task_of(params, sample)
    rows, moisture = [], []
    for step in task.teaching:
        channels = task.inputs.stacked(np.array([step]))[0]
        for row in range(3):
            for column in range(4):
                if np.isfinite(sample.smap[step, row, column]):
                    cell = channels[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
                    rows.append(cell.mean(axis=(1, 2)))
                    moisture.append(sample.smap[step, row, column])
    features, target = forest.rows(task.inputs, sample, task.teaching)
    assert np.allclose(features, rows, atol=1e-6)
    assert target.tolist() == moisture
    expected = RandomForestRegressor(
        n_estimators=5,
        min_samples_leaf=params.forest.min_samples_leaf,
        max_features=params.forest.features,
        random_state=derive_seed(params.seed, "downscaling", "rf"),
    ).fit(features, target)
    made = learned("rf").moisture
    at = int(np.flatnonzero(sample.time == made["time"].values[3].astype("datetime64[h]"))[0])
    flat = task.inputs.stacked(np.array([at]))[0].reshape(features.shape[1], -1).T
    assert np.allclose(made[3].values.ravel(), expected.predict(flat), atol=1e-6)


def test_a_prediction_does_not_look_ahead(sample):
    """Changing what comes after a step leaves its map as it is."""
    from soilfuse.training.downscaling.fitting import Downscaler

    params = small_params()
    task = task_of(params, sample)
    step = int(task.teaching[5])
    fine = sample.fine.copy()
    fine[step + 1 :] += 50 * (np.arange(len(fine) - step - 1) >= 0)[:, None, None, None]
    later = task_of(params, replace(sample, fine=fine))
    later.inputs.fine[: step + 1] = task.inputs.fine[: step + 1]  # its standardisation has moved
    torch.manual_seed(0)
    network = Downscaler("pscnet", params.networks["pscnet"], task)
    one = network.predict(np.array([step]), 1)
    network.inputs = later.inputs
    assert np.array_equal(network.predict(np.array([step]), 1), one)
    assert not np.array_equal(network.predict(np.array([step + 1]), 1), one)


def test_means_of_blocks_are_of_neighbouring_cells():
    fine = np.arange(32.0).reshape(1, 4, 8)
    assert block_means(fine, 4).tolist() == [[[13.5, 17.5]]]
