"""Metrics, parts of R and CRPS against xskillscore, cell by cell and weighted."""

import numpy as np
import pytest
import xarray as xr
import xskillscore as oracle

from soilfuse.evaluation.fields import field_statistics
from soilfuse.evaluation.lazy import scores
from soilfuse.evaluation.parts_of_r import r_parts
from soilfuse.evaluation.probabilistic import crps_gaussian
from soilfuse.grids.months import month_axis

MONTHS = month_axis(2001, 2005)
DIMS = ("time", "depth", "lat", "lon")
AREA = 1 + np.random.default_rng(1).random((4, 5))


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(2)
    truth = 0.3 + 0.05 * rng.standard_normal((60, 2, 4, 5))
    predicted = 0.05 + 0.8 * truth + 0.03 * rng.standard_normal(truth.shape)
    predicted[4, 0, 1, 2], truth[9, 0, 1, 2] = np.nan, np.nan
    coords = {"time": MONTHS}
    return tuple(xr.DataArray(values, coords, DIMS) for values in (predicted, truth))


NAMES = {
    "r": "pearson_r",
    "r2": "r2",
    "bias": "me",
    "rmse": "rmse",
    "mae": "mae",
    "mape": "mape",
}


@pytest.mark.parametrize("name", NAMES)
def test_metrics_by_cell(pair, name):
    x, y = pair
    expected = getattr(oracle, NAMES[name])
    got = scores(x, y, ["time"])[name]
    given = (y, x) if name in ("mape", "r2") else (x, y)
    np.testing.assert_allclose(got, expected(*given, dim="time", skipna=True), rtol=1e-9)


@pytest.mark.parametrize("name", ["r", "rmse", "mae"])
def test_weighted_metrics_of_a_region(pair, name):
    x, y = pair
    area = xr.DataArray(AREA, dims=("lat", "lon"))
    got = scores(x, y, ["lat", "lon"], area)[name]
    given = {"dim": ["lat", "lon"], "weights": area, "skipna": True}
    np.testing.assert_allclose(got, getattr(oracle, NAMES[name])(x, y, **given), rtol=1e-9)


def test_spatial_and_temporal_parts_of_r(pair):
    x, y = (each.transpose(*DIMS).values for each in pair)
    sums = field_statistics(x, y, MONTHS, {"all": AREA})
    table = r_parts(x, y, MONTHS, {"all": AREA}, sums).set_index(["layer", "part"])["value"]
    area = xr.DataArray(AREA, dims=("lat", "lon"))
    for layer in (1, 2):
        a, b = (each.isel(depth=layer - 1) for each in pair)
        spatial = oracle.pearson_r(a, b, dim=["lat", "lon"], weights=area, skipna=True)
        assert table[layer, "spatial"] == pytest.approx(float(spatial.mean()), rel=1e-9)
        temporal = oracle.pearson_r(a, b, dim="time", skipna=True)
        assert table[layer, "temporal"] == pytest.approx(float(temporal.weighted(area).mean()))


def test_crps_of_normal_predictions(pair):
    x, y = pair
    spread = xr.full_like(x, 0.04)
    got = crps_gaussian(x.values, spread.values, y.values)
    expected = oracle.crps_gaussian(y, x, spread, dim=[])
    np.testing.assert_allclose(got, expected, rtol=1e-9)
