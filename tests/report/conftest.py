"""A small factory of results in the forms that the report reads."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from soilfuse import names
from soilfuse.config import Report
from soilfuse.evaluation.density import density_table, joint_histogram
from soilfuse.evaluation.stations import station_quartiles
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_on
from soilfuse.product.layout import FOLD_SPREAD, OUTSIDE
from soilfuse.report.records import Trends
from soilfuse.seeding import generator

GRID = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.5)
REGIONS = ("TRSR", "yangtze", "yellow", "lancang")
TRSR = regions_on(GRID, "basins", "trsr")
LAYERS = (1, 2, 3, 4, 5)
RATES = {
    "historical": 3.3e-4,
    "ssp126": 8.5e-5,
    "ssp245": 1.5e-4,
    "ssp370": 2.4e-4,
    "ssp585": 2.7e-4,
}
SEASON_FACTOR = {"annual": 1.0, "DJF": 1.25, "MAM": 1.6, "JJA": 0.05, "SON": 1.1}
REFERENCE = "1995-2014"
FUTURES = ("2021-2040", "2041-2070", "2071-2100")
METHODS = ("soilfuse", *names.BASELINES)
BLOCKS = ("out_of_fold", "final_test")
FUTURE_BLOCK = "ssp585_2071_2100"


def periods_of(experiment):
    if experiment == "historical":
        return ("1995-2014",)
    return ("2015-2100", *FUTURES)


def slope_of(experiment, season, period, layer):
    flat = {"2041-2070": 0.05}.get(period, 1.0)
    return RATES[experiment] * SEASON_FACTOR[season] * (1.2 - 0.2 * layer + 0.05) * flat


def region_table(experiment):
    rows = []
    for region in REGIONS:
        for season in names.SEASONS:
            for period in periods_of(experiment):
                for layer in LAYERS:
                    slope = slope_of(experiment, season, period, layer)
                    sure = season != "JJA" and period != "2041-2070"
                    p = 0.0001 if sure else 0.43
                    rows.append((region, season, period, layer, slope, p, 4.0, 86, sure))
    columns = ["region", "season", "period", "layer", "slope", "p", "z", "n", "significant"]
    table = pd.DataFrame(rows, columns=columns)
    ends = {"slope_low": table["slope"] - 2e-5, "slope_high": table["slope"] + 2e-5}
    held = table["significant"] & (table["season"] != "DJF")
    memory = {"p_hamed_rao": np.where(held, 0.01, 0.3), "significant_hamed_rao": held}
    return table.assign(**ends, **memory)


def agreement_table(experiment):
    rng = generator(8, experiment)
    rows = []
    for region in REGIONS:
        for season in names.SEASONS:
            for period in periods_of(experiment):
                own = slope_of(experiment, season, period, 1)
                for model, factor in zip(names.CLIMATE_MODELS, rng.normal(1, 0.8, 17), strict=True):
                    rows.append((region, season, period, model, factor * own, 0.01, factor > 0.5))
    columns = ["region", "season", "period", "source_id", "slope", "p", "significant"]
    return pd.DataFrame(rows, columns=columns)


def period_table(experiment):
    periods = (REFERENCE,) if experiment == "historical" else (REFERENCE, *FUTURES)
    rows = []
    for region in REGIONS:
        for season in names.SEASONS:
            for layer in LAYERS:
                base = 0.18 + 0.02 * layer
                for i, period in enumerate(periods):
                    grown = base + i * 30 * slope_of(experiment, season, "2015-2100", layer)
                    change = 100 * (grown / base - 1)
                    rows.append((region, season, layer, period, grown, change))
    columns = ["region", "season", "layer", "period", "mean", "change_percent"]
    return pd.DataFrame(rows, columns=columns)


def series_table(experiment):
    first, last = names.EXPERIMENT_YEARS[experiment]
    years = np.arange(first, last + 1)
    parts = []
    for i, region in enumerate(REGIONS):
        for season in names.SEASONS:
            for layer in LAYERS:
                rng = generator(7, experiment, region, season, layer)
                slope = slope_of(experiment, season, "2015-2100", layer)
                wobble = rng.normal(0, 0.004, years.size)
                values = 0.18 + 0.02 * layer + 0.01 * i + slope * (years - 2014) + wobble
                part = {"region": region, "season": season, "layer": layer}
                parts.append(pd.DataFrame({**part, "year": years, "value": values}))
    return pd.concat(parts, ignore_index=True)


def trend_maps(experiment, grid=GRID):
    periods, seasons = periods_of(experiment), tuple(names.SEASONS)
    inside = regions_on(grid, "basins", "trsr").inside
    lon, lat = np.meshgrid(grid.lon, grid.lat)
    pattern = 1 + 0.8 * np.sin(lon / 1.7) * np.cos(lat / 0.9)
    slopes = np.array(
        [
            [[slope_of(experiment, s, p, layer) * pattern for layer in LAYERS] for p in periods]
            for s in seasons
        ]
    )
    slopes = np.where(inside, slopes, np.nan)
    # The layer's centre in m is the coordinate, as in every file of the project.
    depth = [np.mean(bounds) for bounds in names.PRODUCT_LAYERS]
    dims = ("season", "period", "depth", "lat", "lon")
    maps = xr.Dataset(
        {
            "sens_slope": (dims, slopes.astype("float32")),
            "p_value": (dims, np.where(np.abs(slopes) > 5e-5, 0.01, 0.4).astype("float32")),
            "significant": (dims, (np.abs(slopes) > 5e-5).astype("int8")),
        },
        coords={
            "season": list(seasons),
            "period": list(periods),
            "depth": depth,
            "lat": grid.lat,
            "lon": grid.lon,
        },
    )
    sure = np.abs(slopes) > 5e-5
    # some cells hold over the field alone, others by the plain test alone
    fields = np.where(pattern < 0.5, ~sure, sure & (pattern > 0.8)) & inside
    maps["significant_fdr"] = (dims, fields.astype("int8"))
    for end, away in (("low", -3e-5), ("high", 3e-5)):
        maps[f"sens_slope_{end}"] = (dims, (slopes + away).astype("float32"))
    first, last = names.EXPERIMENT_YEARS[experiment]
    middles = np.arange(last - 2, first + 1, -5.0)[::-1]
    season, middle, layer = np.ix_(np.arange(5), middles, np.arange(5))
    means = 0.2 + 1e-4 * (middle - 1950) + 0.01 * layer - 0.003 * season
    means = np.where(inside, means[..., None, None] + 0.02 * pattern, np.nan)
    maps["five_year_mean"] = (
        ("season", "middle_year", "depth", "lat", "lon"),
        means.astype("float32"),
    )
    maps["middle_year"] = middles
    if experiment != "historical":
        last = slopes[:, 0] * 86 / 0.2 * 100
        change = np.stack([last / 3, last / 2, last], axis=1).astype("float32")
        maps["change_percent"] = (("season", "future_period", "depth", "lat", "lon"), change)
        maps = maps.assign_coords(future_period=list(FUTURES))
    return maps


def write_trends(folder, experiment, grid=GRID):
    folder.mkdir(parents=True, exist_ok=True)
    trend_maps(experiment, grid).to_netcdf(folder / f"{experiment}.nc", engine="h5netcdf")
    region_table(experiment).to_csv(folder / f"{experiment}_regions.csv", index=False)
    period_table(experiment).to_csv(folder / f"{experiment}_periods.csv", index=False)
    series_table(experiment).to_csv(folder / f"{experiment}_series.csv", index=False)
    agreement_table(experiment).to_csv(folder / f"{experiment}_agreement.csv", index=False)


def write_product(path, experiment, grid=GRID):
    first, last = names.EXPERIMENT_YEARS[experiment]
    time = month_axis(first, last) + np.timedelta64(14, "D")  # products give mid-months
    lon, lat = np.meshgrid(grid.lon, grid.lat)
    field = 0.22 + 0.12 * np.sin((lon - 91) / 4) - 0.01 * (lat - 34)
    values = np.broadcast_to(field, (time.size, 5, *grid.shape)).astype("float32")
    product = xr.Dataset(
        {
            "soil_moisture": (("time", "depth", "lat", "lon"), values),
            FOLD_SPREAD: (("time", "depth", "lat", "lon"), 0.05 * (values - 0.1)),
            OUTSIDE: (("time", "lat", "lon"), (values[:, 0] > 0.33).astype("int8")),
            "region": (("lat", "lon"), regions_on(grid, "basins", "trsr").mask),
        },
        coords={
            "time": time,
            "depth": [np.mean(bounds) for bounds in names.PRODUCT_LAYERS],
            "lat": grid.lat,
            "lon": grid.lon,
        },
        attrs={
            "weights_sha256": "c0ffee" * 8,
            "params_sha256": "abcd" * 16,
            "soilfuse_world": "v1 seed 1",
        },
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = {name: {"zlib": True, "complevel": 1} for name in ("soil_moisture", FOLD_SPREAD)}
    product.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def score_table():
    rows = []
    for i, method in enumerate(METHODS):
        for block in ("out_of_fold", "final_test"):
            for layer in LAYERS:
                for region in REGIONS:
                    error = 0.030 + 0.004 * i - 0.001 * layer
                    for metric, value in (("rmse", error), ("anomaly_r", 0.05), ("r", 0.9)):
                        rows.append((method, block, layer, "annual", region, metric, value))
    columns = ["method", "block", "layer", "season", "region", "metric", "value"]
    return pd.DataFrame(rows, columns=columns)


def write_evaluation(folder):
    folder.mkdir(parents=True, exist_ok=True)
    score_table().to_csv(folder / "scores.csv", index=False)
    rng = generator(3, "evaluation")
    intervals = [
        (method, block, season, region, layer, "rmse", middle, middle - 0.001, middle + 0.0012)
        for i, method in enumerate(names.BASELINES)
        for block in ("out_of_fold", "final_test")
        for season in ("annual", "JJA")
        for region in REGIONS
        for layer in LAYERS
        for middle in [-0.002 * i]
    ]
    columns = [
        "method",
        "block",
        "season",
        "region",
        "layer",
        "metric",
        "difference",
        "low",
        "high",
    ]
    pd.DataFrame(intervals, columns=columns).to_csv(folder / "intervals.csv", index=False)
    taylor = [("AMSMQTP", layer, 0.08, 1.0, 0.0) for layer in LAYERS]
    spots = [
        (name, rng.uniform(0.03, 0.09), rng.uniform(-0.2, 0.7)) for name in names.CLIMATE_MODELS
    ]
    spots += [
        ("soilfuse", 0.072, 0.905),
        ("ensemble_mean", 0.035, 0.5),
        ("climatology", 0.07, 0.89),
    ]
    for name, sd, r in spots:
        crmsd = np.sqrt(sd**2 + 0.08**2 - 2 * sd * 0.08 * r)
        taylor += [(name, layer, sd, r, crmsd) for layer in LAYERS]
    pd.DataFrame(taylor, columns=["name", "layer", "sd", "r", "crmsd"]).to_csv(
        folder / "taylor.csv", index=False
    )
    write_skill(folder)
    truth = rng.uniform(0.05, 0.4, (60, 5, 2, 2))
    sums = joint_histogram(truth + rng.normal(0, 0.02, truth.shape), truth, np.ones((2, 2)))
    density_table(sums).to_csv(folder / "density.csv", index=False)
    stations = [
        (method, block, "MAQU", f"S{n}", layer, 60, *rng.uniform(0.02, 0.95, 4))
        for method in ("AMSMQTP", "ERA5-Land", "soilfuse", "climatology", "ridge")
        for block in ("out_of_fold", "final_test")
        if (method, block) != ("ERA5-Land", "final_test")
        for n in range(20)
        for layer in LAYERS
    ]
    columns = ["method", "block", "network", "station", "layer", "n", "mae", "rmse", "mape", "r"]
    table = pd.DataFrame(stations, columns=columns)
    table.to_csv(folder / "stations.csv", index=False)
    quartiles = station_quartiles(table, {"ERA5-Land": np.array([1, 1, 1, 1, 2 / 3])})
    quartiles.to_csv(folder / "station_quartiles.csv", index=False)
    future = [
        (method, experiment, layer, quantity, size * (1 + 0.3 * i) * rng.uniform(0.8, 1.2), 0, 0.9)
        for i, method in enumerate(METHODS)
        for experiment in names.SCENARIOS
        for layer in LAYERS
        for quantity, size in (("change_2071_2100", 0.006), ("sens_slope", 6e-5))
    ]
    columns = ["method", "experiment", "layer", "quantity", "rmse", "bias", "right_sign"]
    pd.DataFrame(future, columns=columns).to_csv(folder / "future.csv", index=False)


def write_skill(folder):
    """Write what scores are made of: parts of R, spread and spectrum."""
    rng = generator(4, "skill")
    keys = [(m, b, n, r) for m in METHODS for b in BLOCKS for n in LAYERS for r in REGIONS]
    columns = ["method", "block", "layer", "region"]
    parts = [
        (*key, part, rng.uniform(-0.3, 1), 100, 0)
        for key in keys
        for part in ("pooled", "spatial", "temporal", "seasonal", "interannual", "anomaly")
    ]
    made = {"r_parts": pd.DataFrame(parts, columns=[*columns, "part", "value", "n", "n_without"])}
    spread = [
        (*key, kind, level, 900, level**power, 0.1 * level, np.nan if power == 3 else 4.0, 0.2)
        for key in keys
        if key[1] == "final_test"
        for kind, power in (("spread", 3), ("residuals", 1))
        if kind == "residuals" or key[0] == "soilfuse"
        for level in (0.1, 0.5, 0.9)
    ]
    spread += [
        (method, FUTURE_BLOCK, layer, region, "residuals", 0.9, 900, 0.8, 0.1, np.nan, 0.2)
        for method in METHODS
        for layer in LAYERS
        for region in REGIONS
    ]
    added = ["interval", "level", "n", "coverage", "width", "factor", "score"]
    made["spread"] = pd.DataFrame(spread, columns=[*columns, *added])
    crps = [(*key, 900, 0.02 + 0.001 * key[2]) for key in keys if key[1] == "final_test"]
    crps += [(m, FUTURE_BLOCK, n, r, 900, 0.03) for m in METHODS for n in LAYERS for r in REGIONS]
    made["crps"] = pd.DataFrame(crps, columns=[*columns, "n", "crps"])
    spectrum = [
        (method, block, layer, length, 1e-5, 1.0 if method == "AMSMQTP" else rng.uniform(0.3, 1.2))
        for method in ("AMSMQTP", *METHODS)
        for block in BLOCKS
        for layer in LAYERS
        for length in (1200.0, 600.0, 300.0, 60.0)
    ]
    columns = ["method", "block", "layer", "wavelength_km", "power", "ratio"]
    made["spectrum"] = pd.DataFrame(spectrum, columns=columns)
    for stem, table in made.items():
        table.to_csv(folder / f"{stem}.csv", index=False)


def write_leakage(path):
    """Write the same methods under both protocols: shuffled months help those that remember."""
    gains = {"climatology": 0.0, "nearest_month": -0.006, "network": -0.001, "paper_form": -0.004}
    rows = []
    for method, gain in gains.items():
        for layer in LAYERS:
            rmse = 0.030 + 0.001 * layer
            bounds = gain - 0.0005, gain + 0.0005
            rows.append((method, layer, "rmse", rmse, rmse + gain, gain, *bounds, 180))
            for metric, value in (("r", 0.9), ("anomaly_r", -50 * gain)):
                rows.append((method, layer, metric, 0.0, value, value, value, value, 180))
    columns = [
        "method",
        "layer",
        "metric",
        "blocked",
        "shuffled",
        "difference",
        "low",
        "high",
        "months",
    ]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)


CHAMPION = {
    "registered_model": "soilfuse-trsr-0.25",
    "weights_sha256": "f00d" * 16,
    "ensemble_hash": "beef" * 16,
    "world": "v1 seed 1",
    "caveats": ["The ensemble is not better than delta change in layer 5 <and says so>."],
    "verdict": {},
    "scores": {},
    "input_range": {},
}
VERDICT = {
    "promoted": True,
    "checks": [
        {"name": "finite", "passed": True, "got": 1.0, "allowed": 1.0, "why": "no gaps inside"},
        {"name": "beats_ensemble_mean", "passed": True, "got": -0.004, "allowed": 0, "why": "RMSE"},
    ],
    "caveats": ["In layer 5 delta change is as good."],
}


@pytest.fixture
def settings():
    return Report(title="Soil moisture of the Three-River-Source Region", map_layers=[1, 3, 5])


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """Give a folder with products, trends, evaluation, sweep and verdict of every experiment."""
    root = tmp_path_factory.mktemp("project")
    for experiment in names.EXPERIMENT_YEARS:
        write_trends(root / "results" / "trends", experiment)
        write_product(root / "products" / f"{experiment}.nc", experiment)
    write_evaluation(root / "results" / "evaluate")
    (root / "results" / "leakage").mkdir()
    write_leakage(root / "results" / "leakage" / "leakage.csv")
    sweep = root / "results" / "sweep"
    sweep.mkdir()
    trials = {
        "trial": [0, 1, 2],
        "state": ["complete"] * 3,
        "inner_rmse": [0.031, 0.029, 0.035],
        "learning_rate": [1e-3, 5e-4, 9e-3],
    }
    pd.DataFrame(trials).to_csv(sweep / "trials.csv", index=False)
    (root / "verdict.json").write_text(json.dumps(VERDICT))
    return root


@pytest.fixture(scope="session")
def champion():
    return dict(CHAMPION)


@pytest.fixture(scope="session")
def trsr():
    """Give the regions that all those results are of."""
    return TRSR


@pytest.fixture(scope="session")
def written(project, champion, tmp_path_factory):
    """Give a folder with two pages, the first page and that of the evaluation."""
    from tests.report.page_makers import evaluation, index, page

    reports = tmp_path_factory.mktemp("reports")
    settings = Report(title="Soil moisture", map_layers=[1, 5])
    for experiment in ("ssp370", "historical"):
        page(project, reports / f"{experiment}.html", experiment, champion, settings)
    index(project, reports / "index.html", champion, settings)
    evaluation(project, reports / "evaluation.html", champion, settings)
    return reports


@pytest.fixture
def make_trends():
    """Give a maker of Trends from hand-made region and period rows, with no files behind them."""

    def make(experiment="ssp370", regions=None, periods=None):
        regions = region_table(experiment) if regions is None else regions
        lacking = {"slope_low", "slope_high", "p_hamed_rao"}.difference(regions)
        regions = regions.assign(**dict.fromkeys(sorted(lacking), np.nan))
        if "significant_hamed_rao" not in regions:
            regions = regions.assign(significant_hamed_rao=False)
        periods = period_table(experiment) if periods is None else periods
        tables = [regions, periods, series_table(experiment)]
        return Trends(experiment, "TRSR", trend_maps(experiment), *tables, files=())

    return make
