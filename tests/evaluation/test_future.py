import numpy as np
import pytest

from soilfuse.errors import UserError
from soilfuse.evaluation.future import (
    CHANGE,
    PERCENT,
    SLOPE,
    Maps,
    annual_means,
    future_errors,
    future_maps,
    reference_mean,
)
from soilfuse.evaluation.material import Series
from soilfuse.grids.months import month_axis, month_of, year_of

CELLS = np.array([1, 2, 5])
SHAPE = (2, 2, 3)


def world(reference, per_year):
    """Soil moisture that rises in a straight line from 2015 on, with a season that cancels."""

    def series(experiment):
        time = month_axis(1950, 2014) if experiment == "historical" else month_axis(2015, 2100)
        rise = per_year * np.maximum(year_of(time) - 2014, 0)
        season = 0.05 * np.where(month_of(time) > 6, 1, -1)
        values = reference + (rise + season)[:, None, None, None] * np.ones(SHAPE)
        return Series(time, values.astype(np.float32))

    return series


def straight(series):
    return np.polyfit(np.arange(len(series)), series, 1)[0]


def maps(by):
    reference = reference_mean(by, CELLS, "x")
    return future_maps(by("ssp585"), reference, CELLS, straight, "x of ssp585")


def errors(predicted, truth):
    weight = np.array([1.0, 2.0, 1.0])
    table = future_errors("m", "ssp585", maps(predicted), maps(truth), weight)
    return table.set_index(["quantity", "layer"])


def test_hand_worked_errors_of_change_percent_and_slope():
    got = errors(world(0.3, 0.002), world(0.2, 0.001))
    years = np.mean(np.arange(2071, 2101) - 2014)
    for layer in (1, 2):
        change = got.loc[(CHANGE, layer)]
        assert change["truth_mean"] == pytest.approx(0.001 * years, rel=1e-4)
        assert change["rmse"] == pytest.approx(0.001 * years, rel=1e-4)
        assert change["bias"] == pytest.approx(0.001 * years, rel=1e-4)
        percent = got.loc[(PERCENT, layer)]
        assert percent["mean"] == pytest.approx(100 * 0.002 * years / 0.3, rel=1e-4)
        assert percent["truth_mean"] == pytest.approx(100 * 0.001 * years / 0.2, rel=1e-4)
        assert got.loc[(SLOPE, layer), "bias"] == pytest.approx(0.001, rel=1e-3)


def test_the_truth_itself_has_no_error():
    got = errors(world(0.25, 0.001), world(0.25, 0.001))
    assert (got[["rmse", "bias"]] == 0).all().all()


def test_cells_count_by_their_weight():
    tilt = np.zeros(SHAPE)
    tilt[:, 0, 2] = 0.001  # cell 2, half of the weight

    def tilted(experiment):
        base = world(0.25, 0.001)(experiment)
        rise = np.maximum(year_of(base.time) - 2014, 0)[:, None, None, None] * tilt
        return Series(base.time, (base.values + rise).astype(np.float32))

    got = errors(tilted, world(0.25, 0.001))
    assert got.loc[(SLOPE, 1), "bias"] == pytest.approx(0.0005, rel=1e-3)
    assert got.loc[(SLOPE, 1), "rmse"] == pytest.approx(0.001 * np.sqrt(0.5), rel=1e-3)


def test_annual_means_leave_out_a_broken_year():
    time = month_axis(2000, 2002)[:-3]
    values = np.arange(33, dtype=np.float32)[:, None, None, None] * np.ones((1, 1, 2, 3))
    years, got = annual_means(Series(time, values), np.array([0]), "x", (2000, 2001))
    assert years.tolist() == [2000, 2001]
    np.testing.assert_allclose(got.ravel(), [5.5, 17.5])


def test_a_scenario_that_ends_early_is_refused():
    def short(experiment):
        whole = world(0.2, 0.001)(experiment)
        return Series(whole.time[:900], whole.values[:900])

    with pytest.raises(UserError, match="months missing in x of ssp585, the first 2090-01"):
        maps(short)


def test_signs_are_compared_where_both_sides_have_one():
    """Of four cells one agrees, one does not, one has no true change, one is missing."""
    own, true = (np.array([row]) for row in ([0.1, -0.1, 0.2, np.nan], [0.2, 0.1, 1e-17, 0.1]))
    table = future_errors("m", "x", Maps(own, own, own), Maps(true, true, true), np.arange(1.0, 5))
    row = table[table["quantity"] == CHANGE].iloc[0]
    assert row["right_sign"] == pytest.approx(1 / 3)
    counts = row[["cells", "cells_missing", "cells_without_sign"]].tolist()
    assert counts == [3, 1, 1]
    still = np.full((1, 4), 1e-18)
    none = future_errors("m", "x", Maps(still, still, still), Maps(true, true, true), np.ones(4))
    assert none["right_sign"].isna().all(), "no predicted change is neither right nor wrong"
    assert (none["cells_without_sign"] == 4).all()


def test_percent_of_nothing_or_less_is_no_number():
    got = errors(world(0.0, 0.001), world(0.2, 0.001))
    row = got.loc[(PERCENT, 1)]
    assert np.isnan(row["mean"]) and (row["cells"], row["cells_missing"]) == (0, 3)
    assert np.isfinite(got.loc[(CHANGE, 1), "rmse"])
