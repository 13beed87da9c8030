import numpy as np
import pandas as pd
import pytest

from soilfuse import config, names
from soilfuse.evaluation.cells import Cells, counting_cells, holding_cells, models_on, on_cells
from soilfuse.evaluation.evaluate import evaluate
from soilfuse.evaluation.material import Material, Method, Series
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis, month_of, year_of
from soilfuse.grids.regions import regions_on
from soilfuse.insitu.table import COLUMNS
from soilfuse.sources.processed import Crop, ModelCrops
from soilfuse.training.folds import FINAL_TEST_YEARS, TRAINING_YEARS, folds

GRID = Grid.regular(89, 104, 31, 38, 1.0)
REGIONS = regions_on(GRID, "basins", "trsr")
OUTSIDE = (7, 0)  # a station's cell in no region
MODELS = ("CESM2", "MIROC6", "TaiESM1")
SETTINGS = config.Evaluate(
    baselines=list(names.BASELINES), bootstrap_samples=20, bootstrap_block_months=12
)


def fields(time, size, *stream):
    rng = np.random.default_rng([*map(ord, "".join(stream))])
    season = 0.05 * np.sin(2 * np.pi * month_of(time) / 12) + 1e-4 * (year_of(time) - 2000)
    values = 0.25 + season[:, None, None, None] + 0.02 * rng.normal(size=(1, size, *GRID.shape))
    return (values + 0.02 * rng.normal(size=(len(time), size, *GRID.shape))).astype(np.float32)


def by_experiment(size, stream):
    def series(experiment):
        time = month_axis(*names.EXPERIMENT_YEARS[experiment])
        return Series(time, fields(time, size, stream, experiment))

    return series


def stations():
    rows = []
    inside = np.argwhere(REGIONS.inside)[5]
    for number, (h, w) in enumerate([inside, OUTSIDE, (50, 50)]):
        lat, lon = (GRID.lat[h] + 0.2, GRID.lon[w] - 0.3) if h < 50 else (60.0, 10.0)
        for year in range(2008, 2014):
            for month in range(1, 13):
                value = 0.2 + 0.01 * month + 0.001 * year % 0.01
                rows.append(("N", f"S{number}", lat, lon, 0, 0.1, 1, year, month, value, 9))
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture(scope="module")
def judged():
    observed = month_axis(2000, 2021)
    target = fields(observed, 5, "target")
    target[5, 2] = np.nan
    outer, final = month_axis(*TRAINING_YEARS), month_axis(*FINAL_TEST_YEARS)
    material = Material(
        grid=GRID,
        regions=REGIONS.masks,
        target=Series(observed, target),
        source_ids=MODELS,
        experiments=("historical", "ssp245"),
        inputs=by_experiment(len(MODELS), "models"),
        truth=by_experiment(5, "truth"),
        folds=folds("blocked", 1),
        stations=stations(),
        world="v0 seed 1",
    )
    method = Method(
        names.ENSEMBLE,
        Series(outer, fields(outer, 5, "outer")),
        Series(final, fields(final, 5, "final")),
        by_experiment(5, "future"),
        spread=Series(final, np.abs(fields(final, 5, "spread"))),
    )
    return method, material


def without_ridge(table):
    for column in {"name", "method"} & set(table):
        table = table[table[column] != "ridge"]
    return table.drop(columns="ridge", errors="ignore")


def test_an_evaluation_on_the_cells_that_count_is_that_of_the_whole_grid(judged):
    def slope(series):
        return series[-1] - series[0]

    whole, few = (evaluate(*pair, SETTINGS, 1, slope) for pair in (judged, on_cells(*judged)))
    np.testing.assert_array_equal(few.monthly, whole.monthly)
    for name, table in whole.tables.items():
        # Ridge chooses its penalty at some cells of all that it is given.
        own, other = (without_ridge(part) for part in (few.tables[name], table))
        pd.testing.assert_frame_equal(own, other, check_exact=True)


def test_cells_are_those_of_regions_and_stations(judged):
    cells = counting_cells(judged[1])
    assert cells.shape == (1, REGIONS.inside.sum() + 1)
    assert np.ravel_multi_index(OUTSIDE, GRID.shape) in cells.flat
    assert cells.area.sum() < GRID.area.sum()


def test_values_and_areas_follow_the_cells():
    cells = Cells(GRID.lat, GRID.lon, np.array([1, 17, 40]))
    places = np.arange(GRID.area.size).reshape(1, *GRID.shape)
    assert cells.take(places).tolist() == [[[1, 17, 40]]]
    np.testing.assert_array_equal(cells.area[0], GRID.area.ravel()[[1, 17, 40]])


@pytest.mark.parametrize("months", [20, 5])
def test_models_on_cells_are_those_of_the_whole_grid(tmp_path, months):
    rng, time = np.random.default_rng(0), month_axis(2000, 2001)[:months]
    crops = {}
    for name, step in (("MIROC6", 1.4), ("CESM2", 2.5)):
        lat, lon = np.arange(28.0, 42.0, step), np.arange(85.0, 108.0, step)
        values = rng.random((months, lat.size, lon.size), dtype=np.float32)
        values[:, 3, 3] = np.nan
        crops[name] = Crop(values, lat, lon, {})
    read = ModelCrops(tmp_path / "x.nc", crops, time, {})
    cells = Cells(GRID.lat, GRID.lon, np.flatnonzero(REGIONS.inside))
    found = models_on(read, [1, 0], cells)
    np.testing.assert_array_equal(found.values, cells.take(read.interpolated(GRID)[:, [1, 0]]))
    np.testing.assert_array_equal(found.time, time)


def test_models_are_asked_for_on_the_cells_where_that_is_offered(judged):
    asked = []

    def inputs_on(experiment, cells):
        asked.append((experiment, cells.shape))
        return judged[1].inputs(experiment)

    material = on_cells(*judged, inputs_on)[1]
    material.inputs("ssp245")
    assert asked == [("ssp245", material.grid.shape)]


def test_points_are_found_in_the_row_of_cells_or_not_at_all():
    cells = Cells(GRID.lat, GRID.lon, np.array([1, 17, 40]))
    row, column = np.unravel_index([17, 40, 41], GRID.shape)
    lat, lon = GRID.lat[row] + 0.3, GRID.lon[column] - 0.3
    rows, places, inside = holding_cells(cells, lat, lon)
    assert inside.tolist() == [True, True, False]
    assert rows.tolist() == [0, 0, 0] and places[:2].tolist() == [1, 2]
    assert holding_cells(cells, np.array([80.0]), np.array([10.0]))[2].tolist() == [False]
    assert holding_cells(GRID, lat, lon)[0].tolist() == row.tolist()
