import numpy as np
import pytest

from soilfuse.evaluation.density import EDGES, density_table, joint_histogram

SHAPE = 14, 2, 3, 4  # more months than are looked at together


@pytest.fixture
def fields():
    rng = np.random.default_rng(3)
    truth = rng.uniform(0.05, 0.6, SHAPE).astype(np.float32)
    return (truth + 0.05 * rng.standard_normal(SHAPE)).astype(np.float32), truth


def weight():
    made = np.arange(12.0).reshape(SHAPE[2:])
    made[1] = 0
    return made


def test_the_histogram_is_numpy_s_own(fields):
    prediction, truth = fields
    prediction[2, 1, 0, 3] = np.nan
    got = joint_histogram(prediction, truth, weight())
    for layer in range(2):
        weights = np.broadcast_to(weight(), truth[:, layer].shape)
        valid = np.isfinite(prediction[:, layer])
        pairs = truth[:, layer][valid], prediction[:, layer][valid]
        expected, *_ = np.histogram2d(*pairs, bins=[EDGES, EDGES], weights=weights[valid])
        np.testing.assert_allclose(got[layer], expected)


def test_shares_of_a_layer_add_up_to_one_and_stand_at_the_middle_of_their_class(fields):
    table = density_table(joint_histogram(*fields, weight()))
    assert table.groupby("layer")["share"].sum().tolist() == pytest.approx([1, 1])
    one = np.full((1, 1, 1, 1), 0.203), np.full((1, 1, 1, 1), 0.101)
    (row,) = density_table(joint_histogram(*one, np.ones((1, 1)))).itertuples(index=False)
    assert row == (1, pytest.approx(0.100), pytest.approx(0.204), 1.0)


def test_what_lies_beyond_the_classes_is_counted_in_the_last(fields):
    prediction, truth = fields
    prediction[0, 0], prediction[1, 0] = -0.2, 1.7
    sums = joint_histogram(prediction, truth, weight())
    assert sums.sum() == pytest.approx(weight().sum() * SHAPE[0] * SHAPE[1])
    assert sums[0, :, 0].sum() == sums[0, :, -1].sum() == pytest.approx(weight().sum())
