import numpy as np
import pandas as pd
import pytest

from soilfuse.evaluation.stations import station_medians, station_quartiles, station_scores
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis, month_of, year_of

GRID = Grid.regular(90, 93, 31, 33, 0.5)
MONTHS = month_axis(2009, 2010)


@pytest.fixture
def field():
    rng = np.random.default_rng(1)
    return (0.3 + 0.05 * rng.standard_normal((24, 3, *GRID.shape))).astype(np.float32)


def rows(field, station, lat, lon, layer, count, shift=0.0):
    h, w = np.abs(GRID.lat - lat).argmin(), np.abs(GRID.lon - lon).argmin()
    return pd.DataFrame(
        {
            "network": "NET",
            "station": station,
            "lat": lat,
            "lon": lon,
            "layer": layer,
            "year": year_of(MONTHS)[:count],
            "month": month_of(MONTHS)[:count],
            "soil_moisture": field[:count, layer - 1, h, w] + shift * np.arange(count) ** 2,
        }
    )


def score(field, *tables):
    stations = pd.concat(tables, ignore_index=True).sample(frac=1, random_state=0)
    scores = station_scores("m", "b", field, MONTHS, stations, GRID)
    return scores.set_index(["station", "layer"])


def test_a_series_is_held_against_its_own_cell_and_layer(field):
    first = rows(field, "A", 31.6, 91.9, 1, 24)
    second = rows(field, "A", 31.6, 91.9, 3, 24)
    got = score(field, first, second)
    assert (got["rmse"] == 0).all()
    assert got["r"].tolist() == pytest.approx([1, 1])
    assert (got["n"] == 24).all()


def test_numbers_agree_with_numpy(field):
    table = rows(field, "A", 32.1, 92.8, 2, 20, shift=0.0007)
    got = score(field, table).loc[("A", 2)]
    x = field[:20, 1, 2, 6].astype(float)
    y = table["soil_moisture"].to_numpy()
    assert got["mae"] == pytest.approx(np.abs(x - y).mean())
    assert got["rmse"] == pytest.approx(np.sqrt(((x - y) ** 2).mean()))
    assert got["mape"] == pytest.approx((np.abs(x - y) / y).mean())
    assert got["r"] == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_a_correlation_needs_twelve_months(field):
    got = score(field, rows(field, "A", 32, 92, 1, 11), rows(field, "B", 32, 92, 1, 12))
    assert np.isnan(got.loc[("A", 1), "r"])
    assert got.loc[("B", 1), "r"] == pytest.approx(1)
    medians = station_medians(got.reset_index())
    assert medians[["series", "series_with_r"]].to_numpy().tolist() == [[2, 1]]


def test_rows_outside_the_grid_and_the_months_are_left_out(field):
    inside = rows(field, "A", 32, 92, 1, 24)
    far = inside.assign(station="far", lat=36.0)
    early = inside.assign(station="early", year=inside["year"] - 9)
    got = score(field, inside, far, early)
    assert got.index.tolist() == [("A", 1)]


def test_without_a_match_the_table_is_empty(field):
    far = rows(field, "A", 32, 92, 1, 24).assign(lat=50.0)
    assert station_scores("m", "b", field, MONTHS, far, GRID).empty


def test_medians_are_over_series(field):
    tables = [rows(field, name, 32, 92, 1, 24).assign(station=name) for name in "ABC"]
    for table, shift in zip(tables, (0.01, 0.02, 0.06), strict=True):
        table["soil_moisture"] += shift
    medians = station_medians(score(field, *tables).reset_index())
    assert medians["mae"].tolist() == pytest.approx([0.02], rel=1e-5)


def test_quartiles_are_pandas_own_and_say_how_many_series_have_a_value(field):
    lengths = {"A": 24, "B": 24, "C": 24, "D": 24, "E": 11}
    tables = [
        rows(field, name, 32, 92, 1, months, shift=0.0001 * number).assign(station=name)
        for number, (name, months) in enumerate(lengths.items())
    ]
    scores = score(field, *tables).reset_index()
    got = station_quartiles(scores, {"m": np.array([0.5])}).set_index("metric")
    for metric in ("mae", "rmse", "mape", "r"):
        told = scores[metric].describe()
        assert got.loc[metric, ["q25", "median", "q75"]].tolist() == pytest.approx(
            told[["25%", "50%", "75%"]].tolist()
        )
        assert got.loc[metric, "series"] == told["count"] == (4 if metric == "r" else 5)
    assert (got["covered"] == 0.5).all()


def test_one_station_is_its_own_quartiles_and_none_gives_no_rows(field):
    one = score(field, rows(field, "A", 32, 92, 1, 24, shift=0.001)).reset_index()
    got = station_quartiles(one, {}).set_index("metric")
    assert (got["series"] == 1).all()
    assert (got["covered"] == 1).all()
    assert got.loc["mae", ["q25", "median", "q75"]].tolist() == [one["mae"].item()] * 3
    assert station_quartiles(one[:0], {}).empty
