"""Size of the interactive map, and how soon a browser draws it, against numbers written as JSON.

All five experiments at 0.25 and at 0.1 degree, 493 and 3110 cells inside the basins. A user would
hand plotly, as it is, the same numbers as JSON, with the digits that are shown. The numbers are
synthetic: smooth in space, with a season, a trend by scenario, weather from month to month and
noise of 5e-4 m3 m-3; the trends are those of the stage `trends`. Drawing is from opening the file
to the moment when map and series stand, in headless Chromium without a GPU, plotly's own start
included.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from plotly.offline import get_plotlyjs
from tests.e2e.chromium import PROGRAM, Browser

from benchmarks.harness import Timing, fastest, record
from benchmarks.product import BATCH, COARSE, GRIDS, finer, smooth
from soilfuse import config, names, seeding
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import Regions, regions_on
from soilfuse.report import map_page
from soilfuse.report.map_data import deflated, unpacked
from soilfuse.trends.product_trends import product_trends, write_trends

RATES = {  # m3 m-3 a year, of the smooth field of trends
    "historical": 3e-4,
    "ssp126": 1e-4,
    "ssp245": 1.5e-4,
    "ssp370": 2.5e-4,
    "ssp585": 3e-4,
}
REPEATS = 3
MEGABYTE = 1e6
NOTHING: dict[str, Any] = {"world": "benchmark", "caveats": []}
NO_MODELS = {"region": "TRSR", "season": "annual", "period": "2015-2100", "source_id": "A"}


def product(experiment: str, grid: Grid, regions: Regions) -> xr.Dataset:
    """Return one experiment's months of soil moisture, from a seed, as far as the map reads it."""
    rng = seeding.generator(1, "benchmark", "map", experiment)
    shared = seeding.generator(1, "benchmark", "map")
    layers = len(names.PRODUCT_LAYERS)
    climate, season, trend = (smooth(shared, grid, layers) for _ in range(3))
    time_axis = month_axis(*names.EXPERIMENT_YEARS[experiment])
    values = np.empty((time_axis.size, layers, *grid.shape), np.float32)
    for start in range(0, time_axis.size, BATCH):
        month = np.arange(start, min(start + BATCH, time_axis.size))[:, None, None, None]
        years = month / 12 - (65 if experiment == names.HISTORICAL else 0)
        fine = 0.25 + 0.05 * climate + (0.04 + 0.01 * season) * np.sin(np.pi * month / 6)
        fine = fine + RATES[experiment] * (0.5 + trend) * years
        fine += 0.01 * finer(rng.normal(size=(month.size, layers, *COARSE)), grid)
        noisy = fine + 5e-4 * rng.normal(size=fine.shape)
        values[start : start + BATCH] = np.clip(noisy, 0.01, 0.6)
    axes = {
        "time": time_axis.astype("datetime64[ns]"),
        "depth": [float(np.mean(bounds)) for bounds in names.PRODUCT_LAYERS],
        "lat": grid.lat,
        "lon": grid.lon,
    }
    fields = {
        names.SOIL_MOISTURE: (("time", "depth", "lat", "lon"), values),
        "region": (("lat", "lon"), regions.mask),
        "cell_area": (("lat", "lon"), np.cos(np.radians(grid.lat))[:, None] * np.ones(grid.shape)),
    }
    return xr.Dataset(fields, axes)


def write_inputs(folder: Path, grid: Grid) -> Regions:
    """Write trends/ of all experiments into a folder."""
    settings = config.load().trends
    regions = regions_on(grid, "basins", "trsr")
    historical = None
    for experiment in RATES:
        made = product(experiment, grid, regions)
        historical = made if historical is None else historical
        found = product_trends(made, None if made is historical else historical, regions, settings)
        write_trends(folder / "trends", experiment, found)
        agreement = pd.DataFrame([{**NO_MODELS, "slope": np.nan, "significant": False}])
        agreement.to_csv(folder / "trends" / f"{experiment}_agreement.csv", index=False)
    return regions


def write_page(folder: Path, regions: Regions) -> Path:
    """Write the page of a folder's trends as the stage `map` does."""
    page = folder / "map.html"
    map_page.write_map(page, list(RATES), folder / "trends", NOTHING, config.load().report, regions)
    return page


def megabytes_as_json(page: Path) -> float:
    """Return the size of the page with plotly as it is and numbers in JSON, rounded as they are."""
    text = page.read_text(encoding="utf-8")
    start = text.index('id="data">') + len('id="data">')
    data = text[start : text.index("</script>", start)]
    told = json.loads(data)
    for one in told["experiments"]:
        for name, held in one.items():
            if isinstance(held, dict) and "scale" in held:
                digits = max(0, round(-np.log10(held["scale"])))
                rounded = unpacked(held).round(digits)
                one[name] = [None if np.isnan(x) else x for x in rounded.ravel().tolist()]
    plotly = get_plotlyjs()
    grown = len(json.dumps(told, separators=(",", ":"))) - len(data)
    grown += len(plotly) - len(deflated(plotly.encode()))
    return (page.stat().st_size + grown) / MEGABYTE


def milliseconds_to_draw(page: Path, profile: Path) -> float:
    """Return how long after it is opened the page stands."""
    taken = []
    with Browser(profile) as browser:
        for _ in range(REPEATS):
            browser.open("about:blank")
            browser.open(page.as_uri())
            browser.wait_for("document.body.dataset.ready")
            taken.append(browser.evaluate("performance.getEntriesByName('drawn')[0].startTime"))
    return min(taken)


def compare(what: str, grid: Grid, folder: Path) -> Timing:
    """Return the sizes at one resolution, and print the times."""
    regions = write_inputs(folder, grid)
    made = fastest(lambda: write_page(folder, regions), 1)
    page = folder / "map.html"
    drawn = milliseconds_to_draw(page, folder / "profile") if PROGRAM else float("nan")
    print(f"{what}: {regions.inside.sum()} cells, made in {made:.1f} s, drawn in {drawn:.0f} ms")
    size = page.stat().st_size / MEGABYTE
    return Timing(f"size, {what}", size, megabytes_as_json(page), "MB", int(regions.inside.sum()))


def main() -> None:
    """Write benchmarks/results/map_page.json."""
    timings = []
    for what, grid in GRIDS.items():
        with tempfile.TemporaryDirectory() as folder:
            timings.append(compare(what, grid, Path(folder)))
    record("map_page", timings)


if __name__ == "__main__":
    main()
