"""The in-situ field of every fold on the demo's own stations, by way of their files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from soilfuse import config
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis, month_key, year_of
from soilfuse.insitu.cells import nearest_cells
from soilfuse.insitu.field import fit_field
from soilfuse.insitu.table import rows_in_months, station_table
from soilfuse.insitu.validation import network_out_scores
from soilfuse.sources import cma, ismn
from soilfuse.training.folds import TRAINING_YEARS, folds
from soilfuse.world import station_files, station_networks
from soilfuse.world import stations as world_stations
from soilfuse.world.truth import Truth

PARAMS = config.load(Path(__file__).parents[2] / "profiles" / "demo.yaml")
GRID = Grid.of(PARAMS.domain)
MONTHS = month_axis(*TRAINING_YEARS)
LAYERS = (1, 2, 3, 4, 5)
MAY_2008 = np.datetime64("2008-05-01")
FOLDS = {fold.index: fold for fold in folds("blocked", PARAMS.seed)}
WITH_STATIONS = (0, 1, 2, 4)


@pytest.fixture(scope="module")
def stations(tmp_path_factory):
    """The station table of the demo, written and read as its stages do."""
    root, truth = tmp_path_factory.mktemp("raw"), Truth(PARAMS.world.seed)

    def placed(network):
        return world_stations.place(truth, network, GRID, PARAMS.world.stations)

    for network in station_networks.ISMN_NETWORKS:
        step = PARAMS.world.station_hour_step
        for record in world_stations.hourly_records(truth, placed(network), step):
            station_files.write_ismn(root / "ismn", record)
    station_files.write_cma(root / "cma", truth, placed(station_networks.CMA))
    records = [
        ismn.monthly_table(root, PARAMS.insitu.good_flags, PARAMS.insitu.min_records),
        cma.monthly_table(root),
    ]
    return station_table(pd.concat(records, ignore_index=True))


@pytest.fixture(scope="module")
def fields(stations):
    """{fold: (rows, I_insitu, I_prob)} of the folds that have stations."""
    found = {}
    for index in WITH_STATIONS:
        rows = rows_in_months(stations, FOLDS[index].train)
        fitted = fit_field(rows, GRID, MONTHS, LAYERS, PARAMS.insitu, PARAMS.seed)
        found[index] = (rows, *fitted)
    return found


def cells_of(rows):
    """The (N, 2) rows and columns of the grid in which these stations stand."""
    north, east, _ = nearest_cells(GRID, rows["lat"].to_numpy(), rows["lon"].to_numpy())
    return np.unique(np.column_stack([north, east]), axis=0)


def at(values, cells):
    return values[:, :, cells[:, 0], cells[:, 1]]


def months_of(rows):
    return np.isin(MONTHS, month_key(rows["year"].to_numpy(), rows["month"].to_numpy()))


def test_networks_begin_when_the_real_ones_did(stations):
    first = stations.groupby("network").apply(
        lambda rows: month_key(rows["year"].to_numpy(), rows["month"].to_numpy()).min()
    )
    assert first.drop("CMA").min() >= MAY_2008
    assert first["CMA"] == np.datetime64("2015-01-01")
    assert set(stations["network"]) == {"CTP_SMTMN", "MAQU", "NAQU", "CMA"}


def test_no_fold_sees_cma_and_one_sees_no_station(stations):
    rows = {index: rows_in_months(stations, fold.train) for index, fold in FOLDS.items()}
    assert all("CMA" not in set(found["network"]) for found in rows.values())
    assert tuple(index for index, found in rows.items() if len(found)) == WITH_STATIONS


@pytest.mark.parametrize("index", WITH_STATIONS)
def test_nothing_vouches_before_may_2008_nor_in_held_out_years(fields, index):
    fold, (rows, _, probability) = FOLDS[index], fields[index]
    assert not set(rows["year"]) & set(year_of(np.concatenate([fold.outer, fold.inner])))
    assert probability[MONTHS < MAY_2008].max() == 0
    assert probability[year_of(MONTHS) > rows["year"].max()].max(initial=0) == 0
    here = at(probability, cells_of(rows))
    assert here[months_of(rows), 0].mean() > 0.7


@pytest.mark.parametrize("index", WITH_STATIONS)
def test_nothing_vouches_below_the_sensors_of_the_nearest_station(fields, index):
    rows, _, probability = fields[index]
    shallow = rows[rows["network"] != "MAQU"]  # no sensor of the two reaches layer 5
    assert shallow["layer"].max() == 4
    west, east = cells_of(shallow), cells_of(rows[rows["network"] == "MAQU"])
    assert at(probability, west)[months_of(rows), 0].mean() > 0.8
    assert at(probability, west)[:, 4].max() == 0
    assert at(probability, east)[months_of(rows), 4].mean() > 0.5
    north, east, _ = nearest_cells(GRID, rows["lat"].to_numpy(), rows["lon"].to_numpy())
    for (row, column), deepest in rows.groupby([north, east])["layer"].max().items():
        assert probability[:, deepest:, row, column].max(initial=0) == 0


@pytest.mark.parametrize("index", WITH_STATIONS)
def test_trust_fades_away_from_the_stations(fields, index):
    rows, _, probability = fields[index]
    cells = cells_of(rows)
    row, column = np.indices((*GRID.shape, 1))[:2]
    steps = np.abs(row - cells[:, 0]) + np.abs(column - cells[:, 1])
    far = probability[months_of(rows)][:, :, steps.min(axis=-1) > 8]  # two degrees and more
    assert far.mean() < 0.01
    assert (far > 0.5).mean() < 0.005


def test_held_out_years_change_no_byte(stations, fields):
    """Soil moisture of 0.9 in the held-out years of fold 4, which would show anywhere."""
    fold = FOLDS[4]
    spoilt = stations.assign(
        soil_moisture=stations["soil_moisture"].mask(stations["year"] >= 2011, 0.9)
    )
    rows = rows_in_months(spoilt, fold.train)
    again = fit_field(rows, GRID, MONTHS, LAYERS, PARAMS.insitu, PARAMS.seed)
    assert [values.tobytes() for values in again] == [f.tobytes() for f in fields[4][1:]]


def test_a_network_left_out_is_told_from_the_others(stations):
    """The forest beats the mean of the others nearly everywhere, and the table shows where not."""
    settings = PARAMS.insitu.model_copy(update={"trees": 10})
    scores = network_out_scores(stations, settings, PARAMS.seed)
    assert scores["n"].sum() == len(stations)
    better = scores["rmse"] < scores["rmse_of_mean"]
    assert better.mean() > 0.8
    assert scores["rmse"].max() < 0.1
    assert set(scores["network"]) == set(stations["network"])
