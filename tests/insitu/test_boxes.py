import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from soilfuse.insitu.boxes import grid_prediction

AXES = [
    np.arange(2000, 2006),
    np.arange(1, 13),
    np.arange(1, 6),
    np.round(31 + 0.1 * np.arange(9), 6),
    np.round(89 + 0.1 * np.arange(11), 6),
]


def points(axes):
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def sample(seed, count, axes=AXES):
    """Points that fall on grid lines as often as between them, so that thresholds tie."""
    rng = np.random.default_rng(seed)
    on_line = np.column_stack([rng.choice(axis, count) for axis in axes]).astype(float)
    between = np.column_stack([rng.uniform(axis[0], axis[-1], count) for axis in axes])
    features = np.where(rng.random((count, len(axes))) < 0.5, on_line, between)
    return features, np.sin(features.sum(axis=1)) + 0.1 * rng.standard_normal(count)


@pytest.mark.parametrize("leaf", [1, 5])
def test_regression_over_the_grid_equals_scikit_learn(leaf):
    features, values = sample(0, 600)
    forest = RandomForestRegressor(7, min_samples_leaf=leaf, random_state=0).fit(features, values)
    expected = forest.predict(points(AXES)).reshape([len(axis) for axis in AXES])
    np.testing.assert_allclose(grid_prediction(forest, AXES), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("output", [0, 1])
def test_class_probability_over_the_grid_equals_scikit_learn(output):
    features, values = sample(1, 600)
    forest = RandomForestClassifier(9, min_samples_leaf=2, random_state=0).fit(features, values > 0)
    expected = forest.predict_proba(points(AXES))[:, output]
    got = grid_prediction(forest, AXES, output).ravel()
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)
    assert got.min() >= 0
    assert got.max() <= 1 + 1e-12


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.sampled_from([1e-6, 1.0, 1e9]),
)
def test_any_number_of_axes_and_any_size_of_values(seed, lengths, size):
    axes = [np.linspace(0, 1, length) + 0.1 for length in lengths]
    features, values = sample(seed, 40, axes)
    forest = RandomForestRegressor(3, random_state=seed % 1000).fit(features, size * values)
    expected = forest.predict(points(axes))
    got = grid_prediction(forest, axes).ravel()
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * size)


def test_a_forest_that_never_splits_is_constant():
    features, _ = sample(2, 20)
    forest = RandomForestRegressor(3, random_state=0).fit(features, np.full(20, 0.25))
    assert (grid_prediction(forest, AXES) == 0.25).all()


def test_the_order_of_trees_does_not_change_a_byte():
    features, values = sample(3, 400)
    forest = RandomForestRegressor(8, random_state=0).fit(features, values)
    first = grid_prediction(forest, AXES)
    forest.estimators_ = forest.estimators_[::-1]
    assert grid_prediction(forest, AXES).tobytes() == first.tobytes()
