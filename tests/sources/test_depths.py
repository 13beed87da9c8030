import numpy as np
import pytest

from soilfuse.names import ERA5_LAND_LAYERS, PRODUCT_LAYERS
from soilfuse.sources.depths import covered_shares, in_layers

ERA5, WANTED = np.array(ERA5_LAND_LAYERS), np.array(PRODUCT_LAYERS)


def test_era5_land_in_the_product_s_layers_by_hand():
    """0-7, 7-28, 28-100 cm; the first is 7 cm of one and 3 of the next, the last is 20 of 30."""
    field = np.array([0.1, 0.2, 0.4]).reshape(1, 3, 1, 1)
    got = in_layers(field, ERA5, WANTED)[0, :, 0, 0]
    assert got == pytest.approx([0.7 * 0.1 + 0.3 * 0.2, 0.9 * 0.2 + 0.1 * 0.4, 0.4, 0.4, 0.4])
    assert covered_shares(ERA5, WANTED) == pytest.approx([1, 1, 1, 1, 2 / 3])


def test_equal_layers_change_nothing_and_a_mean_is_kept():
    values = np.random.default_rng(1).random((4, 5, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(in_layers(values, WANTED, WANTED), values)
    whole = in_layers(values, WANTED, np.array([[0.0, 1.1]]))[:, 0]
    expected = np.average(values, axis=1, weights=WANTED[:, 1] - WANTED[:, 0])
    np.testing.assert_allclose(whole, expected, rtol=1e-6)


def test_what_nothing_covers_or_is_missing_is_nan():
    values = np.full((1, 3, 1, 1), 0.3)
    below = np.array([[0.0, 0.07], [1.0, 1.2]])
    assert np.isnan(in_layers(values, ERA5, below)[0, :, 0, 0]).tolist() == [False, True]
    values[0, 1] = np.nan
    assert (
        np.isnan(in_layers(values, ERA5, WANTED)[0, :, 0, 0]).tolist() == [True, True] + [False] * 3
    )
