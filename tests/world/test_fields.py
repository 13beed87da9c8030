"""Random fields and weather have the statistics they promise."""

import numpy as np
import pytest

from soilfuse.world.climate_models import mixture
from soilfuse.world.fields import LON_SCALE, SmoothField, WaveBasis, amplitudes
from soilfuse.world.observations import overlap_weights, share_of_month, written_days
from soilfuse.world.weather import propagation, regional_drift


def test_smooth_field_has_unit_variance_and_gaussian_correlation():
    rng = np.random.default_rng(3)
    lat, lon = np.array([34.0, 34.0, 35.0]), np.array([95.0, 95.0 + 1 / LON_SCALE, 95.0])
    values = np.array([SmoothField.draw(rng, 1.0)(lat, lon) for _ in range(3000)])
    assert values.std(axis=0) == pytest.approx([1, 1, 1], abs=0.05)
    correlation = np.corrcoef(values.T)
    assert correlation[0, 1:] == pytest.approx(np.exp(-0.5), abs=0.05)


def test_amplitudes_have_unit_variance_and_the_wanted_memory():
    series = amplitudes(np.random.default_rng(1), 4000, 30, propagation())
    assert series.std(axis=(0, 2)) == pytest.approx(np.ones(5), abs=0.05)
    single = amplitudes(np.random.default_rng(2), 4000, 30, 0.6)[:, 0]
    assert np.corrcoef(single[1:].ravel(), single[:-1].ravel())[0, 1] == pytest.approx(
        0.6, abs=0.02
    )
    both = np.corrcoef(series[:, 0].ravel(), series[:, 1].ravel())[0, 1]
    assert both > 0.1  # the layer above drains into the one below


def test_amplitudes_go_on_from_where_they_are_told():
    start = np.full((1, 50), 30.0)
    series = amplitudes(np.random.default_rng(1), 3, 50, 0.9, start)
    assert series[0].mean() == pytest.approx(27, abs=0.5)


def test_wave_basis_gives_the_unit_variance_of_its_amplitudes():
    basis = WaveBasis.draw(np.random.default_rng(5), (0.5, 2.0))
    squares = (basis(np.array([33.0, 36.5]), np.array([90.0, 101.0])) ** 2).sum(axis=0)
    assert squares == pytest.approx([1, 1], abs=1e-4)


@pytest.mark.parametrize("wanted", [-0.4, 0.0, 0.3, 0.6])
def test_mixture_reaches_its_correlation(wanted):
    rng = np.random.default_rng(4)
    truth = rng.normal(size=500)
    seen, own = truth + 0.5 * rng.normal(size=500), 0.6 * truth + rng.normal(size=500) + 3
    a, b = mixture(truth, seen, own, wanted)
    mixed = a * seen + b * own
    assert np.corrcoef(mixed, truth)[0, 1] == pytest.approx(wanted, abs=1e-6)
    assert mixed.std() == pytest.approx(1, rel=1e-2) and b >= 0


def test_regional_drift_takes_level_and_trend_of_every_period():
    rng = np.random.default_rng(6)
    regional = rng.normal(size=(86 * 12, 5))
    rest = (regional - regional_drift(regional, "ssp245")).reshape(86, 12, 5)
    for first, last in ((2015, 2040), (2041, 2070), (2071, 2100)):
        part = rest[first - 2015 : last - 2014]
        time = np.arange(len(part)) - (len(part) - 1) / 2
        assert np.allclose(part.mean(axis=0), 0, atol=1e-9)
        assert np.allclose(np.tensordot(time, part, 1), 0, atol=1e-8)


def test_era5_land_layers_share_the_product_layers_by_depth():
    weights = overlap_weights(((0.0, 0.07), (0.07, 0.28), (0.28, 1.0)))
    assert weights[0] == pytest.approx([1, 0, 0, 0, 0])
    assert weights[1] == pytest.approx([0.03 / 0.21, 0.18 / 0.21, 0, 0, 0])
    assert weights[2] == pytest.approx([0, 0.02 / 0.72, 0.2 / 0.72, 0.3 / 0.72, 0.2 / 0.72])


def test_days_written_and_their_place_in_the_month():
    days = written_days(2004, 10)
    assert [str(day) for day in days[:7]] == [
        "2004-01-01", "2004-01-11", "2004-01-21", "2004-01-31",
        "2004-02-01", "2004-02-11", "2004-02-21",
    ]  # fmt: skip
    share = share_of_month(days)
    assert share[4:7] == pytest.approx([-10 / 29, 0, 10 / 29], abs=1e-6)
