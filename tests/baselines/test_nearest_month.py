import numpy as np
import pytest

from soilfuse.baselines.methods import Climatology
from soilfuse.baselines.nearest_month import NearestMonth
from soilfuse.grids.months import month_axis, month_of
from soilfuse.training.folds import PROTOCOLS, folds

MONTHS = month_axis(2000, 2014)
MEMORY = (0.8, 0.3)


@pytest.fixture
def target():
    """A season plus weather that remembers, the upper layer more than the lower: (T, 2, 3, 4)."""
    rng = np.random.default_rng(5)
    weather = np.empty((MONTHS.size, 2, 3, 4))
    weather[0] = rng.standard_normal(weather[0].shape)
    for t in range(1, MONTHS.size):
        for d, memory in enumerate(MEMORY):
            kick = np.sqrt(1 - memory**2) * rng.standard_normal((3, 4))
            weather[t, d] = memory * weather[t - 1, d] + kick
    season = 0.1 * np.sin(2 * np.pi * month_of(MONTHS) / 12)
    return (0.3 + season[:, None, None, None] + 0.02 * weather).astype(np.float32)


def rmse(made, target, fold):
    train, outer = (np.isin(MONTHS, months) for months in (fold.train, fold.outer))
    fitted = made().fit(target[train], target[train], fold.train)
    error = fitted.predict(target[outer], fold.outer) - target[outer]
    return np.sqrt((error**2).mean(axis=(0, 2, 3)))


def test_neighbours_help_where_months_are_shuffled_and_only_there(target):
    gain = {}
    for protocol in PROTOCOLS:
        own, normal = (
            np.mean([rmse(made, target, fold) for fold in folds(protocol, 1)], axis=0)
            for made in (NearestMonth, Climatology)
        )
        gain[protocol] = own / normal - 1
    assert gain["shuffled"][0] < -0.25
    assert gain["shuffled"][1] < 0
    assert np.abs(gain["blocked"]) == pytest.approx([0, 0], abs=0.03)


def test_the_memory_is_that_of_the_weather(target):
    got = NearestMonth().fit(target, target, MONTHS).memory
    assert got == pytest.approx(MEMORY, abs=0.08)


def test_a_departure_fades_with_the_distance_by_hand():
    """Departures of -0.1 and -0.05, ten months without one, then of 0.1 and 0.05."""
    months = month_axis(2000, 2001)[:14]
    target = np.full((14, 1, 1, 1), 0.3, np.float32)
    target[[0, 1, 12, 13], 0, 0, 0] = 0.2, 0.25, 0.4, 0.35
    fitted = NearestMonth().fit(target, target, months)
    memory = (2 * 0.1 * 0.05) / (2 * 0.1**2 + 0.05**2)
    assert fitted.memory == pytest.approx([memory])
    asked = np.array(["2001-02", "2001-03", "2001-05"], "datetime64[M]")
    got = fitted.predict(target[:3], asked)[:, 0, 0, 0]
    assert got == pytest.approx([0.35, 0.3 + memory * 0.05, 0.3 + memory**3 * 0.05])


def test_a_target_that_never_varies_has_no_memory():
    still = np.full((MONTHS.size, 1, 1, 1), 0.3, np.float32)
    assert NearestMonth().fit(still, still, MONTHS).memory.tolist() == [0.0]
