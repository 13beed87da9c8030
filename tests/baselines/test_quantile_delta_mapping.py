import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soilfuse.baselines.quantile_delta_mapping import (
    REACH_YEARS,
    QuantileDeltaMapping,
    at_places,
    sample_quantiles,
    window_places,
)
from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis, month_of

TRAIN, FUTURE = month_axis(2000, 2011), month_axis(2015, 2047)


def series(months, seed, models=1, size=(2, 3), rise=0.0):
    rng = np.random.default_rng(seed)
    season = 0.05 * np.sin(2 * np.pi * month_of(months) / 12)[:, None, None, None]
    later = rise * np.arange(len(months))[:, None, None, None]
    noise = 0.02 * rng.standard_normal((len(months), models, *size))
    return (0.25 + season + later + noise).astype(np.float32)


@pytest.fixture
def data():
    return series(TRAIN, 1), 0.7 * series(TRAIN, 2, models=4), series(FUTURE, 3, rise=1e-4)


@pytest.mark.slow  # xsdba compiles its quantiles
def test_agrees_with_xsdba_at_the_middle_of_a_window(data):
    """With as many nodes as training years and straight lines, both have the same quantiles.

    xsdba ranks a value among all that it is given: 31 years, and fewer near the ends.
    """
    import xarray as xr
    import xsdba

    inputs, target, future = data
    got = QuantileDeltaMapping().fit(inputs, target, TRAIN).predict(future, FUTURE)

    def labelled(values, months):
        attrs = {"units": "m3 m-3"}
        return xr.DataArray(
            values, {"time": months}, dims=("time", "lat", "lon"), attrs=attrs
        ).astype("f8")

    for number, layer in ((1, 0), (1, 3), (8, 2)):
        known, ahead = month_of(TRAIN) == number, month_of(FUTURE) == number
        x = labelled(inputs[known, 0], TRAIN[known])
        y = labelled(target[known, layer], TRAIN[known])
        mapping = xsdba.QuantileDeltaMapping.train(
            y, x, nquantiles=np.linspace(0, 1, known.sum()), kind="+", group="time"
        )
        values, months = future[ahead, 0], FUTURE[ahead]
        for row, reach in ((15, 15), (17, 15), (20, 12), (3, 3)):
            near = slice(row - reach, row + reach + 1)
            found = mapping.adjust(labelled(values[near], months[near]), interp="linear")
            expected = found.transpose("time", "lat", "lon")[reach]
            np.testing.assert_allclose(got[ahead, layer][row], expected, atol=2e-6)


def test_a_value_is_placed_among_the_31_years_around_it_fewer_near_the_ends():
    values = np.random.default_rng(4).random((50, 3)).astype(np.float32)
    places = window_places(values)
    for row, reach in ((1, 1), (7, 7), (15, 15), (16, 15), (34, 15), (35, 14), (48, 1)):
        around = values[row - reach : row + reach + 1]
        np.testing.assert_allclose(places[row], (around < values[row]).sum(axis=0) / (2 * reach))
    np.testing.assert_array_equal(places[[0, 49]], 0.5)


def test_equal_values_share_a_place_and_missing_ones_do_not_count():
    column = np.array([0.1, 0.2, 0.2, 0.2, 0.3, np.nan, 0.1], np.float32)[:, None]
    places = window_places(column)[:, 0]
    # of 0.1 0.2 0.2 0.2 0.3 (nan 0.1 are beyond): below 2 of 5 in the middle, 1/2 by symmetry
    np.testing.assert_allclose(places[[1, 2, 4]], [0.75, 0.5, 1])
    np.testing.assert_allclose(places[3], (2 + 1) / 5)
    alone = np.array([np.nan, 0.2, np.nan], np.float32)[:, None]
    assert window_places(alone)[1, 0] == 0.5


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(2, 12), st.integers(1, 3)), elements=st.floats(0, 1)),
    st.floats(0, 1),
)
def test_quantiles_are_those_of_numpy(values, place):
    got = at_places(sample_quantiles(values), np.full((1, values.shape[1]), place))
    np.testing.assert_allclose(got[0], np.quantile(values, place, axis=0), atol=1e-6)


def test_quantiles_leave_missing_values_out():
    values = np.random.default_rng(5).random((9, 3))
    values[2:4, 1], values[:, 2] = np.nan, np.nan
    got = sample_quantiles(values)
    np.testing.assert_allclose(got[:, 1], np.nanquantile(values[:, 1], np.linspace(0, 1, 9)))
    np.testing.assert_array_equal(got[:, 0], np.sort(values[:, 0]))
    assert np.isnan(got[:, 2]).all()


def test_a_model_equal_to_the_target_is_left_as_it_is(data):
    inputs, _, future = data
    got = QuantileDeltaMapping().fit(inputs, inputs, TRAIN).predict(future, FUTURE)
    np.testing.assert_array_equal(got[:, 0], future[:, 0])


def test_in_its_own_climate_a_value_becomes_the_target_of_its_rank():
    """Cannon et al. 2015: without a change, delta mapping is quantile mapping."""
    months = month_axis(1990, 2020)
    inputs, target = series(months, 8), series(months, 9, models=4)
    got = QuantileDeltaMapping().fit(inputs, target, months).predict(inputs, months)
    middle = months == np.datetime64("2005-03")
    march = month_of(months) == 3
    rank = (inputs[march, 0] < inputs[middle, 0]).sum(axis=0)
    expected = np.take_along_axis(np.sort(target[march], axis=0), rank[None, None], axis=0)
    np.testing.assert_allclose(got[middle], expected, atol=1e-6)


def test_a_steady_rise_is_handed_through_to_the_very_ends(data):
    """A rise without weather has no extremes: every value is the median of its own climate."""
    inputs, target, _ = data
    months = month_axis(2000, 2099)
    rising = np.broadcast_to(
        (0.2 + 1e-4 * np.arange(len(months), dtype=np.float32))[:, None, None, None],
        (1200, 1, 2, 3),
    )
    got = QuantileDeltaMapping().fit(inputs, target, TRAIN).predict(rising, months)
    for number in (1, 7):
        mapped = got[month_of(months) == number]
        np.testing.assert_allclose(np.diff(mapped, axis=0), 12e-4, atol=1e-6)


@pytest.mark.parametrize("shift", [0.04, -0.02])
def test_a_constant_change_is_handed_through(data, shift):
    inputs, target, future = data
    fitted = QuantileDeltaMapping().fit(inputs, target, TRAIN)
    changed = fitted.predict(future + np.float32(shift), FUTURE)
    np.testing.assert_allclose(changed - fitted.predict(future, FUTURE), shift, atol=1e-6)


def test_the_whole_trend_of_the_models_survives(data):
    inputs, target, _ = data
    months = month_axis(2000, 2099)
    rising = series(months, 6, rise=2e-4)
    got = QuantileDeltaMapping().fit(inputs, target, TRAIN).predict(rising, months)
    change = (got[-240:].mean(axis=(0, 2, 3)) - got[:240].mean(axis=(0, 2, 3))).astype(float)
    expected = rising[-240:].mean() - rising[:240].mean()
    np.testing.assert_allclose(change, expected, rtol=0.03)


def test_it_is_never_below_0(data):
    inputs, target, future = data
    fitted = QuantileDeltaMapping().fit(inputs, target, TRAIN)
    dry = fitted.predict(future - np.float32(0.15), FUTURE)
    assert dry.min() == 0
    assert dry.max() > 0


def test_spreading_the_wetter_half_without_changing_ranks_never_dries_anything(data):
    inputs, target, future = data
    fitted = QuantileDeltaMapping().fit(inputs, target, TRAIN)
    spread = future.copy()
    for number in range(1, 13):
        here = month_of(FUTURE) == number
        above = (future[here] - np.median(future[here], axis=0)).clip(min=0)
        spread[here] += np.float32(0.5) * above
    changed = fitted.predict(spread, FUTURE) - fitted.predict(future, FUTURE)
    np.testing.assert_allclose(changed, np.broadcast_to(spread - future, changed.shape), atol=1e-6)
    assert changed.max() > 0.005


def test_a_cell_is_the_same_alone_and_in_company(data):
    inputs, target, future = data
    whole = QuantileDeltaMapping().fit(inputs, target, TRAIN).predict(future, FUTURE)
    one = (slice(None), slice(None), slice(1, 2), slice(2, 3))
    alone = QuantileDeltaMapping().fit(inputs[one], target[one], TRAIN)
    np.testing.assert_array_equal(alone.predict(future[one], FUTURE), whole[one])


def test_a_context_of_15_years_is_all_that_a_value_looks_at(data):
    inputs, target, _ = data
    months = month_axis(1950, 2049)
    values = series(months, 7)
    fitted = QuantileDeltaMapping().fit(inputs, target, TRAIN)
    assert fitted.context_years == REACH_YEARS
    whole = fitted.predict(values, months)
    reach = 12 * REACH_YEARS
    wanted = slice(12 * 45, 12 * 48)
    near = slice(wanted.start - reach, wanted.stop + reach)
    here = fitted.predict(values[near], months[near])[reach : reach + 36]
    np.testing.assert_array_equal(here, whole[wanted])
    tail = slice(12 * 97 - reach, None)
    np.testing.assert_array_equal(fitted.predict(values[tail], months[tail])[-36:], whole[-36:])


def test_a_calendar_month_without_training_is_refused(data):
    inputs, target, _ = data
    with pytest.raises(UserError, match="calendar month 11, 12"):
        QuantileDeltaMapping().fit(inputs[:10], target[:10], TRAIN[:10])
