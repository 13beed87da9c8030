import numpy as np
import pytest
from sklearn.linear_model import Ridge as Oracle
from sklearn.linear_model import RidgeCV

from soilfuse.baselines.registry import build
from soilfuse.baselines.ridge import PENALTIES, Ridge, coefficients, held_out_errors
from soilfuse.grids.months import month_axis, month_of, year_of

MONTHS = month_axis(2000, 2007)


def by_month(values, months):
    """The departures of (T, ...) from the mean of each calendar month, the plain way."""
    calendar = month_of(months)
    return values - np.stack([values[calendar == number].mean(axis=0) for number in calendar])


@pytest.fixture
def data():
    rng = np.random.default_rng(11)
    season = np.sin(2 * np.pi * month_of(MONTHS) / 12)[:, None, None, None]
    inputs = 0.2 + 0.05 * season + 0.02 * rng.standard_normal((96, 5, 3, 4))
    shared = 0.5 * inputs[:, :1] + 0.3 * inputs[:, 2:3]
    noise = np.array([0.001, 0.01, 0.1])[:, None, None]
    target = 0.3 + shared + noise * rng.standard_normal((96, 3, 3, 4))
    return inputs.astype(np.float32), target.astype(np.float32), MONTHS


def test_coefficients_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((7, 40, 6)), rng.standard_normal((7, 40, 3))
    penalties = np.array([0.01, 3.0, 500.0])
    got = coefficients(x, y, penalties)
    for cell in range(7):
        oracle = Oracle(penalties, fit_intercept=False).fit(x[cell], y[cell])
        np.testing.assert_allclose(got[cell], oracle.coef_.T, rtol=1e-9, atol=1e-12)


def test_held_out_errors_are_those_of_scikit_learn_fitted_without_each_year_and_its_neighbours():
    """A broken year too: years of one calendar month need not be as many as of another."""
    rng = np.random.default_rng(2)
    months = np.delete(MONTHS, [3, 40, 41])
    raw_x, raw_y = (
        rng.standard_normal((3, len(months), 4)),
        rng.standard_normal((3, len(months), 2)),
    )
    penalties = np.array([0.1, 10.0, 1000.0])
    x, y = (np.stack([by_month(cell, months) for cell in raw]) for raw in (raw_x, raw_y))
    expected = np.zeros((3, 2))
    calendar = month_of(months)
    for cell in range(3):
        for year in np.unique(year_of(months)):
            out = np.abs(year_of(months) - year) <= 1
            here = year_of(months) == year
            normal_x, normal_y = (
                np.stack(
                    [raw[cell][~out & (calendar == number)].mean(axis=0) for number in calendar]
                )
                for raw in (raw_x, raw_y)
            )
            for place, penalty in enumerate(penalties):
                fitted = Oracle(penalty, fit_intercept=False).fit(
                    (raw_x[cell] - normal_x)[~out], (raw_y[cell] - normal_y)[~out]
                )
                found = fitted.predict((raw_x[cell] - normal_x)[here])
                expected[place] += ((found - (raw_y[cell] - normal_y)[here]) ** 2).sum(axis=0)
    np.testing.assert_allclose(held_out_errors(x, y, months, penalties), expected, rtol=1e-9)


def test_the_prediction_is_that_of_scikit_learn_cell_by_cell(data):
    inputs, target, months = data
    fitted = Ridge().fit(inputs[:84], target[:84], months[:84])
    got = fitted.predict(inputs[84:], months[84:])
    train, new = month_of(months[:84]), month_of(months[84:])
    for h, w, layer in ((0, 0, 0), (2, 3, 1), (1, 1, 2)):
        x, y = inputs[..., h, w].astype(float), target[:, layer, h, w].astype(float)
        normal_x = np.stack([x[:84][train == number].mean(axis=0) for number in range(1, 13)])
        normal_y = np.stack([y[:84][train == number].mean(axis=0) for number in range(1, 13)])
        anomalies = x[:84] - normal_x[train - 1]
        scale = anomalies.std(axis=0)
        oracle = Oracle(fitted.penalties[layer], fit_intercept=False)
        oracle.fit(anomalies / scale, y[:84] - normal_y[train - 1])
        expected = normal_y[new - 1] + oracle.predict((x[84:] - normal_x[new - 1]) / scale)
        np.testing.assert_allclose(got[:, layer, h, w], expected, atol=1e-6)


def test_the_penalty_is_near_that_of_generalized_cross_validation():
    """Without memory from month to month, years and months left out want the same penalty."""
    rng = np.random.default_rng(3)
    months = month_axis(2000, 2014)
    x = by_month(rng.standard_normal((180, 8)), months)
    y = by_month(x @ (0.3 * rng.standard_normal(8)) + 2 * rng.standard_normal(180), months)
    penalties = PENALTIES * 180
    oracle = RidgeCV(penalties, fit_intercept=False).fit(x, y)
    errors = held_out_errors(x[None], y[None, :, None], months, penalties)[:, 0]
    found = penalties[errors.argmin()]
    assert abs(np.log10(found / oracle.alpha_)) <= 0.5 + 1e-9
    assert penalties.min() < found < penalties.max()


def test_the_penalty_grows_with_the_noise_and_stays_finite(data):
    inputs, target, months = data
    penalties = Ridge().fit(inputs, target, months).penalties
    assert penalties[0] < penalties[1] < penalties[2]


def test_memory_shared_by_chance_is_not_learned():
    """Slow weather of its own on both sides: generalized cross-validation finds skill in it."""
    rng = np.random.default_rng(5)
    months = month_axis(2000, 2014)
    size = (180, 9, 6, 6)
    weather = np.empty(size)
    weather[0] = rng.standard_normal(size[1:])
    for step in range(1, 180):
        weather[step] = 0.9 * weather[step - 1] + np.sqrt(0.19) * rng.standard_normal(size[1:])
    weather = weather.astype(np.float32)
    fitted = Ridge().fit(weather[:, 1:], weather[:, :1], months)
    anomalies = fitted.predict(weather[:, 1:], months) - fitted.target[month_of(months) - 1]
    spread = by_month(weather[:, 0], months).std()
    assert anomalies.std() < 0.1 * spread
    x, y = (by_month(part[..., 0, 0], months) for part in (weather[:, 1:], weather[:, 0]))
    oracle = RidgeCV(PENALTIES * 180, fit_intercept=False).fit(x, y)
    assert oracle.alpha_ < 0.1 * fitted.penalties[0]
    assert oracle.predict(x).std() > 0.3 * spread


def test_a_forced_rise_that_all_models_share_is_found(data):
    rng = np.random.default_rng(6)
    months, later = month_axis(2000, 2014), month_axis(2071, 2075)

    def fields(time, channels, share, noise):
        rise = share * 1e-3 * (year_of(time) - 2007)[:, None, None, None]
        own = noise * rng.standard_normal((len(time), channels, 6, 6))
        return (0.3 + rise + own).astype(np.float32)

    fitted = Ridge().fit(fields(months, 5, 1.0, 0.002), fields(months, 2, 0.5, 0.001), months)
    found = fitted.predict(fields(later, 5, 1.0, 0.002), later).mean(axis=(0, 2, 3)) - 0.3
    np.testing.assert_allclose(found, 0.5 * 1e-3 * (2073 - 2007), rtol=0.15)


def test_models_that_never_vary_give_the_climatology(data):
    inputs, target, months = data
    still = np.broadcast_to(np.float32(0.3), inputs.shape)
    fitted = Ridge().fit(still, target, months)
    expected = build("climatology").fit(still, target, months).predict(still, months)
    np.testing.assert_array_equal(fitted.predict(inputs, months), expected)


def test_one_year_of_training_gives_the_climatology(data):
    inputs, target, months = data
    fitted = Ridge().fit(inputs[:12], target[:12], months[:12])
    np.testing.assert_allclose(fitted.predict(inputs[12:24], months[12:24]), target[:12], atol=1e-6)


def test_a_missing_model_counts_as_its_climatology(data):
    inputs, target, months = data
    fitted = Ridge().fit(inputs, target, months)
    lost, normal = inputs.copy(), inputs.copy()
    lost[:, 2] = np.nan
    normal[:, 2] = fitted.models[month_of(months) - 1, 2]
    np.testing.assert_allclose(
        fitted.predict(lost, months), fitted.predict(normal, months), atol=1e-6
    )


def test_a_cell_is_weighted_the_same_alone_and_in_company(data, monkeypatch):
    inputs, target, months = data
    whole = Ridge().fit(inputs, target, months)
    monkeypatch.setattr("soilfuse.baselines.ridge.CELLS_AT_ONCE", 5)
    monkeypatch.setattr("soilfuse.baselines.ridge.MONTHS_AT_ONCE", 7)
    blocks = Ridge().fit(inputs, target, months)
    np.testing.assert_allclose(blocks.weights, whole.weights, atol=1e-9)
    np.testing.assert_allclose(
        blocks.predict(inputs, months), whole.predict(inputs, months), atol=1e-7
    )
