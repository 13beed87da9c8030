"""What each metric, table and study function answers to odd input; docs/evaluation.md has it too.

A row a function and kind of input: what must be no number, and the count that tells it. A silent 0
or 1 in the place of NaN fails.
"""

import numpy as np
import pandas as pd
import pytest

from soilfuse.evaluation import lazy
from soilfuse.evaluation.bootstrap import block_counts
from soilfuse.evaluation.caveats import caveats
from soilfuse.evaluation.china import scores as china
from soilfuse.evaluation.cmip6 import climatology, groups, relations, skill, tables
from soilfuse.evaluation.density import density_table, joint_histogram
from soilfuse.evaluation.fields import field_statistics
from soilfuse.evaluation.future import Maps, future_errors
from soilfuse.evaluation.intervals import interval_table
from soilfuse.evaluation.leakage import LEAKAGE_COLUMNS
from soilfuse.evaluation.metrics import METRICS, metrics, pair_terms
from soilfuse.evaluation.outputs import mean_over_layers
from soilfuse.evaluation.parts_of_r import PARTS, r_parts
from soilfuse.evaluation.probabilistic import conformal_half_widths
from soilfuse.evaluation.spectrum import radial_power, rings_of
from soilfuse.evaluation.spread_tables import coverage_table, crps_table
from soilfuse.evaluation.stations import STATION_COLUMNS, station_quartiles, station_scores
from soilfuse.evaluation.taylor import cross_statistics, target_rows, taylor_rows
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis, month_of
from soilfuse.trends.change_rates import change_rates
from soilfuse.trends.china import slope_scores
from soilfuse.trends.mann_kendall import trend_test
from soilfuse.trends.ssmi import ssmi, ssmi_slopes

GRID = Grid.regular(95, 97, 33, 34, 0.5)
CELLS = GRID.area.size
MONTHS = month_axis(2000, 2009)
SHAPE = (MONTHS.size, 1, *GRID.shape)
WEIGHT = GRID.area / GRID.area.mean()
WEIGHTS = {"all": WEIGHT}
AREA = WEIGHT.ravel()[:, None]


def noise(seed=1, shape=SHAPE):
    rng = np.random.default_rng(seed)
    return (0.3 + 0.05 * rng.standard_normal(shape)).astype("f4")


# What either side of a comparison may be.
ODD = {
    "empty": np.full(SHAPE, np.nan, "f4"),
    "constant": np.full(SHAPE, 0.1, "f4"),
    "zero": np.zeros(SHAPE, "f4"),
}
CORRELATED = {"r", "anomaly_r"}
OF_CONSTANT_TRUTH = {"r", "r2", "variance_ratio", "anomaly_r"}


def sums_of(x, y):
    return field_statistics(x, y, MONTHS, WEIGHTS)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("side", ["prediction", "truth"])
def test_metrics(metric, kind, side):
    x, y = (ODD[kind], noise()) if side == "prediction" else (noise(), ODD[kind])
    got = metrics(sums_of(x, y).sum(axis=0))
    value = float(got[metric].item())
    if metric == "n":
        assert value == (0 if kind == "empty" else MONTHS.size * CELLS)
    elif kind == "empty":
        assert np.isnan(value)
    elif side == "truth":
        assert np.isnan(value) == (metric in OF_CONSTANT_TRUTH)
    elif metric == "variance_ratio":
        assert value == 0, "a constant has no variance: that is known, not missing"
    else:
        # The anomalies of a constant prediction are the climatology's, turned round.
        assert np.isnan(value) == (metric == "r")


@pytest.mark.parametrize("pairs", [1, 2])
def test_a_correlation_needs_three_pairs(pairs):
    x, y = np.arange(3.0), np.array([1.0, 3.0, 2.0])
    few = metrics(pair_terms(x[:pairs], y[:pairs], np.zeros(pairs)).sum(axis=1))
    assert all(np.isnan(few[name]) for name in CORRELATED)
    enough = metrics(pair_terms(x, y, np.zeros(3)).sum(axis=1))
    assert all(np.isfinite(enough[name]) for name in CORRELATED)


@pytest.mark.parametrize("metric", METRICS)
def test_metrics_of_labelled_arrays(metric):
    import xarray as xr

    coords = {"time": MONTHS, "depth": [0.05], "lat": GRID.lat, "lon": GRID.lon}
    x, y = (xr.DataArray(v, coords, tuple(coords)) for v in (ODD["empty"], noise()))
    for each in (x, x.chunk(time=12)):
        value = lazy.scores(each, y, ["time", "lat", "lon"])[metric].values
        assert (value == 0).all() if metric == "n" else np.isnan(value).all()


@pytest.mark.parametrize("kind", ODD)
def test_parts_of_r(kind):
    rows = r_parts(ODD[kind], noise(), MONTHS, WEIGHTS, sums_of(ODD[kind], noise()))
    none = [part for part in PARTS if part != "anomaly"] if kind != "empty" else PARTS
    table = rows.set_index("part")
    assert table.loc[list(none), "value"].isna().all()
    assert table.loc["temporal", "n_without"] == CELLS
    assert table.loc["spatial", "n_without"] == MONTHS.size
    assert set(table["cells_missing"]) == {CELLS if kind == "empty" else 0}


@pytest.mark.parametrize("kind", ODD)
def test_taylor(kind):
    y = noise()
    of_models = cross_statistics(ODD[kind], y, WEIGHT)[0]
    of_method = sums_of(ODD[kind], y)[:, :, 0].sum(axis=0)
    for sums in (of_models, of_method):
        row = taylor_rows("x", sums).iloc[0]
        assert np.isnan(row["r"])
        assert row["n"] == (0 if kind == "empty" else y.size)
        if kind == "empty":
            assert np.isnan(row["sd"]) and np.isnan(row["crmsd"])
        else:
            assert row["sd"] == 0 and row["crmsd"] == pytest.approx(y.std(), rel=0.1)


@pytest.mark.parametrize("kind", ODD)
def test_the_target_s_own_taylor_row_claims_no_r_of_what_does_not_vary(kind):
    row = target_rows("x", sums_of(noise(), ODD[kind])[:, :, 0].sum(axis=0)).iloc[0]
    assert np.isnan(row["r"])
    assert np.isnan(row["crmsd"]) == (kind == "empty")
    assert row["n"] == (0 if kind == "empty" else MONTHS.size * CELLS)


def test_spread():
    errors = (noise(1) - noise(2)).reshape(MONTHS.size, 1, CELLS)
    sd, nothing = np.full_like(errors, 0.05), np.full_like(errors, np.nan)
    for error, spread in ((nothing, sd), (errors, nothing)):
        row = crps_table(error, spread, AREA, ["all"]).iloc[0]
        assert row[["crps", "mae", "rmse", "spread", "spread_skill"]].isna().all()
        assert (row["n"], row["n_missing"]) == (0, errors.size)
        rows = coverage_table(error, errors, spread, AREA, ["all"], (0.9,))
        of_spread = rows[rows["interval"] == "spread"].iloc[0]
        assert of_spread[["coverage", "width", "score"]].isna().all()
        assert (of_spread["n"], of_spread["n_missing"]) == (0, errors.size)
    few = coverage_table(errors, errors[:5], None, AREA, ["all"], (0.9,)).iloc[0]
    assert np.isnan(few["coverage"]) and few["n"] == 0, "five errors hold no 90 % interval"
    assert np.isnan(conformal_half_widths(errors[:0], (0.5,))).all()


def test_intervals():
    own, other, empty = (sums_of(x, noise(9)) for x in (noise(1), noise(2), ODD["empty"]))
    counts = block_counts(MONTHS.size, 5, 12, np.random.default_rng(1))
    rows = interval_table(own, {"o": empty}, MONTHS, ["all"], counts, ["annual"])
    assert set(rows["metric"]) == set(METRICS) - {"n"}
    assert rows[["difference", "low", "high"]].isna().all(axis=None)
    assert set(rows["n"]) == {MONTHS.size * CELLS} and set(rows["n_other"]) == {0}
    holed = noise(2)
    holed[:, :, 0, 0] = np.nan
    rows = interval_table(own, {"o": sums_of(holed, noise(9))}, MONTHS, ["all"], counts, ["annual"])
    assert (rows["n"] - rows["n_other"] == MONTHS.size).all(), "unlike cells are told"
    assert other.shape == own.shape


def test_spectrum():
    rings = rings_of(GRID, np.ones(GRID.shape, bool))
    none = radial_power(ODD["empty"], rings)
    assert np.isnan(none.mean).all() and (none.months == 0).all()
    still = radial_power(ODD["constant"], rings)
    assert still.mean == pytest.approx(0, abs=1e-12) and (still.months == MONTHS.size).all()


def test_density():
    """A layer without pairs has no rows; what is negative counts in the first class."""
    assert density_table(joint_histogram(ODD["empty"], noise(), WEIGHT)).empty
    rows = density_table(joint_histogram(np.full(SHAPE, -0.2, "f4"), ODD["constant"], WEIGHT))
    assert rows["y"].tolist() == [0.004] and rows["share"].tolist() == [1.0]


@pytest.mark.parametrize("kind", ["empty", "constant"])
def test_future(kind):
    value = np.nan if kind == "empty" else 0.0
    own, true = np.full((1, 4), value), np.array([[0.1, -0.1, 0.2, 0.3]])
    row = future_errors("m", "x", Maps(own, own, own), Maps(true, true, true), np.ones(4)).iloc[0]
    assert np.isnan(row["right_sign"])
    if kind == "empty":
        assert row[["rmse", "bias", "mean", "truth_mean"]].isna().all()
        assert (row["cells"], row["cells_missing"]) == (0, 4)
    else:
        assert np.isfinite(row["rmse"]) and row["cells_without_sign"] == 4


def test_stations():
    series = {"year": 2000 + np.arange(40) // 12, "month": 1 + np.arange(40) % 12}
    place = {"network": "N", "station": "S", "lat": 33.5, "lon": 95.5, "layer": 1}
    one = pd.DataFrame({**place, **series, "soil_moisture": 0.2})
    scores = station_scores("m", "b", noise(), MONTHS, one, GRID)
    assert scores["n"].item() == 40 and np.isnan(scores["r"].item()), "a constant sensor"
    of_r = station_quartiles(scores, {}).set_index("metric").loc["r"]
    assert of_r["series"] == 0 and np.isnan(of_r["median"])
    assert station_quartiles(scores, {}).set_index("metric").loc["mae", "series"] == 1
    early = one.assign(year=one["year"] - 50)
    none = station_scores("m", "b", noise(), MONTHS, early, GRID)
    assert none.empty and list(none) == STATION_COLUMNS, "no overlap of periods: no row"
    assert station_quartiles(none, {}).empty
    assert station_scores("m", "b", ODD["empty"], MONTHS, one, GRID).empty


def test_leakage():
    from soilfuse import config
    from soilfuse.evaluation.leakage import compared

    sums = sums_of(ODD["constant"], noise())[:, :, 0]
    params = config.load("params.yaml")
    rows = compared("m", {p: (MONTHS, sums) for p in ("blocked", "shuffled")}, params)
    assert list(rows) == LEAKAGE_COLUMNS and set(rows["months"]) == {MONTHS.size}
    assert rows[rows["metric"] == "r"][["blocked", "difference", "low"]].isna().all(axis=None)


def test_missing_scores_are_said_and_are_no_crash():
    assert np.isnan(mean_over_layers({"layer_1": {"rmse": 0.1}, "layer_2": {}}, "rmse"))
    assert np.isnan(mean_over_layers({}, "rmse"))
    keys = {"block": "out_of_fold", "season": "annual", "layer": 1}
    scores = pd.DataFrame(
        [
            {**keys, "metric": metric, "method": method, "value": value}
            for method, value in (("soilfuse", np.nan), ("climatology", 0.03))
            for metric in ("rmse", "anomaly_r")
        ]
    )
    nothing = pd.DataFrame(columns=["metric", "difference", "high", "method", "layer"])
    spread = pd.DataFrame(columns=["method", "interval", "level", "coverage", "layer"])
    said = caveats("soilfuse", scores, nothing, pd.DataFrame(), 1, spread)
    assert said[0] == (
        "Out of fold (2000-2014), soilfuse has no lower RMSE than the climatology in layer 1."
    )


# studies/china


def china_fields(kind):
    shape = (24, 6)
    rng = np.random.default_rng(2)
    truth = 0.3 + 0.05 * rng.standard_normal(shape)
    odd = {"empty": np.full(shape, np.nan), "constant": np.full(shape, 0.1)}
    return odd[kind], truth, np.arange(1.0, 7)


@pytest.mark.parametrize("kind", ["empty", "constant"])
def test_china_scores(kind):
    odd, truth, area = china_fields(kind)
    row = china.score_table({"m": odd}, truth, area).iloc[0]
    assert row[["spatial_r", "spatial_r_mean"]].isna().all()
    assert row["months_without_r"] == 24
    if kind == "empty":
        assert row[["mae", "rmsd", "ubrmsd", "bias", "share_below_0.04"]].isna().all()
        assert (row["n"], row["cells_missing"]) == (0, 6)
    holed = truth + 0.01
    holed[3, 0] = np.nan  # a gap in one cell: the others decide
    row = china.score_table({"m": holed}, truth, area).iloc[0]
    assert row["share_below_0.04"] == 1 and row["cells_missing"] == 1
    assert row["months_without_r"] == 1 and row["n"] == 24 * 6 - 1


@pytest.mark.parametrize("kind", ["empty", "constant"])
def test_china_taylor(kind):
    odd, truth, area = china_fields(kind)
    against = china.taylor_row("m", "model", truth, odd, area)
    assert all(np.isnan(against[name]) for name in ("r", "sd_ratio", "ubrmsd_ratio"))
    own = china.taylor_row("m", "model", odd, truth, area)
    assert np.isnan(own["r"]) and own["n"] == (0 if kind == "empty" else 144)


def test_china_slopes():
    area, true = np.arange(1.0, 5), np.array([0.1, -0.2, 0.3, 0.1])
    none = slope_scores(np.full(4, np.nan), true, area)
    assert all(np.isnan(none[name]) for name in ("slope", "share_drying", "rmse", "spatial_r"))
    assert (none["cells"], none["cells_missing"]) == (0, 4)
    assert np.isnan(slope_scores(np.full(4, 0.1), true, area)["spatial_r"])
    assert np.isnan(slope_scores(true[:2], true[:2], area[:2])["spatial_r"])
    without_truth = slope_scores(true, np.full(4, np.nan), area)
    assert np.isfinite(without_truth["slope"]) and np.isnan(without_truth["rmse"])
    holed = slope_scores(np.array([np.nan, -0.2, 0.3, 0.1]), true, area)
    assert holed["share_drying"] == pytest.approx(2 / 9) and holed["rmse"] == 0
    assert slope_scores(true[:0], true[:0], area[:0])["cells"] == 0


def test_ssmi_and_trends():
    months = month_axis(2000, 2005)
    still, gap = np.full((72, 2), 0.1, "f4"), np.full((72, 2), np.nan, "f4")
    for odd in (still, gap):
        index = ssmi(odd, months)
        assert np.isnan(index).all()
        assert all(np.isnan(slope).all() for slope in ssmi_slopes(index, months, "x").values())
    few = trend_test(np.arange(3.0)[:, None])
    assert np.isnan(few.slope).all() and few.n.tolist() == [3]
    constant = trend_test(np.ones((9, 1)))
    assert (constant.slope, constant.p) == (0, 1), "a series that does not change has no trend"


def test_change_rates():
    months = month_axis(1995, 2040)
    monthly = noise(5, (months.size, 4)).astype(float)
    masks = {"none": np.zeros(4, bool), "gap": np.arange(4) < 2, "dry": np.arange(4) > 2}
    monthly[7, 0] = np.nan
    monthly[:, 3] = -0.1
    rows = change_rates(
        monthly, months, masks, np.ones(4), "x", (1995, 2014), [(2021, 2040)]
    ).set_index("region")
    assert rows.loc["none", "percent"].isna().all() and set(rows.loc["none", "cells"]) == {0}
    gap = rows.loc["gap"].set_index("unit")
    assert set(gap["cells"]) == {2} and set(gap["cells_missing"]) == {1}
    both = monthly[:, :2].mean(axis=1)[month_of(months) == 8]
    expected = 100 * (both[26:].mean() / both[1:20].mean() - 1)  # without August 1995
    assert gap.loc["Aug", "percent"] == pytest.approx(expected)
    assert rows.loc["dry", "percent"].isna().all(), "of a negative mean no percent"


# studies/cmip6_evaluation


@pytest.mark.parametrize("level", [0.0, 0.1, 1 / 3, np.nan])
def test_skill_scores_and_correlations_of_what_does_not_vary(level):
    odd, y = np.full((240, 3), level), noise(3, (240, 3)).astype(float)
    for series, reference in ((odd, y), (y, odd)):
        found = skill.standardised_taylor(series, reference)
        assert all(np.isnan(found[name]).all() for name in ("r", "sd_ratio", "crmsd", "tss"))
        assert (found["n"] == (0 if np.isnan(level) else 240)).all()
    for one, other in ((odd, y), (y, odd)):
        got = relations.correlation_map(one[..., None], other[..., None])
        assert all(np.isnan(part).all() for part in got)


@pytest.mark.parametrize("months", [1, 2])
def test_two_months_have_no_correlation(months):
    x, y = noise(1, (months, 2, 2)), noise(2, (months, 2, 2))
    assert all(np.isnan(part).all() for part in relations.correlation_map(x, y))
    found = skill.standardised_taylor(x.reshape(months, -1), y.reshape(months, -1))
    assert np.isnan(found["r"]).all() and (found["n"] == months).all()


def test_regions_and_means_of_the_globe():
    field = noise(4, (24, 3, 4))
    field[:, 0] = np.nan
    field[5, 1, 0] = np.nan
    masks = {"north": np.zeros((3, 4), bool), "all": np.ones((3, 4), bool)}
    masks["north"][0] = True
    series = climatology.regional_series(field, masks, np.ones((3, 4)))
    assert np.isnan(series["north"]).all() and np.isfinite(series["all"]).all()
    assert climatology.cells_of(field, masks) == {"north": (0, 4), "all": (7, 5)}
    assert np.isnan(climatology.mean_map(field)[0]).all()
    ratio = climatology.ratio_of_bias(np.array([0.0, np.nan, 0.2]), np.array([0.1, 0.1, np.nan]))
    assert np.isnan(ratio).all()
    assert np.isnan(groups.two_step_mean({"CESM2": field[:, :1]})).all()


def test_counts_say_of_how_many():
    row = {"variable": "shallow", "reference": "era5", "region": "SIB", "source": "CESM2"}
    (by_region, by_source) = tables.counts_above(pd.DataFrame([{**row, "tss": np.nan}]), 0.6)
    assert (by_region["good"], by_region["of"], by_source["of"]) == (0, 0, 0)


@pytest.mark.parametrize("holed", [False, True])
def test_a_cell_of_the_grid_is_its_own_series(holed):
    """Beyond the metrics (test_lazy): spread, CRPS and the parts of R of one cell alone."""
    x, y, place = noise(1), noise(2), (1, 2)
    if holed:
        x[3, 0, 1, 2] = y[7, 0, 1, 2] = x[5, 0, 0, 0] = np.nan
    one = np.zeros(GRID.shape)
    one[place] = WEIGHT[place]
    cell = tuple(values[:, :, 1:2, 2:3] for values in (x, y))
    alone = {"all": WEIGHT[1:2, 2:3]}
    whole = r_parts(x, y, MONTHS, {"all": one}, field_statistics(x, y, MONTHS, {"all": one}))
    series = r_parts(*cell, MONTHS, alone, field_statistics(*cell, MONTHS, alone))
    pd.testing.assert_frame_equal(whole, series)
    errors = (x - y).reshape(MONTHS.size, 1, CELLS)
    sd = np.full_like(errors, 0.05)
    here = slice(one.argmax(), one.argmax() + 1)
    weight = one.reshape(-1, 1)
    for make in (crps_table, lambda e, s, w, r: coverage_table(e, e, s, w, r)):
        grid = make(errors, sd, weight, ["all"])
        own = make(errors[:, :, here], sd[:, :, here], weight[here], ["all"])
        pd.testing.assert_frame_equal(grid, own)
