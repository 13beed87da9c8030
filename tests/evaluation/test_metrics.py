import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as oracle

from soilfuse.errors import UserError
from soilfuse.evaluation.fields import field_statistics, truth_climatology
from soilfuse.evaluation.metrics import METRICS, STATISTICS, metrics, pair_terms, require_overlap
from soilfuse.grids.months import month_axis, month_of


def sums_of(prediction, truth, weight=None, climatology=None):
    weight = np.ones(prediction.shape) if weight is None else weight
    terms = pair_terms(prediction, truth, climatology)
    return np.concatenate([[terms[0].sum()], (terms[1:] * weight).reshape(14, -1).sum(axis=1)])


@pytest.fixture
def pair():
    rng = np.random.default_rng(3)
    truth = 0.1 + 0.3 * rng.random(400)
    return 0.8 * truth + 0.05 + 0.04 * rng.standard_normal(400), truth, rng.random(400) + 0.1


def test_weighted_metrics_agree_with_scikit_learn(pair):
    x, y, w = pair
    got = metrics(sums_of(x, y, w))
    assert got["mae"] == pytest.approx(oracle.mean_absolute_error(y, x, sample_weight=w), rel=1e-12)
    rmse = oracle.root_mean_squared_error(y, x, sample_weight=w)
    assert got["rmse"] == pytest.approx(rmse, rel=1e-12)
    mape = oracle.mean_absolute_percentage_error(y, x, sample_weight=w)
    assert got["mape"] == pytest.approx(mape, rel=1e-12)
    assert got["r2"] == pytest.approx(oracle.r2_score(y, x, sample_weight=w), rel=1e-10)
    covariance = np.cov(x, y, aweights=w, ddof=0)
    r = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert got["r"] == pytest.approx(r, rel=1e-10)
    assert got["variance_ratio"] == pytest.approx(covariance[0, 0] / covariance[1, 1], rel=1e-10)
    bias = np.average(x - y, weights=w)
    assert got["bias"] == pytest.approx(bias, rel=1e-9)
    ubrmse = np.sqrt(np.average((x - y - bias) ** 2, weights=w))
    assert got["ubrmse"] == pytest.approx(ubrmse, rel=1e-10)
    assert got["n"] == 400


def test_missing_values_on_either_side_count_for_nothing(pair):
    x, y, w = pair
    holed_x, holed_y = x.copy(), y.copy()
    holed_x[:50], holed_y[40:90] = np.nan, np.nan
    got, expected = metrics(sums_of(holed_x, holed_y, w)), metrics(sums_of(x[90:], y[90:], w[90:]))
    for name in METRICS:
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-12)


def test_hand_worked_metrics():
    got = metrics(sums_of(np.array([1.0, 2.0, 5.0]), np.array([1.0, 3.0, 2.0])))
    assert got["mae"] == pytest.approx(4 / 3)
    assert got["rmse"] == pytest.approx(np.sqrt(10 / 3))
    assert got["mape"] == pytest.approx((1 / 3 + 3 / 2) / 3)
    assert got["bias"] == pytest.approx(2 / 3)
    assert got["r2"] == pytest.approx(1 - 10 / 2)


@pytest.mark.parametrize("level", [0.0, 0.1, 0.3, 1 / 3])
def test_a_constant_side_has_no_correlation(level):
    truth = np.random.default_rng(0).random(1000)
    constant = np.full(1000, level, dtype=np.float32)
    got = metrics(sums_of(constant, truth))
    assert np.isnan(got["r"])
    assert got["variance_ratio"] == 0
    swapped = metrics(sums_of(truth, constant))
    assert np.isnan([swapped["r"], swapped["r2"], swapped["variance_ratio"]]).all()
    assert swapped["n"] == 1000
    assert np.isfinite(swapped["rmse"])


def test_no_valid_pair_is_refused():
    nothing = sums_of(np.full(5, np.nan), np.ones(5))
    with pytest.raises(UserError, match="no overlap of prediction and truth in layer 2: 0 valid"):
        require_overlap(nothing, "layer 2")


fields = hnp.arrays(np.float32, 60, elements=st.floats(0, 0.625, width=32))


@settings(max_examples=60, deadline=None)
@given(fields, fields)
def test_sums_of_parts_are_the_sums_of_the_whole_and_metrics_keep_their_bounds(x, y):
    whole = sums_of(x, y)
    np.testing.assert_allclose(
        sums_of(x[:23], y[:23])[:10] + sums_of(x[23:], y[23:])[:10], whole[:10], rtol=1e-9
    )
    got = metrics(whole)
    assert got["mae"] <= got["rmse"] + 1e-12
    assert got["ubrmse"] <= got["rmse"] + 1e-12
    assert np.isnan(got["r"]) or -1 <= got["r"] <= 1
    same = metrics(sums_of(x, x))
    assert same["rmse"] == 0
    assert np.isnan(same["r"]) or same["r"] == pytest.approx(1)


@pytest.fixture
def gridded():
    rng = np.random.default_rng(5)
    months = month_axis(2000, 2002)
    shape = (36, 2, 4, 5)
    season = 0.1 * np.sin(month_of(months))[:, None, None, None]
    truth = (0.3 + season + 0.05 * rng.standard_normal(shape)).astype(np.float32)
    prediction = (truth + 0.02 + 0.03 * rng.standard_normal(shape)).astype(np.float32)
    truth[4, 1, 2, 2] = prediction[7, 0, 1, 1] = np.nan
    area = np.linspace(50, 100, 4)[:, None] * np.ones(5)
    mask = np.zeros((4, 5), dtype=bool)
    mask[1:3, 1:4] = True
    weights = {"whole": area, "part": np.where(mask, area, 0)}
    return prediction, truth, months, weights


def test_gridded_statistics_equal_those_of_one_month_layer_and_region(gridded):
    prediction, truth, months, weights = gridded
    normal = truth_climatology(truth, months)[month_of(months) - 1]
    got = field_statistics(prediction, truth, months, weights)
    assert got.shape == (36, 2, 2, len(STATISTICS))
    for t, d in ((4, 1), (7, 0), (20, 1)):
        for g, weight in enumerate(weights.values()):
            here = weight > 0
            expected = sums_of(
                prediction[t, d][here], truth[t, d][here], weight[here], normal[t, d][here]
            )
            np.testing.assert_allclose(got[t, d, g], expected, rtol=1e-10, atol=1e-12)


def test_values_outside_the_region_change_nothing(gridded):
    prediction, truth, months, weights = gridded
    inside = weights["part"] > 0
    before = field_statistics(prediction, truth, months, weights)[:, :, 1]
    after = field_statistics(np.where(inside, prediction, 9), truth, months, weights)[:, :, 1]
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_anomaly_correlation_takes_the_truths_climatology_from_both_sides(gridded):
    prediction, truth, months, weights = gridded
    sums = field_statistics(prediction, truth, months, weights)[:, 0, 0].sum(axis=0)
    calendar = month_of(months)
    normal = np.stack([np.nanmean(truth[calendar == m, 0], axis=0) for m in calendar])
    valid = np.isfinite(prediction[:, 0] + truth[:, 0])
    x, y = (prediction[:, 0] - normal)[valid], (truth[:, 0] - normal)[valid]
    w = np.broadcast_to(weights["whole"], valid.shape)[valid]
    covariance = np.cov(x, y, aweights=w, ddof=0)
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert metrics(sums)["anomaly_r"] == pytest.approx(expected, rel=1e-6)


def test_the_truths_own_climatology_has_a_high_r_and_no_anomaly_r(gridded):
    _, truth, months, weights = gridded
    truth = np.nan_to_num(truth, nan=0.3)
    normal = truth_climatology(truth, months)[month_of(months) - 1].astype(np.float32)
    got = metrics(field_statistics(normal, truth, months, weights)[:, 0, 0].sum(axis=0))
    assert got["r"] > 0.8
    assert np.isnan(got["anomaly_r"])
