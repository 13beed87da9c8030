import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from soilfuse.evaluation.probabilistic import (
    LEVELS,
    conformal_half_widths,
    coverage,
    crps_gaussian,
    normal_half_widths,
)
from soilfuse.evaluation.spread_tables import coverage_table, crps_table

WEIGHTS = np.ones((50, 1))


def pick(table, **where):
    for key, wanted in where.items():
        table = table[table[key] == wanted]
    (row,) = table.to_dict("records")
    return row


@pytest.mark.parametrize(("mean", "sd", "truth"), [(0.2, 0.05, 0.23), (0.3, 0.01, 0.1), (0, 1, 0)])
def test_crps_is_the_integral_that_defines_it(mean, sd, truth):
    normal = stats.norm(mean, sd)
    below = quad(lambda x: normal.cdf(x) ** 2, mean - 12 * sd, truth, points=[mean], limit=200)[0]
    above = quad(lambda x: normal.sf(x) ** 2, truth, mean + 12 * sd, points=[mean], limit=200)[0]
    got = crps_gaussian(np.array(mean), np.array(sd), np.array(truth))
    assert got == pytest.approx(below + above, rel=1e-6, abs=1e-9)


def test_crps_without_spread_is_the_absolute_error_and_without_sense_no_number():
    got = crps_gaussian(np.full(4, 0.2), np.array([0.0, 0.1, np.nan, -1.0]), np.full(4, 0.3))
    assert got[0] == pytest.approx(0.1)
    assert np.isfinite(got[1]) and np.isnan(got[2:]).all()
    assert np.isnan(crps_gaussian(np.array(0.2), np.array(0.1), np.array(np.nan)))


def test_a_true_spread_covers_as_often_as_it_says_and_half_of_it_less():
    rng = np.random.default_rng(1)
    sd = 0.02 + 0.02 * rng.random((400, 2, 50))
    error = sd * rng.standard_normal(sd.shape)
    table = coverage_table(error, error[:5], sd, WEIGHTS, ["all"])
    for level in LEVELS:
        row = pick(table, layer=1, interval="spread", level=level)
        assert row["coverage"] == pytest.approx(level, abs=0.015)
        assert row["n"] == 20000
    narrow = coverage_table(error, error[:5], sd / 2, WEIGHTS, ["all"])
    expected = 2 * stats.norm.cdf(stats.norm.ppf(0.95) / 2) - 1
    row = pick(narrow, layer=2, interval="spread", level=0.9)
    assert row["coverage"] == pytest.approx(expected, abs=0.015)


def test_intervals_from_residuals_cover_whatever_the_spread_says():
    """Skewed errors of another size in every cell, beside a spread ten times too small."""
    rng = np.random.default_rng(2)
    size = 0.01 + 0.05 * rng.random((1, 2, 50))
    residuals, error = (size * rng.gumbel(size=(n, 2, 50)) for n in (180, 400))
    spread = np.full(error.shape, size / 10)
    table = coverage_table(error, residuals, spread, WEIGHTS, ["all"])
    for level in (0.5, 0.9):
        row = pick(table, layer=1, interval="residuals", level=level)
        assert row["coverage"] == pytest.approx(level, abs=0.02)
        raw = pick(table, layer=1, interval="spread", level=level)
        assert raw["coverage"] < 0.3
        assert row["factor"] == pytest.approx(row["width"] / raw["width"])
        assert row["factor"] > 5


def test_half_widths_by_hand():
    """Of nine errors the fifth is the half width at 0.5, the ninth at 0.9; at 0.95 none is."""
    errors = np.array([9, -1, 2, -3, 8, 7, -6, 5, 4.0])[:, None]
    got = conformal_half_widths(errors, (0.5, 0.7, 0.9, 0.95))
    np.testing.assert_array_equal(got[:, 0], [5, 7, 9, np.nan])
    holed = np.concatenate([errors, [[np.nan]]])
    np.testing.assert_array_equal(conformal_half_widths(holed, (0.5, 0.9))[:, 0], [5, 9])
    assert np.isnan(conformal_half_widths(np.full((3, 1), np.nan), (0.5,))).all()


def test_coverage_is_weighted_and_leaves_missing_pairs_out():
    error = np.array([[[0.0, 1.0, np.nan, 0.0]]])
    half = np.array([[0.5, 0.5, 0.5, np.nan]])
    n, share, width = coverage(error, half, np.array([[3.0, 0], [1, 1], [1, 0], [1, 0]]))
    np.testing.assert_array_equal(n, [[2, 1]])
    np.testing.assert_array_equal(share, [[0.75, 0.0]])
    np.testing.assert_array_equal(width, [[1.0, 1.0]])
    assert np.isnan(coverage(error, np.full((1, 4), np.nan), np.ones((4, 1)))[1]).all()


def test_the_interval_score_is_its_definition_and_prefers_the_honest_interval():
    rng = np.random.default_rng(6)
    error = 0.02 * rng.standard_normal((500, 1, 50))
    for factor in (0.5, 1.0, 2.0):
        sd = np.full_like(error, 0.02 * factor)
        row = pick(
            coverage_table(error, error[:5], sd, WEIGHTS, ["all"], (0.9,)), interval="spread"
        )
        half = stats.norm.ppf(0.95) * 0.02 * factor
        low, high = -half - error, half - error  # the interval about the prediction, truth at 0
        score = high - low + 20 * np.maximum(low, 0) + 20 * np.maximum(-high, 0)
        assert row["score"] == pytest.approx(score.mean(), rel=1e-9)
        if factor == 1.0:
            honest = row["score"]
    for factor in (0.5, 2.0):
        sd = np.full_like(error, 0.02 * factor)
        row = pick(
            coverage_table(error, error[:5], sd, WEIGHTS, ["all"], (0.9,)), interval="spread"
        )
        assert row["score"] > honest


def test_half_widths_of_normal_predictions_are_their_quantiles():
    got = normal_half_widths(np.array([1.0, 2.0]), (0.5, 0.9))
    np.testing.assert_allclose(got, np.outer(stats.norm.ppf([0.75, 0.95]), [1, 2]))


def test_crps_rows_by_method():
    rng = np.random.default_rng(3)
    truth = 0.3 + 0.05 * rng.standard_normal((60, 2, 5, 10))
    predicted = truth + 0.02 * rng.standard_normal(truth.shape)
    errors = (predicted - truth).reshape(60, 2, 50)
    spread = np.full((60, 2, 50), 0.02)
    row = pick(crps_table(errors, spread, WEIGHTS, ["all"]), layer=1)
    error = np.abs(predicted - truth)[:, 0]
    assert row["mae"] == pytest.approx(error.mean())
    assert row["crps"] == pytest.approx(0.02 / np.sqrt(np.pi), rel=0.05)  # of a perfect spread
    assert row["spread_skill"] == pytest.approx(1, abs=0.05)
    bare = pick(crps_table(errors, None, WEIGHTS, ["all"]), layer=1)
    assert bare["crps"] == bare["mae"] > row["crps"]
    assert np.isnan(bare["spread"])
