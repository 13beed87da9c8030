import numpy as np
import pandas as pd
import pytest
from scipy import stats

from soilfuse.evaluation.fields import field_statistics
from soilfuse.evaluation.parts_of_r import PARTS, annual_means, averaged, r_parts, series_r
from soilfuse.grids.months import month_axis, month_of, year_of

MONTHS = month_axis(2000, 2004)
SHAPE = (60, 2, 4, 5)


@pytest.fixture
def fields():
    rng = np.random.default_rng(5)
    season = 0.05 * np.sin(2 * np.pi * month_of(MONTHS) / 12)[:, None, None, None]
    truth = 0.2 + season + 0.05 * rng.random((1, *SHAPE[1:])) + 0.02 * rng.standard_normal(SHAPE)
    return truth + 0.03 * rng.standard_normal(SHAPE), truth


@pytest.fixture
def weights():
    area = 1 + np.random.default_rng(6).random(SHAPE[2:])
    west = np.arange(SHAPE[3]) < 2
    return {"all": area, "west": np.where(west, area, 0)}


def table_of(x, y, weights):
    rows = r_parts(x, y, MONTHS, weights, field_statistics(x, y, MONTHS, weights))
    return rows.set_index(["layer", "region", "part"]).sort_index()


def by_cell(x, y, weights, series):
    """The area mean over cells of scipy's R of what `series` makes of a cell's months."""
    total = [
        (stats.pearsonr(series(x[:, h, w]), series(y[:, h, w])).statistic, weight)
        for (h, w), weight in np.ndenumerate(weights)
        if weight > 0
    ]
    return np.average([r for r, _ in total], weights=[weight for _, weight in total])


SERIES = {
    "temporal": lambda values: values,
    "seasonal": lambda values: pd.Series(values).groupby(month_of(MONTHS)).mean(),
    "interannual": lambda values: pd.Series(values).groupby(year_of(MONTHS)).mean(),
}


@pytest.mark.parametrize("part", SERIES)
def test_parts_by_cell_agree_with_scipy(part, fields, weights):
    x, y = fields
    got = table_of(x, y, weights)
    for region, weight in weights.items():
        expected = by_cell(x[:, 1], y[:, 1], weight, SERIES[part])
        row = got.loc[(2, region, part)]
        assert row["value"] == pytest.approx(expected, rel=1e-10)
        assert (row["n"], row["n_without"]) == ((weight > 0).sum(), 0)


def test_spatial_r_is_the_mean_over_months_of_the_weighted_pattern_correlation(fields, weights):
    x, y = fields
    each = []
    for t in range(len(MONTHS)):
        covariance = np.cov(x[t, 0].ravel(), y[t, 0].ravel(), aweights=weights["all"].ravel())
        each.append(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
    row = table_of(x, y, weights).loc[(1, "all", "spatial")]
    assert row["value"] == pytest.approx(np.mean(each), rel=1e-10)
    assert row["n"] == len(MONTHS)


def test_the_parts_tell_apart_what_the_pooled_r_mixes(weights):
    """A climatology: right in space and season, without any year of its own."""
    rng = np.random.default_rng(1)
    season = 0.05 * np.sin(2 * np.pi * month_of(MONTHS) / 12)[:, None, None, None]
    pattern = np.linspace(0.1, 0.4, 40).reshape(1, *SHAPE[1:])
    years = rng.standard_normal(5)[year_of(MONTHS) - 2000][:, None, None, None]
    truth = np.broadcast_to(season + pattern + 0.01 * years, SHAPE)
    got = table_of(np.broadcast_to(season + pattern, SHAPE).copy(), truth, weights)
    values = got["value"].loc[(1, "all")]
    assert values[["spatial", "seasonal"]].min() > 0.99999
    assert values["pooled"] > 0.98
    assert 0.9 < values["temporal"] < 0.99
    assert np.isnan(values["interannual"])  # its annual means are all alike
    assert got.loc[(1, "all", "interannual"), "n_without"] == 20


def test_cells_that_are_constant_or_missing_are_counted_and_left_out(fields, weights):
    x, y = (values.copy() for values in fields)
    x[:, 0, 0, 0] = 0.3
    y[:, 0, 0, 1] = np.nan
    got = table_of(x, y, weights)
    counts = ["n", "n_without", "cells_missing"]
    assert tuple(got.loc[(1, "all", "temporal"), counts]) == (18, 2, 1)
    assert tuple(got.loc[(1, "all", "pooled"), counts]) == (60 * 19, 60, 1)
    assert tuple(got.loc[(2, "all", "temporal"), counts]) == (20, 0, 0)
    some = {**weights, "all": weights["all"].copy()}
    some["all"][0, :2] = 0
    expected = table_of(x, y, some)["value"].loc[(1, "all", "temporal")]
    assert got["value"].loc[(1, "all", "temporal")] == pytest.approx(expected)


def test_a_grid_equals_its_series(fields):
    x, y = fields
    one = series_r(x[:, 0, 2, 3][:, None], y[:, 0, 2, 3][:, None])
    whole = series_r(x[:, 0].reshape(60, -1), y[:, 0].reshape(60, -1))
    assert one[0] == pytest.approx(whole[2 * 5 + 3], rel=1e-10)


def test_a_year_that_lacks_a_month_has_no_annual_mean():
    values = np.arange(60.0)[:, None]
    values[13] = np.nan
    np.testing.assert_allclose(annual_means(values, MONTHS)[:, 0], [5.5, np.nan, 29.5, 41.5, 53.5])


def test_nothing_to_average_is_no_number():
    mean, n, without = averaged(np.full(3, np.nan), np.array([1.0, 1.0, 0.0]))
    assert np.isnan(mean) and (n, without) == (0, 2)


def test_every_part_stands_in_every_row_group(fields, weights):
    got = table_of(*fields, weights).reset_index()
    assert len(got) == 2 * 2 * len(PARTS)
