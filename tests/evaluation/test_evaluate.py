import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from soilfuse import config, names
from soilfuse.errors import UserError
from soilfuse.evaluation.bootstrap import paired_intervals
from soilfuse.evaluation.caveats import SPREAD_OF_FITS, UNJUDGED_FUTURE, UNTESTED_FUTURE
from soilfuse.evaluation.cells import on_cells
from soilfuse.evaluation.evaluate import evaluate
from soilfuse.evaluation.intervals import headline
from soilfuse.evaluation.judging import score_method
from soilfuse.evaluation.material import Material, Method, Series
from soilfuse.evaluation.outputs import (
    read_caveats,
    read_monthly,
    write_evaluation,
    write_monthly_of,
)
from soilfuse.evaluation.yardsticks import ClimateModels, baseline_method
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis, month_of, year_of
from soilfuse.grids.regions import regions_on
from soilfuse.insitu.table import COLUMNS
from soilfuse.training.folds import FINAL_TEST_YEARS, TRAINING_YEARS, folds

ROOT = Path(__file__).parents[2]
GRID = Grid.regular(89, 104, 31, 38, 1.0)
REGIONS = regions_on(GRID, "basins", "trsr")
MASK = REGIONS.inside
MODELS = ("CESM2", "MIROC6", "TaiESM1")
EXPERIMENTS = ("historical", "ssp126", "ssp245")
SETTINGS = config.Evaluate(
    baselines=list(names.BASELINES), bootstrap_samples=60, bootstrap_block_months=12
)
OUTER, FINAL = month_axis(*TRAINING_YEARS), month_axis(*FINAL_TEST_YEARS)
RISE = {"historical": 0.0, "ssp126": 2e-4, "ssp245": 5e-4}  # m3 m-3 per year after 2014


def months_of(experiment):
    return month_axis(*names.EXPERIMENT_YEARS[experiment])


def signal(experiment, time, layers=5):
    """Season, pattern and forced rise: (T, D, H, W), shared by truth and models."""
    season = 0.05 * np.sin(2 * np.pi * month_of(time) / 12)
    rise = RISE[experiment] * np.maximum(year_of(time) - 2014, 0)
    pattern = np.linspace(0.15, 0.35, GRID.lat.size * GRID.lon.size).reshape(GRID.shape)
    return (season + rise)[:, None, None, None] + pattern + 0.01 * np.arange(layers)[:, None, None]


def noisy(values, size, *stream):
    rng = np.random.default_rng([*map(ord, "".join(map(str, stream)))])
    return (values + size * rng.standard_normal(values.shape)).astype(np.float32)


def truth(experiment):
    time = months_of(experiment)
    return Series(time, noisy(signal(experiment, time), 0.02, "truth", experiment))


def inputs(experiment):
    time = months_of(experiment)
    one = signal(experiment, time, 1) + 0.1
    return Series(time, noisy(np.repeat(one, len(MODELS), axis=1), 0.03, "models", experiment))


def observed():
    past, later = truth("historical"), truth("ssp245")
    time = month_axis(2000, 2021)
    both = np.concatenate([past.values, later.values])
    whole = Series(np.concatenate([past.time, later.time]), both)
    return Series(time, whole.at(time, "the truth"))


def stations(target):
    rows = []
    for number, (h, w) in enumerate([(1, 3), (2, 12), (3, 11)]):
        for layer in (1, 2):
            here = (target.time >= np.datetime64("2008-05")) & (
                target.time < np.datetime64("2019-10")
            )
            for month, value in zip(
                target.time[here], target.values[here, layer - 1, h, w], strict=True
            ):
                when = year_of(month[None])[0], month_of(month[None])[0]
                place = GRID.lat[h] + 0.2, GRID.lon[w] - 0.3
                rows.append(("NET", f"S{number}", *place, 0, 0.1, layer, *when, value + 0.01, 9))
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture(scope="module")
def material():
    target = observed()
    return Material(
        grid=GRID,
        regions=REGIONS.masks,
        target=target,
        source_ids=MODELS,
        experiments=EXPERIMENTS,
        inputs=inputs,
        truth=truth,
        folds=folds("blocked", 1),
        stations=stations(target),
        world="v0 seed 1",
        reanalysis=Series(OUTER, target.at(OUTER, "x") + np.float32(0.03)),
    )


def method(material, error, future_error=0.0):
    """A candidate that knows the target up to noise."""

    def future(experiment):
        series = truth(experiment)
        rise = future_error * np.maximum(year_of(series.time) - 2014, 0)[:, None, None, None]
        spread = np.full_like(series.values, error)
        return Series(series.time, (series.values + rise).astype(np.float32), spread)

    outer, final = (
        Series(time, noisy(material.target.at(time, "x"), error, "own", len(time)))
        for time in (OUTER, FINAL)
    )
    spread = Series(FINAL, np.full_like(final.values, error))
    return Method("unet", outer, final, future, spread=spread)


def slope(series):
    return np.polyfit(np.arange(len(series)), series, 1)[0]


@pytest.fixture(scope="module")
def good(material):
    return evaluate(method(material, 0.01), material, SETTINGS, 1, slope)


def value(scores, **where):
    for key, wanted in where.items():
        scores = scores[scores[key] == wanted]
    assert len(scores) == 1
    return scores["value"].item()


def test_the_score_table_is_complete(good):
    scores = good.tables["scores"]
    whole = scores[scores["block"].isin(["out_of_fold", "final_test"])]
    regions = len(REGIONS.masks)
    assert len(whole) == (1 + len(names.BASELINES)) * 2 * 5 * 5 * regions * 10
    assert set(scores["method"]) == {"unet", *names.BASELINES}
    assert not scores.duplicated(["method", "block", "layer", "season", "region", "metric"]).any()


def test_the_headline_is_that_of_all_regions_together_whatever_they_are_called(good, material):
    """Overlapping regions of other names, the first of them all cells of both."""
    yellow, lancang = (REGIONS.masks[name] for name in ("yellow", "lancang"))
    west = lancang | (yellow & (GRID.lon < 99))
    masks = {"here": yellow | lancang, "a b": yellow, "west": west}
    other = Material(**{**vars(material), "regions": masks})
    got = evaluate(method(other, 0.01), other, SETTINGS, 1, slope)
    scores = got.tables["scores"]
    assert list(dict.fromkeys(scores["region"])) == ["here", "a b", "west"]
    where = {"method": "unet", "block": "out_of_fold", "layer": 1, "season": "annual"}
    rmse = {n: value(scores, **where, region=n, metric="rmse") for n in masks}
    assert got.metrics["outer"]["layer_1"]["rmse"] == rmse["here"]
    same = value(good.tables["scores"], **where, region="yellow", metric="rmse")
    assert rmse["a b"] == same  # a region scores alike in whatever company
    assert got.caveats == [names.STATIONS_CAVEAT]
    assert got.monthly.shape == good.monthly.shape


def test_scores_equal_numpy_on_the_cells_of_the_region(good, material):
    mask = REGIONS.masks["yellow"]
    weight = np.broadcast_to(np.where(mask, GRID.area, 0), (45, *GRID.shape))
    summer = np.isin(month_of(OUTER), (6, 7, 8))
    x = method(material, 0.01).outer.values[summer, 3].astype(float)
    y = material.target.at(OUTER, "x")[summer, 3].astype(float)
    expected = np.sqrt(np.average((x - y) ** 2, weights=weight))
    where = {"method": "unet", "block": "out_of_fold", "layer": 4, "season": "JJA"}
    got = value(good.tables["scores"], **where, region="yellow", metric="rmse")
    assert got == pytest.approx(expected, rel=1e-9)


def test_baselines_are_out_of_fold(good, material):
    """The climatology's score is that of one fitted by hand on each fold's training months."""
    mask = REGIONS.masks["TRSR"]
    total, weight = 0.0, 0.0
    for fold in material.folds:
        train, outer = (material.target.at(m, "x")[:, 0] for m in (fold.train, fold.outer))
        for month, field in zip(fold.outer, outer, strict=True):
            normal = train[month_of(fold.train) == month_of(month[None])].mean(axis=0)
            total += (GRID.area * (normal - field) ** 2)[mask].sum()
            weight += GRID.area[mask].sum()
    where = {"block": "out_of_fold", "layer": 1, "season": "annual", "region": "TRSR"}
    got = value(good.tables["scores"], method="climatology", metric="rmse", **where)
    assert got == pytest.approx(np.sqrt(total / weight), rel=1e-5)


def test_changing_a_held_out_year_does_not_change_its_prediction(material):
    models = ClimateModels(inputs, {"historical": OUTER, "ssp245": FINAL})
    fold = material.folds[2]
    changed = material.target.values.copy()
    changed[np.isin(material.target.time, np.concatenate([fold.outer, fold.inner]))] += 0.3
    other = Material(**{**vars(material), "target": Series(material.target.time, changed)})
    for name in names.BASELINES:
        one, two = (
            baseline_method(name, m, models, FINAL).outer.at(fold.outer, "x")
            for m in (material, other)
        )
        np.testing.assert_array_equal(one, two)


def test_the_candidate_beats_every_baseline_and_nothing_is_said_against_it(good):
    rows = good.tables["intervals"]
    assert set(rows["method"]) == set(names.BASELINES)
    whole = rows[rows["season"] == "annual"]
    assert (whole.loc[whole["metric"] == "rmse", "high"] < 0).all()
    assert good.caveats == [names.STATIONS_CAVEAT]


def test_intervals_hold_every_block_and_the_headline_is_that_of_the_months_kept(good, material):
    rows, regions = good.tables["intervals"], list(REGIONS.masks)
    others, metrics = len(names.BASELINES), 9  # all but n, which is a count
    assert len(rows) == others * metrics * 5 * len(regions) * (2 * 5 + 5)
    assert set(rows["block"]) == {"out_of_fold", "final_test", *(f"fold_{k}" for k in range(5))}
    assert set(rows[rows["block"] == "fold_3"]["season"]) == {"annual"}
    assert not rows.duplicated(["method", "block", "season", "region", "layer", "metric"]).any()
    models = ClimateModels(inputs, {"historical": OUTER, "ssp245": FINAL})
    ridge = score_method(baseline_method("ridge", material, models, FINAL), material, FINAL)
    samples = SETTINGS.bootstrap_samples
    expected = paired_intervals(good.monthly, ridge.outer[:, :, 0], samples, 12, seed=1)
    got = headline(rows[rows["method"] == "ridge"], "TRSR")
    got = got[got["metric"].isin(["rmse", "r"])][expected.columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(got, expected, rtol=1e-12)


def test_a_poor_candidate_gets_its_sentences(material):
    poor = evaluate(method(material, 0.06, future_error=0.002), material, SETTINGS, 1, slope)
    text = "\n".join(poor.caveats)
    assert poor.caveats[0] == (
        "Out of fold (2000-2014), unet has no lower RMSE than the climatology in any layer."
    )
    assert "In the final test, unet has no lower RMSE than delta change in any layer" in text
    for title in ("delta change", "quantile delta mapping", "ridge regression per cell"):
        assert f"that of {title} under SSP1-2.6 in any layer; SSP2-4.5 in" in text
    assert "no nearer to the pseudo-reality's truth than that of the raw ensemble mean" not in text
    assert poor.caveats[-1] == names.STATIONS_CAVEAT


def test_a_smoothed_candidate_is_said_to_have_no_weather(material):
    smoothed = on_cells(replace(method(material, 0.01), smoothing_years=21), material)
    first, *others = evaluate(*smoothed, SETTINGS, 1, slope).caveats
    assert first.startswith("unet sees climate models smoothed over 21 years")
    assert others == [names.STATIONS_CAVEAT]


def test_a_spread_too_small_is_said_to_be_none(material):
    own = method(material, 0.01)
    narrow = replace(own, spread=Series(FINAL, own.spread.values / 4))
    first, *others = evaluate(*on_cells(narrow, material), SETTINGS, 1, slope).caveats
    assert first.startswith("The spread over the networks is no range of uncertainty: in the final")
    assert "a 90 % interval made of it holds 3" in first
    assert first.endswith("of the observed values in every layer.")
    assert others == [names.STATIONS_CAVEAT]


def test_future_errors_know_the_truth(good):
    future = (
        good.tables["future"].set_index(["method", "experiment", "quantity", "layer"]).sort_index()
    )
    assert (future.loc["unet", "rmse"] == 0).all()
    change = "change_2071_2100"
    rise = RISE["ssp245"] * np.mean(np.arange(2071, 2101) - 2014)
    still = future.loc[("climatology", "ssp245", change, 1)]
    assert still["mean"] == pytest.approx(0, abs=1e-6)
    assert still["bias"] == pytest.approx(-rise, rel=0.1)
    for name in ("delta_change", "quantile_delta_mapping"):
        assert future.loc[(name, "ssp245", change, 1), "rmse"] < 0.2 * still["rmse"]


def test_taylor_rows_hold_target_methods_and_models(good):
    rows = good.tables["taylor"]
    assert set(rows["name"]) == {"AMSMQTP", "unet", *names.BASELINES, *MODELS}
    assert (rows[rows["name"] == "AMSMQTP"]["r"] == 1).all()
    assert len(rows) == (2 + len(names.BASELINES) + len(MODELS)) * 5


def test_parts_of_r_stand_beside_the_scores_they_are_parts_of(good):
    parts = good.tables["r_parts"]
    regions = len(REGIONS.masks)
    assert len(parts) == (1 + len(names.BASELINES)) * 2 * 5 * regions * 6
    where = {"method": "ridge", "block": "final_test", "layer": 2, "region": "yellow"}
    for part, metric in (("pooled", "r"), ("anomaly", "anomaly_r")):
        expected = value(good.tables["scores"], **where, season="annual", metric=metric)
        assert value(parts, **where, part=part) == expected
    # Noise of 0.01 about a season of 0.05: the candidate has the years too, the climatology not.
    own = {**where, "method": "unet", "block": "out_of_fold"}
    other = {**own, "method": "climatology"}
    assert value(parts, **own, part="interannual") > 0.6
    assert value(parts, **other, part="interannual") < 0.3
    assert value(parts, **other, part="seasonal") > 0.9


def test_the_final_test_tells_what_the_spread_is_worth(good):
    spread, regions = good.tables["spread"], len(REGIONS.masks)
    spread = spread[spread["block"] == "final_test"]
    assert set(spread[spread["interval"] == "spread"]["method"]) == {"unet"}
    assert len(spread) == (2 + len(names.BASELINES)) * 9 * 5 * regions
    where = {"layer": 3, "region": "TRSR"}
    for interval in ("spread", "residuals"):
        rows = spread[(spread["level"] == 0.9) & (spread["interval"] == interval)]
        row = rows[(rows["method"] == "unet") & (rows[[*where]] == where).all(axis=1)]
        assert row["coverage"].item() == pytest.approx(0.9, abs=0.02)
    crps = good.tables["crps"].query("block == 'final_test'")
    crps = crps.set_index(["method", "layer", "region"])
    assert crps.loc[("unet", 3, "TRSR"), "crps"] == pytest.approx(0.01 / np.sqrt(np.pi), rel=0.05)
    climatology = crps.loc[("climatology", 3, "TRSR")]
    assert climatology["crps"] == climatology["mae"]


def test_the_spread_is_held_against_the_truth_of_every_period_of_every_scenario(good):
    """The candidate is the truth itself, and says that it may be wrong by 0.01."""
    spread, crps = good.tables["spread"], good.tables["crps"]
    blocks = {f"{s}_{a}_{b}" for s in EXPERIMENTS[1:] for a, b in names.FUTURE_PERIODS}
    assert set(spread["block"]) == set(crps["block"]) == blocks | {"final_test"}
    last = spread[(spread["block"] == "ssp245_2071_2100") & (spread["region"] == "TRSR")]
    own = last[last["method"] == "unet"]
    assert set(own["interval"]) == {"spread", "residuals"} and set(own["level"]) == {0.5, 0.9}
    assert (own["coverage"] == 1).all()
    assert set(own["n"]) == {360 * REGIONS.inside.sum()} and (own["n_missing"] == 0).all()
    # A climatology of 2000-2014 misses a rise of 0.036 with a noise of 0.02.
    still = last[(last["method"] == "climatology") & (last["level"] == 0.9)]
    assert (still["coverage"] < 0.75).all()
    row = crps[(crps["block"] == "ssp126_2021_2040") & (crps["method"] == "unet")].iloc[0]
    at_best = (np.sqrt(2) - 1) / np.sqrt(np.pi)  # of a normal prediction, at its middle
    assert row["crps"] == pytest.approx(0.01 * at_best, rel=1e-4)
    assert np.isinf(row["spread_skill"]) and row["rmse"] == 0


def test_the_spectrum_is_the_same_on_the_cells_that_count(good, material):
    table = good.tables["spectrum"]
    assert set(table["method"]) == {"AMSMQTP", "unet", *names.BASELINES}
    assert (table[table["method"] == "AMSMQTP"]["ratio"] == 1).all()
    cells = evaluate(*on_cells(method(material, 0.01), material), SETTINGS, 1, slope)
    # Ridge has one penalty for all cells that it sees.
    whole, some = (each[each["method"] != "ridge"] for each in (table, cells.tables["spectrum"]))
    pd.testing.assert_frame_equal(some, whole, rtol=1e-6)


def test_station_rows_hold_methods_and_the_target_itself(good):
    rows = good.tables["stations"]
    assert set(rows["method"]) == {"unet", "AMSMQTP", "ERA5-Land", *names.BASELINES}
    target = rows[rows["method"] == "AMSMQTP"]
    np.testing.assert_allclose(target["mae"], 0.01, rtol=1e-4)
    np.testing.assert_allclose(target["r"], 1)
    assert set(target["n"]) == {80, 45}


def test_era5_land_is_held_against_the_stations_as_far_as_it_reaches(good):
    """Its months end before the final test; its last layer is two thirds of the product's."""
    own = good.tables["stations"].query("method == 'ERA5-Land'")
    np.testing.assert_allclose(own["bias"], 0.02, rtol=1e-3)
    assert set(own["block"]) == {"out_of_fold"}
    covered = good.tables["station_quartiles"].groupby("method")["covered"].min()
    assert covered.to_dict() == dict.fromkeys(covered.index, 1.0)  # stations have layers 1 and 2


def test_the_plotted_table_holds_the_scores_of_all_regions_by_layer(material):
    few = SETTINGS.model_copy(update={"baselines": ["ensemble_mean", "climatology"]})
    got = evaluate(method(material, 0.01), material, few, 1, slope).tables
    plotted = got["scores_by_layer"]
    assert list(plotted) == ["layer", "unet", *names.BASELINES]
    assert plotted["ridge"].isna().all()  # plots ask for the column of every baseline
    where = {"block": "out_of_fold", "season": "annual", "region": "TRSR", "metric": "rmse"}
    expected = [value(got["scores"], method="unet", layer=n, **where) for n in plotted["layer"]]
    assert plotted["unet"].tolist() == expected
    assert got["density"].groupby("layer")["share"].sum().tolist() == pytest.approx([1] * 5)


def test_plots_of_the_pipeline_find_their_columns(good):
    """dvc.yaml names the champion's method; here it is called unet."""
    dvc = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())
    outs = dvc["stages"]["evaluate"]["outs"]
    drawn = {
        path: (plot["x"], columns)
        for plots in dvc["plots"]
        for plot in plots.values()
        for path, columns in plot["y"].items()
        if "/evaluate/" in path
    }
    assert {Path(path).stem for path in drawn} == {"scores_by_layer", "reliability", "detail"}
    for path, (x, columns) in drawn.items():
        table = good.tables[Path(path).stem].rename(columns={"unet": "soilfuse"})
        assert path in outs and {x, *columns} <= set(table)
        assert table[[x, *columns]].notna().all(axis=None), path
    spread = good.tables["spread"].query("block == 'final_test' and region == 'TRSR'")
    own = spread.query("method == 'unet' and interval == 'spread' and layer == 5")
    assert good.tables["reliability"]["spread_5"].tolist() == own["coverage"].tolist()


def test_metrics_json_is_a_headline_of_finite_numbers(good, tmp_path):
    """The candidate by layer, the baselines as means over layers, the future by method."""
    write_evaluation(good, tmp_path)
    content = json.loads((tmp_path / "metrics.json").read_text())
    layers = {f"layer_{layer}" for layer in range(1, 6)}
    for block in ("outer", "final_test"):
        assert set(content[block]) == layers
        assert all(
            set(own) == {"rmse", "r", "anomaly_r", "bias"} for own in content[block].values()
        )
    where = {"season": "annual", "region": "TRSR", "metric": "rmse", "block": "out_of_fold"}
    scores = good.tables["scores"]
    assert content["outer"]["layer_2"]["rmse"] == value(scores, method="unet", layer=2, **where)
    for block in ("baselines", "final_test_baselines"):
        assert set(content[block]) == set(names.BASELINES)
    each = [value(scores, method="delta_change", layer=layer, **where) for layer in range(1, 6)]
    assert content["baselines"]["delta_change"] == {"rmse": pytest.approx(np.mean(each))}
    assert set(content["future"]) == {"candidate", *names.BASELINES}
    assert set(content["future"]["delta_change"]["ssp245"]) == {
        "change_2071_2100_rmse",
        "sens_slope_rmse",
    }

    def leaves(node):
        return (
            [leaf for child in node.values() for leaf in leaves(child)]
            if isinstance(node, dict)
            else [node]
        )

    assert content.pop("world") == "v0 seed 1"
    assert np.isfinite(leaves(content)).all()


def test_every_climate_model_alone_is_scored_as_a_method_of_its_name_would_be(good, material):
    asked = SETTINGS.model_copy(update={"baselines": ["ensemble_mean", "model:MIROC6"]})
    full = evaluate(method(material, 0.01), material, asked, 1, slope)
    table = good.tables["climate_models"]
    alone = [f"model:{name}" for name in MODELS]
    assert table.groupby("block", sort=False)["method"].unique().map(list).to_dict() == {
        "out_of_fold": alone,
        "final_test": alone,
    }
    for block in ("out_of_fold", "final_test"):
        for metric in ("n", "mae", "rmse", "r", "anomaly_r", "bias", "ubrmse"):
            own = table.query("method == 'model:MIROC6' and block == @block")[metric].tolist()
            where = {"block": block, "season": "annual", "region": "TRSR", "metric": metric}
            wanted = {"method": "model:MIROC6", **where}
            expected = [value(full.tables["scores"], layer=n, **wanted) for n in range(1, 6)]
            np.testing.assert_allclose(own, expected, rtol=1e-9)
    pd.testing.assert_frame_equal(full.tables["climate_models"], table)


def test_the_gate_may_ask_of_every_method_what_it_asks_of_the_candidate(good, tmp_path):
    alone = [f"model:{name}" for name in MODELS]
    assert set(good.contenders) == {*names.BASELINES, *alone}
    write_evaluation(good, tmp_path)
    for name in (*names.BASELINES, alone[0]):
        contender = good.contenders[name]
        assert contender.seen.finite
        assert contender.seen.coverage == 1
        write_monthly_of(name, tmp_path, tmp_path / "own.csv")
        months, sums = read_monthly(tmp_path / "own.csv")
        np.testing.assert_array_equal(months, OUTER)
        np.testing.assert_array_equal(sums, contender.monthly)
        if name in names.BASELINES:
            rows = by_layer(good.tables["scores"], name)
            np.testing.assert_allclose(contender.rmse, np.mean(rows), rtol=1e-12)
    everything = np.concatenate([inputs(e).values[:, 0][..., MASK].ravel() for e in EXPERIMENTS])
    seen = good.contenders[alone[0]].seen
    assert (seen.minimum, seen.maximum) == (everything.min(), everything.max())
    assert all(each.caveats.count(SPREAD_OF_FITS) == 1 for each in good.contenders.values())
    assert SPREAD_OF_FITS not in good.caveats
    unjudged = good.contenders[alone[0]].caveats
    assert UNJUDGED_FUTURE in unjudged
    assert UNJUDGED_FUTURE not in good.contenders["ridge"].caveats
    with pytest.raises(UserError, match="holds no months of model:CESM "):
        write_monthly_of("model:CESM ", tmp_path, tmp_path / "own.csv")


def by_layer(scores, name):
    where = {"method": name, "block": "out_of_fold", "season": "annual", "region": "TRSR"}
    return [value(scores, layer=n, metric="rmse", **where) for n in range(1, 6)]


def test_files_are_equal_for_equal_evaluations(good, material, tmp_path):
    write_evaluation(good, tmp_path / "one")
    again = evaluate(method(material, 0.01), material, SETTINGS, 1, slope)
    write_evaluation(again, tmp_path / "other")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == [
        "caveats.json",
        "climate_models.csv",
        "crps.csv",
        "density.csv",
        "detail.csv",
        "future.csv",
        "intervals.csv",
        "metrics.json",
        "monthly.csv",
        "monthly_contenders.csv",
        "r_parts.csv",
        "reliability.csv",
        "scores.csv",
        "scores_by_layer.csv",
        "spectrum.csv",
        "spread.csv",
        "station_medians.csv",
        "station_quartiles.csv",
        "stations.csv",
        "taylor.csv",
    ]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert read_caveats(tmp_path / "one") == good.caveats


def test_monthly_sums_survive_the_file_and_give_the_same_interval(good, tmp_path):
    write_evaluation(good, tmp_path)
    months, sums = read_monthly(tmp_path / "monthly.csv")
    np.testing.assert_array_equal(months, OUTER)
    np.testing.assert_array_equal(sums, good.monthly)
    table = paired_intervals(sums, good.monthly, 20, 12, seed=1)
    assert (table["difference"] == 0).all()


DAMAGES = pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2 + 7],
        lambda whole: whole[:-3],
        lambda whole: whole.rsplit(b"\n", 2)[0] + b"\n",
        lambda whole: whole.replace(b"-03,", b"-13,"),
        lambda whole: b"\xff\xfe" + whole,
        lambda whole: whole.replace(b".", b".x"),
    ],
    ids=[
        "empty",
        "cut in a row",
        "cut in a number",
        "lacks a row",
        "no month",
        "no text",
        "no number",
    ],
)


@DAMAGES
def test_damaged_monthly_sums_are_one_line(good, tmp_path, damage):
    write_evaluation(good, tmp_path)
    path = tmp_path / "monthly.csv"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=rf"{path} is damaged .*run `dvc repro -s evaluate`"):
        read_monthly(path)


@DAMAGES
def test_damaged_sums_of_the_methods_are_the_same_line(good, tmp_path, damage):
    write_evaluation(good, tmp_path)
    path, last = tmp_path / "monthly_contenders.csv", list(good.contenders)[-1]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=rf"{path} is damaged .*run `dvc repro -s evaluate`"):
        write_monthly_of(last, tmp_path, tmp_path / "own.csv")
    assert not (tmp_path / "own.csv").exists()


def test_sums_without_a_column_are_refused(good, tmp_path):
    write_evaluation(good, tmp_path)
    path = tmp_path / "monthly_contenders.csv"
    pd.read_csv(path).drop(columns="squared_error").to_csv(path, index=False)
    with pytest.raises(UserError, match="lacks the columns squared_error"):
        write_monthly_of("ridge", tmp_path, tmp_path / "own.csv")


def test_with_real_data_the_future_is_said_to_be_untested(material):
    real = Material(**{**vars(material), "truth": None, "experiments": ("historical",)})
    got = evaluate(method(material, 0.01), real, SETTINGS, 1, slope)
    assert got.tables["future"].empty
    assert got.metrics["future"] == {}
    assert got.metrics["final_test"] == {}
    assert UNTESTED_FUTURE in got.caveats


def test_a_prediction_that_lacks_a_month_is_refused(material):
    whole = method(material, 0.01)
    short = Method("unet", Series(OUTER[1:], whole.outer.values[1:]), None, whole.future)
    with pytest.raises(UserError, match="1 months missing in the out_of_fold prediction of unet"):
        evaluate(short, material, SETTINGS, 1, slope)


def test_a_target_that_is_all_missing_is_refused(material):
    target = Series(material.target.time, np.full_like(material.target.values, np.nan))
    empty = Material(**{**vars(material), "target": target})
    with pytest.raises(UserError, match="no overlap of prediction and truth in unet, out_of_fold"):
        evaluate(method(material, 0.01), empty, SETTINGS, 1, slope)
