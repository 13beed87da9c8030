"""Scores of pixels, detail, stations and yardsticks, against libraries and by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import xskillscore
from sample_cases import BLOCK, datasets, small_params, station_table, truths_of
from scipy import stats

from soilfuse.errors import UserError
from soilfuse.evaluation.pscnet import evaluate, outputs, scored, yardsticks
from soilfuse.evaluation.pscnet.event import RAIN, event_maps, wettest
from soilfuse.evaluation.pscnet.scores import (
    detail,
    detail_scores,
    pixel_scores,
    summary,
    sums_over_time,
)
from soilfuse.evaluation.pscnet.stations import station_table as scored_stations
from soilfuse.grids.blocks import block_means
from soilfuse.grids.grid import Grid
from soilfuse.training.downscaling.sample import of_datasets
from soilfuse.training.downscaling.split import HELD_OUT, TEST, TRAIN, roles


def pair(seed=0, shape=(150, 3, 4)):
    rng = np.random.default_rng(seed)
    truth = rng.random(shape).astype(np.float32)
    return (0.6 * truth + 0.2 * rng.random(shape)).astype(np.float32), truth


def test_pixels_agree_with_xskillscore_and_scipy():
    prediction, truth = pair()
    truth[rng_mask(truth.shape)] = np.nan
    made = pixel_scores(sums_over_time(prediction, truth), 5)
    a, b = (xr.DataArray(x.astype(float), dims=("t", "y", "x")) for x in (prediction, truth))
    r = xskillscore.pearson_r(a, b, dim="t", skipna=True)
    bias = xskillscore.me(a, b, dim="t", skipna=True)
    rmse = xskillscore.rmse(a, b, dim="t", skipna=True)
    assert np.allclose(made["r"], r)
    assert np.allclose(made["bias"], bias)
    assert np.allclose(made["ubrmse"], np.sqrt(rmse**2 - bias**2))
    seen = np.isfinite(truth[:, 1, 2])
    expected = stats.pearsonr(prediction[seen, 1, 2], truth[seen, 1, 2]).statistic
    assert np.isclose(made["r"][1, 2], expected, atol=1e-6)
    assert made["n"][1, 2] == seen.sum()


def rng_mask(shape):
    return np.random.default_rng(9).random(shape) < 0.3


def test_constant_and_short_pixels_are_nan_and_counted():
    prediction, truth = pair()
    prediction[:, 0, 0] = 0.31
    truth[4:, 0, 1] = np.nan
    truth[:, 0, 2] = np.nan
    sums = sums_over_time(prediction, truth)
    made, told = pixel_scores(sums, 5), summary(sums, 5)
    assert np.isnan(made["r"][0, 0])
    assert np.isfinite(made["bias"][0, 0])
    for name in ("r", "bias", "ubrmse"):
        assert np.isnan(made[name][0, 1]), name
        assert np.isnan(made[name][0, 2]), name
    assert made["n"][0].tolist() == [150, 4, 0, 150]
    assert told["without_r"] == 3
    assert told["pixels"] == 12
    assert told["pairs"] == 150 * 10 + 4
    assert np.isclose(told["r"], np.nanmean(made["r"]))


def test_detail_by_hand():
    fine = np.array([[[1.0, 3.0], [5.0, 7.0]]])
    assert detail(fine, 2).tolist() == [[[-3.0, -1.0], [1.0, 3.0]]]


def test_detail_tells_what_stays_from_what_changes():
    rng = np.random.default_rng(0)
    stays = 5 * rng.normal(size=(1, 8, 8))
    changes = rng.normal(size=(60, 8, 8))
    truth = stays + changes
    right = detail_scores(0.5 * truth + 3, truth, 4)
    assert np.allclose([right["detail_r"], right["detail_change_r"]], 1)
    assert np.isclose(right["detail_spread"], 0.5)
    mountains = detail_scores(stays + rng.normal(size=truth.shape), truth, 4)
    assert mountains["detail_r"] > 0.9
    assert abs(mountains["detail_change_r"]) < 0.1
    flat = detail_scores(np.full(truth.shape, 0.3), truth, 4)
    assert np.isnan([flat["detail_r"], flat["detail_change_r"]]).all()
    assert flat["detail_spread"] < 1e-9


@pytest.fixture(scope="module")
def world():
    return datasets()


@pytest.fixture(scope="module")
def sample(world):
    return of_datasets(world[0])


def test_smap_is_carried_from_an_earlier_pass(sample):
    teaching = np.arange(300)
    at = np.arange(320, len(sample.time))
    made = yardsticks.smap_carried(sample, teaching, at)
    last = {}
    middle = slice(1, 3)  # centres of coarse cells lie between fine ones 1 and 2
    means = np.nanmean(sample.smap[teaching].reshape(300, -1), axis=0).reshape(3, 4)
    for step in range(len(sample.time)):
        if step >= 320:
            when, value = last.get((1, 1), (None, None))
            old = when is None or sample.time[step] - when > np.timedelta64(120, "h")
            expected = means[1, 1] if old else value
            cell = made[step - 320, 4:8, 4:8][middle, middle].mean()
            assert np.isclose(cell, expected, atol=0.02), step
        if np.isfinite(sample.smap[step, 1, 1]):
            last[1, 1] = sample.time[step], sample.smap[step, 1, 1]


def test_what_smap_sees_at_a_step_is_not_in_what_is_carried_to_it(sample):
    at = np.flatnonzero(sample.observed)[-1:]
    smap = sample.smap.copy()
    smap[at] = 0.9
    teaching = np.arange(300)
    one, other = (
        yardsticks.smap_carried(s, teaching, at) for s in (sample, replace(sample, smap=smap))
    )
    assert np.array_equal(one, other)


def test_rescaled_era5_land_has_smap_s_mean_and_spread_in_each_cell(sample):
    teaching = np.flatnonzero(roles(sample.time, small_params().split) == TRAIN)
    made = block_means(yardsticks.era5_land_rescaled(sample, teaching, teaching), BLOCK)
    observed = sample.smap[teaching]
    here = np.isfinite(observed[:, 1, 2])
    assert here.sum() > 5
    assert np.isclose(made[here, 1, 2].mean(), observed[here, 1, 2].mean(), atol=1e-5)
    assert np.isclose(made[here, 1, 2].std(), observed[here, 1, 2].std(), atol=1e-5)


def test_climatology_is_smap_s_mean_of_cell_and_month(sample):
    role = roles(sample.time, small_params().split)
    teaching, at = np.flatnonzero(role == TRAIN), np.flatnonzero(role == TEST)
    made = block_means(yardsticks.climatology(sample, teaching, at), BLOCK)
    months = sample.time.astype("datetime64[M]").astype(int) % 12
    july = teaching[months[teaching] == 6]
    expected = np.nanmean(sample.smap[july, 2, 3].astype(float))
    assert np.isfinite(sample.smap[july, 2, 3]).sum() >= 5
    assert np.allclose(made[months[at] == 6, 2, 3], expected, atol=1e-6)


def test_yardsticks_see_no_held_out_smap_but_what_is_carried(sample):
    role = roles(sample.time, small_params().split)
    teaching, at = np.flatnonzero(role == TRAIN), np.flatnonzero(np.isin(role, (HELD_OUT, TEST)))
    smap = sample.smap.copy()
    smap[at] += 0.2
    for method in (yardsticks.era5_land_rescaled, yardsticks.climatology):
        assert np.array_equal(
            method(sample, teaching, at), method(replace(sample, smap=smap), teaching, at)
        )


def test_stations_by_hand():
    time = np.arange("2018-06-01", "2018-06-03", 3, dtype="datetime64[h]")
    field = np.arange(16.0)[:, None, None] * np.ones((1, 2, 3)) / 100
    field[:, 1, 2] += 0.01 * np.array([0, 1] * 8)
    records = pd.DataFrame(
        {
            "network": "Maqu",
            "station": "A",
            "lat": 30.11,
            "lon": 90.2,
            "time": time.astype("datetime64[ns]"),
            "soil_moisture": np.arange(16.0) / 100,
        }
    )
    stray = records.assign(station="B", lat=35.0)
    other_times = records.assign(time=records["time"] + np.timedelta64(1, "h"), station="C")
    grid = Grid(np.array([30.0, 30.1]), np.array([90.0, 90.1, 90.2]))
    table = scored_stations(
        pd.concat([records, stray, other_times]),
        grid,
        time,
        np.array(["held_out"] * 4 + ["2018"] * 12),
        {"m": field},
        5,
    )
    assert table["station"].unique().tolist() == ["A"]
    rows = table.set_index("period")
    assert rows.loc["held_out", "n"] == 4
    assert np.isnan(rows.loc["held_out", "r"])
    row = rows.loc["2018"]
    assert row["n"] == 12
    assert np.isclose(row["bias"], 0.005)
    assert np.isclose(row["ubrmse"], 0.005)
    assert np.isclose(row["r"], stats.pearsonr(field[4:, 1, 2], np.arange(4, 16) / 100).statistic)


@pytest.fixture(scope="module")
def judged(world, sample):
    """The truth plus noise as `pscnet` and `rf`, through the whole evaluation."""
    years, truth = world
    params = small_params(methods=["pscnet", "rf"])
    role = roles(sample.time, params.split)
    at = np.flatnonzero(np.isin(role, (HELD_OUT, TEST)))
    rng = np.random.default_rng(0)
    said = {
        name: xr.DataArray(
            truth[at] + spread * rng.normal(size=truth[at].shape).astype(np.float32),
            dims=("time", "lat", "lon"),
            coords={"time": sample.time[at].astype("datetime64[ns]")},
        )
        for name, spread in (("pscnet", 0.005), ("rf", 0.05))
    }
    steps = scored.scored_steps(params, sample, said, truths_of(years, truth))
    learned = [{"method": name, "parameters": 1} for name in said]
    return evaluate.judged(params, steps, station_table(truth, years), learned)


def test_everyone_is_scored_in_both_periods_and_the_better_one_wins(judged):
    table = judged.tables["scores"].set_index(["method", "period", "target"])
    methods = ["pscnet", "rf", "smap_carried", "era5_land_rescaled", "climatology"]
    assert len(table) == 2 * (2 * len(methods) + 1)
    for period in ("held_out", "2018"):
        for target in ("smap", "truth"):
            one, other = (table.loc[(name, period, target)] for name in ("pscnet", "rf"))
            assert one["r"] > other["r"]
            assert one["ubrmse"] < other["ubrmse"]
        assert table.loc[("truth", period, "smap"), "r"] > 0.6
        assert np.isnan(table.loc[("climatology", period, "truth"), "detail_r"])
    assert table.loc[("pscnet", "2018", "truth"), "detail_r"] > 0.95


def test_change_between_periods_is_in_percent_of_the_first(judged):
    table = judged.tables["scores"].set_index(["method", "period", "target"])
    row = judged.tables["generalisation"].set_index(["method", "target"]).loc[("rf", "truth")]
    one, other = (table.loc[("rf", period, "truth"), "r"] for period in ("held_out", "2018"))
    assert np.isclose(row["r_change_percent"], 100 * (other - one) / one)


def test_maps_hold_what_the_table_is_the_mean_of(judged):
    table = judged.tables["scores"].set_index(["method", "period", "target"])
    pixels = judged.maps["pixels"]
    chosen = pixels["truth_ubrmse"].sel({"truth_method": "rf", "period": "2018"})
    assert chosen.shape == (12, 16)
    assert np.isclose(float(chosen.mean()), table.loc[("rf", "2018", "truth"), "ubrmse"])
    assert pixels["smap_r"].dims == ("smap_method", "period", "coarse_lat", "coarse_lon")


def test_densities_are_shares(judged):
    sums = judged.tables["density"].groupby("method")["share"].sum()
    assert np.allclose(sums, 1)
    assert "truth" in sums.index


def test_the_event_is_the_wettest_day_that_smap_saw(sample, judged):
    at = np.flatnonzero(roles(sample.time, small_params().split) == TEST)
    found = wettest(sample, at)
    rain = sample.fine[:, 1].mean(axis=(1, 2))
    assert np.isfinite(sample.smap[found.step]).mean() >= 0.5
    assert found.step - found.before == 8
    totals = [
        rain[step - 7 : step + 1].sum()
        for step in at
        if step - 8 >= sample.run_starts[step] and np.isfinite(sample.smap[step]).mean() >= 0.5
    ]
    assert np.isclose(rain[found.before + 1 : found.step + 1].sum(), max(totals))
    assert judged.maps["event"]["moment"].values[1] == str(sample.time[found.step])
    series = judged.tables["series"]
    assert len(series) > 40
    assert np.isfinite(series["smap"]).any()


def test_an_event_at_new_year_has_no_step_of_the_year_before(sample):
    """A run crosses New Year; the wettest day is January 1, and steps of December have no field."""
    begun = np.datetime64("2017-12-25T00")
    time = begun + np.arange(len(sample.time)) * np.timedelta64(3, "h")
    fine, smap = sample.fine.copy(), np.zeros_like(sample.smap)
    whole = replace(sample, time=time, fine=fine, smap=smap)
    (first, *_) = at = np.flatnonzero(whole.time >= np.datetime64("2018-01-01"))
    whole.fine[first : first + 4, RAIN] = 1.0
    found = wettest(whole, at)
    assert found.before in at
    fields = {"rf": whole.fine[at, 0]}
    maps = event_maps(whole, found, at, fields)
    told = maps["soil_moisture"].values[0]
    np.testing.assert_array_equal(told, whole.fine[[found.before, found.step], 0])
    short = wettest(whole, at[:3])  # less than a day: from the first step that has a field
    assert short.before == first


def test_metrics_are_numbers(judged):
    assert all(np.isfinite(value) for value in judged.facts.values())
    assert {"smap/2018/pscnet/r", "truth/held_out/rf/ubrmse"} <= set(judged.facts)


def test_files_hold_what_was_found(judged, tmp_path):
    outputs.write_evaluation(tmp_path / "a", judged)
    outputs.write_evaluation(tmp_path / "b", judged)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    back = outputs.read_evaluation(tmp_path / "a")
    assert np.allclose(back.tables["scores"]["ubrmse"], judged.tables["scores"]["ubrmse"], 1e-5)
    assert back.facts == judged.facts
    assert set(back.tables["scores"]["period"]) == {"held_out", "2018"}


def test_without_a_truth_there_are_no_scores_against_it(world, sample):
    years, truth = world
    params = small_params(methods=["rf"])
    at = np.flatnonzero(np.isin(roles(sample.time, params.split), (HELD_OUT, TEST)))
    time = {"time": sample.time[at].astype("datetime64[ns]")}
    said = {"rf": xr.DataArray(truth[at], dims=("time", "lat", "lon"), coords=time)}
    steps = scored.scored_steps(params, sample, said, dict.fromkeys((2016, 2017, 2018)))
    found = evaluate.judged(params, steps, station_table(truth, years), [{"method": "rf"}])
    assert set(found.tables["scores"]["target"]) == {"smap"}
    assert "truth" not in set(found.tables["scores"]["method"])
    assert "truth_r" not in found.maps["pixels"]


def test_maps_of_other_steps_are_refused(world, sample):
    time = {"time": sample.time[:5].astype("datetime64[ns]")}
    said = {"rf": xr.DataArray(world[1][:5], dims=("time", "lat", "lon"), coords=time)}
    with pytest.raises(UserError, match="other steps than the split.*dvc repro train@rf"):
        scored.scored_steps(small_params(), sample, said, {})
