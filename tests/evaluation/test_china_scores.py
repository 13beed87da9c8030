"""Table 2 and figures 3 to 5 of the study of China against numpy, scipy and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn.metrics

from soilfuse.evaluation.china.scores import mae_map, score_table, spatial_r, taylor_row
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_on
from soilfuse.inference.china.fields import (
    CLIMATOLOGY,
    DELTA_CHANGE,
    ENSEMBLE_MEAN,
    TRUTH,
    YNET,
    Cells,
    Fields,
    read_fields,
    with_simple_methods,
    write_fields,
)
from soilfuse.trends.ssmi import ssmi


@pytest.fixture
def pair():
    rng = np.random.default_rng(2)
    truth = 0.25 + 0.05 * rng.normal(size=(24, 30))
    return truth + 0.03 + 0.02 * rng.normal(size=truth.shape), truth


def test_scores_of_equal_areas_are_scikit_learn_s(pair):
    prediction, truth = pair
    (row,) = score_table({"a": prediction}, truth, np.ones(30)).to_dict("records")
    flat = truth.ravel(), prediction.ravel()
    assert row["mae"] == pytest.approx(sklearn.metrics.mean_absolute_error(*flat))
    assert row["rmsd"] == pytest.approx(sklearn.metrics.root_mean_squared_error(*flat))
    assert row["ubrmsd"] == pytest.approx(np.std(flat[1] - flat[0]))
    assert row["rmsd"] ** 2 == pytest.approx(row["ubrmsd"] ** 2 + row["bias"] ** 2)
    monthly = [scipy.stats.pearsonr(x, y).statistic for x, y in zip(*pair, strict=True)]
    assert row["spatial_r"] == pytest.approx(np.mean(monthly))


def test_area_weighs(pair):
    prediction, truth = pair
    area = np.arange(1.0, 31.0)
    (row,) = score_table({"a": prediction}, truth, area).to_dict("records")
    expected = np.average(np.abs(prediction - truth), axis=1, weights=area).mean()
    assert row["mae"] == pytest.approx(expected)
    weighted = np.cov(prediction[0], truth[0], aweights=area)
    r = weighted[0, 1] / np.sqrt(weighted[0, 0] * weighted[1, 1])
    assert spatial_r(prediction, truth, area)[0] == pytest.approx(r)


def test_taylor_row_keeps_the_law_of_cosines(pair):
    row = taylor_row("a", "model", *pair, np.linspace(1, 2, 30))
    s, r = row["sd_ratio"], row["r"]
    assert row["ubrmsd_ratio"] ** 2 == pytest.approx(1 + s**2 - 2 * s * r)


def test_a_constant_map_has_no_spatial_r(pair):
    assert np.isnan(spatial_r(np.full((1, 30), 0.2), pair[1][:1], np.ones(30))).all()
    assert mae_map(*pair).shape == (30,)


def test_simple_methods_see_training_years_alone():
    rng = np.random.default_rng(3)
    months = month_axis(2000, 2009)
    target = Fields({TRUTH: rng.uniform(0.1, 0.4, (120, 3)).astype(np.float32)}, months, "w")
    models = {
        name: rng.uniform(0.1, 0.4, (120, 3)).astype(np.float32) for name in (YNET, ENSEMBLE_MEAN)
    }
    whole = Fields(models, months, "w")
    made = with_simple_methods(whole, whole, target, (2000, 2004))
    july = target.values[TRUTH][6:60:12].mean(axis=0)
    np.testing.assert_allclose(made.values[CLIMATOLOGY][6::12], np.tile(july, (10, 1)), rtol=1e-5)
    later = {TRUTH: target.values[TRUTH].copy()}
    later[TRUTH][60:] += 0.3
    again = with_simple_methods(whole, whole, Fields(later, months, "w"), (2000, 2004))
    np.testing.assert_array_equal(made.values[DELTA_CHANGE], again.values[DELTA_CHANGE])
    # A constant a calendar month does not show in the index.
    index = [ssmi(made.values[name], months) for name in (DELTA_CHANGE, ENSEMBLE_MEAN)]
    np.testing.assert_allclose(*index, atol=1e-4)


def test_cells_and_files_keep_their_order(tmp_path):
    regions = regions_on(Grid.regular(99, 103, 33, 37, 1), "china_zones", "china")
    cells = Cells.of(regions)
    values = np.arange(cells.lat.size, dtype=float)
    np.testing.assert_array_equal(cells.on_map(values)[regions.inside], values)
    place = cells.nearest(35.1, 101.2)
    assert (cells.lat[place], cells.lon[place]) == (35, 101)
    fields = Fields({YNET: np.ones((12, 4), np.float32)}, month_axis(2000, 2000), "w")
    write_fields(tmp_path / "a.nc", fields)
    read = read_fields(tmp_path / "a.nc")
    pd.testing.assert_index_equal(pd.Index(read.months), pd.Index(fields.months))
    np.testing.assert_array_equal(read.values[YNET], fields.values[YNET])
    assert read.world == "w"
