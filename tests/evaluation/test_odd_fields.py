"""No overlap, constant series, empty cells, one station, negative moisture: a stated answer."""

import numpy as np
import pandas as pd
import pytest

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.evaluation.intervals import interval_table
from soilfuse.evaluation.judging import block_statistics, score_method
from soilfuse.evaluation.material import Material, Method, Series
from soilfuse.evaluation.metrics import metrics
from soilfuse.evaluation.parts_of_r import r_parts
from soilfuse.evaluation.prediction_range import PredictionRange
from soilfuse.evaluation.spectrum import radial_power, rings_of
from soilfuse.evaluation.spread_tables import coverage_table
from soilfuse.evaluation.stations import station_medians, station_scores
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis, month_of, year_of
from soilfuse.insitu.table import COLUMNS
from soilfuse.training.folds import folds

GRID = Grid.regular(95, 97, 33, 34, 0.5)
MONTHS = month_axis(2000, 2014)
MASKS = {"all": np.ones(GRID.shape, dtype=bool), "east": np.tile(GRID.lon > 96, (3, 1))}
WEIGHTS = {name: np.where(mask, GRID.area, 0) for name, mask in MASKS.items()}


def field(seed, months=MONTHS):
    rng = np.random.default_rng(seed)
    return (0.3 + 0.05 * rng.standard_normal((len(months), 2, *GRID.shape))).astype("f4")


def material(target, months=MONTHS):
    return Material(
        grid=GRID,
        regions=MASKS,
        target=Series(months, target),
        source_ids=["CESM2"],
        experiments=[names.HISTORICAL],
        inputs=lambda experiment: None,
        truth=None,
        folds=folds("blocked", 1),
        stations=pd.DataFrame(columns=COLUMNS),
        world="v0 seed 1",
    )


def method(values, months=MONTHS):
    return Method("m", Series(months, values), None, lambda experiment: None)


def test_a_target_of_other_years_is_refused():
    early = month_axis(1980, 1994)
    told = "180 months missing in the target, the first 2000-01; expected all 180"
    with pytest.raises(UserError, match=told):
        score_method(method(field(1)), material(field(2, early), early), None)


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_a_constant_prediction_has_errors_but_no_correlation_anywhere(level):
    constant, truth = np.full_like(field(1), level), field(2)
    scored = score_method(method(constant), material(truth), None)
    found = scored.scores.groupby("metric")["value"]
    # Anomalies of a constant prediction are those of the climatology with another sign.
    assert found.get_group("r").isna().all()
    assert (found.get_group("variance_ratio") == 0).all()
    assert found.get_group("rmse").notna().all()
    parts = r_parts(constant, truth, MONTHS, WEIGHTS, scored.outer)
    own = parts[parts["part"].isin(["pooled", "spatial", "temporal", "seasonal", "interannual"])]
    assert own["value"].isna().all()
    by_cell = own[own["part"] == "temporal"].set_index(["layer", "region"])
    assert by_cell.loc[(1, "all"), "n_without"] == 15 and by_cell.loc[(1, "all"), "n"] == 0
    other = score_method(method(field(3)), material(truth), None).outer
    counts = np.ones((4, len(MONTHS)))
    rows = interval_table(scored.outer, {"o": other}, MONTHS, list(MASKS), counts, ["annual"])
    of_r = rows[rows["metric"] == "r"]
    assert of_r[["difference", "low", "high"]].isna().all(axis=None)
    assert rows[rows["metric"] == "rmse"]["high"].notna().all()


def test_cells_without_a_value_are_counted_and_left_out():
    truth, predicted = field(1), field(2)
    truth[:, 0, 0, :2] = np.nan  # two cells of the west, layer 1
    scored = score_method(method(predicted), material(truth), None)
    parts = r_parts(predicted, truth, MONTHS, WEIGHTS, scored.outer)
    table = parts[parts["part"] == "temporal"].set_index(["layer", "region"])
    assert table["cells_missing"].to_dict() == {
        (1, "all"): 2,
        (1, "east"): 0,
        (2, "all"): 0,
        (2, "east"): 0,
    }
    n = scored.scores.query("metric == 'n' and season == 'annual' and block == 'out_of_fold'")
    assert n.set_index(["layer", "region"])["value"].loc[(1, "all")] == 180 * 13
    kept = ~np.isnan(truth[0, 0])
    error = (predicted - truth)[:, 0][:, kept]
    expected = np.sqrt(np.average(error**2, weights=np.tile(GRID.area[kept], (180, 1))))
    got = metrics(scored.outer.sum(axis=0), ("rmse",))["rmse"][0, 0]
    assert got == pytest.approx(expected, rel=1e-6)
    rings = rings_of(GRID, MASKS["all"])
    assert np.isfinite(radial_power(truth, rings).mean).all()


def test_a_region_without_a_value_is_no_number_with_a_count_of_0():
    truth, predicted = field(1), field(2)
    truth[..., MASKS["east"]] = np.nan
    scored = score_method(method(predicted), material(truth), None)
    east = scored.scores[scored.scores["region"] == "east"]
    assert (east[east["metric"] == "n"]["value"] == 0).all()
    assert east[east["metric"] != "n"]["value"].isna().all()
    flat, area = (180, 2, 15), np.stack([w.ravel() for w in WEIGHTS.values()], axis=1)
    error = (predicted - truth).reshape(flat)
    rows = coverage_table(error, error, np.full(flat, 0.1), area, list(WEIGHTS), (0.5,))
    of_east = rows[rows["region"] == "east"]
    assert (of_east["n"] == 0).all()
    assert of_east[["coverage", "width"]].isna().all(axis=None)


def one_station(count):
    when = MONTHS[:count]
    values = {
        "year": year_of(when),
        "month": month_of(when),
        "soil_moisture": field(1)[:count, 0, 1, 1],
    }
    return pd.DataFrame(
        {"network": "N", "station": "S", "lat": 33.5, "lon": 95.5, "layer": 1, **values}
    )


def test_one_station_is_its_own_median_and_says_that_it_is_one():
    scores = station_scores("soilfuse", "out_of_fold", field(2), MONTHS, one_station(40), GRID)
    (row,) = scores.to_dict("records")
    (median,) = station_medians(scores).to_dict("records")
    assert (row["n"], median["series"], median["series_with_r"]) == (40, 1, 1)
    assert median["rmse"] == row["rmse"] and median["r"] == row["r"]


def test_one_station_with_few_months_has_errors_and_no_correlation():
    scores = station_scores("soilfuse", "out_of_fold", field(2), MONTHS, one_station(5), GRID)
    (median,) = station_medians(scores).to_dict("records")
    assert (median["series"], median["series_with_r"]) == (1, 0)
    assert np.isnan(median["r"]) and np.isfinite(median["rmse"])


def test_negative_moisture_is_scored_as_it_is_and_told_to_the_gate():
    """Raw files with it are refused (tests/sources); of a prediction the gate's range decides."""
    truth = field(1)
    predicted = truth.copy()
    predicted[7, 1, 2, 3] = -0.2
    judged = PredictionRange(MASKS["all"])
    judged.take(predicted)
    assert judged.minimum == np.float32(-0.2) and judged.finite
    sums = block_statistics("m", Series(MONTHS, predicted), MONTHS, material(truth), "out_of_fold")
    scores = metrics(sums.sum(axis=0), ("rmse", "mape"))
    assert scores["rmse"][0, 0] == 0 and scores["rmse"][1, 0] > 0
    off = np.abs(-0.2 - truth[7, 1, 2, 3]) * GRID.area[2, 3] / (180 * GRID.area.sum())
    assert scores["mape"][1, 0] == pytest.approx(off / truth[7, 1, 2, 3], rel=1e-5)


def test_a_month_without_any_value_is_refused_by_nothing_but_counted():
    truth, predicted = field(1), field(2)
    truth[3] = np.nan
    sums = block_statistics("m", Series(MONTHS, predicted), MONTHS, material(truth), "out_of_fold")
    parts = r_parts(predicted, truth, MONTHS, WEIGHTS, sums)
    spatial = parts[(parts["part"] == "spatial") & (parts["region"] == "all")]
    assert set(spatial["n"]) == {179} and set(spatial["n_without"]) == {1}
