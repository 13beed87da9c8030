from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis
from soilfuse.insitu import table
from soilfuse.insitu.table import (
    COLUMNS,
    assign_layers,
    read_table,
    rows_in_months,
    station_table,
    write_table,
)


def records(*sensors, **columns):
    table = pd.DataFrame(sensors, columns=["depth_from", "depth_to"])
    defaults = {
        "network": "NET",
        "station": "A",
        "lat": 33.0,
        "lon": 101.0,
        "year": 2009,
        "month": 7,
        "soil_moisture": 0.2,
        "records": 10,
    }
    return table.assign(**(defaults | columns))


def layer_of(depth_from, depth_to):
    got = assign_layers(records((depth_from, depth_to)))["layer"].tolist()
    return got[0] if got else None


@pytest.mark.parametrize(
    ("depth", "layer"),
    [(0.0, 1), (0.05, 1), (0.1, 2), (0.2, 2), (0.3, 3), (0.4, 3), (0.5, 4), (0.8, 5), (1.1, 5)]
    + [(0.8 + 0.3, 5), (1.2, None), (2.0, None)],
)
def test_point_sensors_belong_where_they_stand(depth, layer):
    assert layer_of(depth, depth) == layer


@pytest.mark.parametrize(
    ("depth_from", "depth_to", "layer"),
    [
        (0.0, 0.05, 1),
        (0.1, 0.2, 2),
        (0.2, 0.3, 2),
        (0.0, 0.2, 1),  # a tie goes up
        (0.0, 0.3, 2),
        (0.9, 1.0, 5),
        (0.0, 1.0, None),  # no layer holds half of it
        (1.0, 1.2, 5),
        (1.0, 1.5, None),
        (1.2, 1.4, None),
    ],
)
def test_intervals_join_the_layer_that_holds_most_of_them(depth_from, depth_to, layer):
    assert layer_of(depth_from, depth_to) == layer


def table_rows(text):
    """The cells of a text's lines that are rows of tables."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_the_docs_is_the_codes_and_its_examples_come_true():
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    section = text.split("## Depths and layers")[1].split("\n## ")[0]
    rows = table_rows(section)
    assert [row[:2] for row in rows] == table_rows(table.__doc__)
    examples = [example for row in rows[1:] for example in row[2].split(", ")]
    assert len(examples) > 15
    for example in examples:
        depths, layer = example.split(": ")
        bounds = [float(depth) for depth in depths.split("-")]
        assert str(layer_of(bounds[0], bounds[-1])).lower() == layer


@given(st.integers(0, 5), st.integers(1, 30), st.integers(0, 120))
def test_an_interval_inside_a_layer_is_of_that_layer(number, thickness, start):
    depth_from, depth_to = start / 100, (start + thickness) / 100
    got = layer_of(depth_from, depth_to)
    for layer, (top, bottom) in enumerate(names.PRODUCT_LAYERS, start=1):
        if depth_from >= top and depth_to <= bottom:
            assert got == layer


@pytest.mark.parametrize("depths", [(0.2, 0.1), (np.nan, 0.1), (0.1, np.nan)])
def test_upside_down_and_missing_depths_are_refused(depths):
    with pytest.raises(UserError, match="sensor depth from"):
        assign_layers(records((0.0, 0.1), depths))


def test_sensors_of_one_station_and_layer_are_averaged():
    table = records((0.1, 0.1), (0.2, 0.2), (0.4, 0.4))
    table["soil_moisture"] = [0.1, 0.3, 0.5]
    got = station_table(table)
    assert got.columns.tolist() == COLUMNS
    assert got["layer"].tolist() == [2, 3]
    assert got["soil_moisture"].tolist() == pytest.approx([0.2, 0.5])
    assert got["records"].tolist() == [20, 10]
    assert got.loc[0, ["depth_from", "depth_to"]].tolist() == [0.1, 0.2]


def test_stations_of_one_name_in_two_networks_stay_apart():
    got = station_table(records((0.05, 0.05), (0.05, 0.05), network=["NET", "OTHER"]))
    assert got["network"].tolist() == ["NET", "OTHER"]


def test_months_without_a_value_are_left_out():
    got = station_table(records((0.05, 0.05), (0.06, 0.06), soil_moisture=[np.nan, 0.3]))
    assert got["soil_moisture"].tolist() == [0.3]


def test_rows_are_chosen_by_month_whatever_the_order():
    table = records(*[(0.05, 0.05)] * 4, year=[2009, 2010, 2010, 2011], month=[12, 1, 12, 1])
    got = rows_in_months(table, month_axis(2010, 2010)[::-1])
    assert list(zip(got["year"], got["month"], strict=True)) == [(2010, 1), (2010, 12)]


def test_parquet_is_read_back_and_does_not_depend_on_the_order_of_rows(tmp_path):
    table = station_table(
        records(*[(0.05, 0.05)] * 6, year=range(2008, 2014), soil_moisture=np.linspace(0, 0.5, 6))
    )
    write_table(table, tmp_path / "one.parquet")
    write_table(table.sample(frac=1, random_state=1), tmp_path / "other.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()
    pd.testing.assert_frame_equal(read_table(tmp_path / "one.parquet"), table)


def test_another_parquet_is_refused_with_the_columns_it_lacks(tmp_path):
    pd.DataFrame({"network": ["A"]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(UserError, match="lacks the columns station, lat"):
        read_table(tmp_path / "x.parquet")
