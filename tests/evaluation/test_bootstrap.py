import numpy as np
import pytest

from soilfuse.evaluation.bootstrap import block_counts, paired_intervals, paired_mean_rmse
from soilfuse.evaluation.metrics import metrics, pair_terms


def sums(x, y):
    """(T, N) pairs -> (T, 1, S) sums."""
    return np.moveaxis(pair_terms(x, y, np.zeros_like(y)).sum(axis=-1), 0, -1)[:, None]


@pytest.fixture
def pairs():
    rng = np.random.default_rng(11)
    truth = 0.3 + 0.1 * rng.standard_normal((60, 20))
    good = truth + 0.02 * rng.standard_normal(truth.shape)
    bad = truth + 0.06 * rng.standard_normal(truth.shape)
    return good, bad, truth


def test_counts_are_whole_blocks_of_consecutive_months():
    counts = block_counts(24, 50, 6, np.random.default_rng(0))
    assert counts.shape == (50, 24)
    np.testing.assert_array_equal(counts.sum(axis=1), 24)
    # A block of 6 that starts at s covers s..s+5: its differences are +1 at s and -1 at s + 6.
    starts = np.zeros((50, 24))
    for s in range(24):
        earlier = starts[:, max(0, s - 5) : s].sum(axis=1)
        starts[:, s] = counts[:, s] - earlier
    assert (starts >= 0).all()
    np.testing.assert_array_equal(starts.sum(axis=1), 4)
    assert (starts[:, 19:] == 0).all()


def test_a_block_longer_than_the_record_draws_the_record_itself():
    counts = block_counts(10, 5, 12, np.random.default_rng(0))
    np.testing.assert_array_equal(counts, 1)


def test_vectorised_resampling_equals_resampled_pairs(pairs):
    good, bad, truth = pairs
    counts = block_counts(60, 3, 12, np.random.default_rng(4)).astype(int)
    whole = np.tensordot(counts.astype(float), sums(good, truth), axes=(1, 0))
    for sample in range(3):
        drawn = np.repeat(np.arange(60), counts[sample])
        error = (good - truth)[drawn]
        expected = np.sqrt((error**2).mean())
        assert metrics(whole[sample])["rmse"][0] == pytest.approx(expected, rel=1e-10)
        r = np.corrcoef(good[drawn].ravel(), truth[drawn].ravel())[0, 1]
        assert metrics(whole[sample])["r"][0] == pytest.approx(r, rel=1e-10)


def test_a_clear_difference_is_clear_and_its_sign_changes_with_the_order(pairs):
    good, bad, truth = pairs
    one, other = sums(good, truth), sums(bad, truth)
    table = paired_intervals(one, other, 200, 12, seed=1).set_index("metric")
    error = np.sqrt(((good - truth) ** 2).mean()) - np.sqrt(((bad - truth) ** 2).mean())
    assert table.loc["rmse", "difference"] == pytest.approx(error, rel=1e-10)
    assert table.loc["rmse", "high"] < 0 < table.loc["r", "low"]
    assert (table["low"] <= table["difference"]).all()
    swapped = paired_intervals(other, one, 200, 12, seed=1).set_index("metric")
    np.testing.assert_allclose(swapped["low"], -table["high"], rtol=1e-9)


def test_a_method_against_itself_differs_by_nothing(pairs):
    good, _, truth = pairs
    table = paired_intervals(sums(good, truth), sums(good, truth), 50, 12, seed=1)
    assert (table[["difference", "low", "high"]] == 0).all().all()


def test_the_seed_decides_the_draws(pairs):
    good, bad, truth = pairs
    first, again, other = (
        paired_intervals(sums(good, truth), sums(bad, truth), 50, 12, seed=s) for s in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_intervals_cover_the_true_difference_about_as_often_as_promised():
    rng = np.random.default_rng(8)
    covered = 0
    for trial in range(60):
        truth = 0.3 + 0.1 * rng.standard_normal((120, 5))
        x, y = (truth + s * rng.standard_normal(truth.shape) for s in (0.05, 0.06))
        table = paired_intervals(
            sums(x, truth), sums(y, truth), 200, 6, seed=trial, chosen=("rmse",)
        )
        covered += bool((table["low"][0] <= -0.01) & (table["high"][0] >= -0.01))
    assert covered >= 50


def test_the_mean_over_layers_is_between_the_layers(pairs):
    good, bad, truth = pairs
    one = np.concatenate([sums(good, truth), sums(bad, truth)], axis=1)
    other = np.concatenate([sums(bad, truth), sums(bad, truth)], axis=1)
    table = paired_intervals(one, other, 100, 12, seed=3, chosen=("rmse",))
    difference, low, high = paired_mean_rmse(one, other, 100, 12, seed=3)
    assert difference == pytest.approx(table["difference"].mean(), rel=1e-12)
    assert low == pytest.approx(table["low"][0] / 2, rel=1e-9)
    assert low <= difference <= high < 0
