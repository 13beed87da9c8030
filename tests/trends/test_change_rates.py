"""Change rates by hand, and the split at 35N east of 100E."""

import numpy as np
import pytest

from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis, month_of, year_of
from soilfuse.trends.change_rates import MONTHS, UNITS, change_rates, north_south

TIME = month_axis(2001, 2006)


def by_unit(table, region, period):
    chosen = table[(table["region"] == region) & (table["period"] == period)]
    return dict(zip(chosen["unit"], chosen["percent"], strict=True))


def test_hand_case():
    # Two cells of weights 1 and 3; from 2004 on July doubles in the second cell alone.
    values = np.full((TIME.size, 2), 0.2)
    values[(year_of(TIME) >= 2004) & (month_of(TIME) == 7), 1] = 0.4
    table = change_rates(
        values,
        TIME,
        {"both": np.array([True, True]), "first": np.array([True, False])},
        np.array([1.0, 3.0]),
        "test",
        (2001, 2003),
        [(2004, 2006)],
    )
    both = by_unit(table, "both", "2004-2006")
    assert tuple(both) == UNITS
    # July: (0.2 + 3 x 0.4) / 4 = 0.35 against 0.2.
    assert both["Jul"] == pytest.approx(75)
    assert both["JJA"] == pytest.approx(25)
    assert both["annual"] == pytest.approx(75 / 12)
    assert [both[unit] for unit in (*MONTHS[:6], "MAM", "SON", "DJF")] == pytest.approx([0] * 9)
    assert all(abs(x) < 1e-12 for x in by_unit(table, "first", "2004-2006").values())


def test_winter_takes_the_december_before():
    values = np.full((TIME.size, 1), 0.2)
    values[np.datetime64("2003-12-01") == TIME] = 0.5  # belongs to the winter of 2004
    where = np.array([True])
    table = change_rates(
        values, TIME, {"all": where}, np.ones(1), "test", (2001, 2003), [(2004, 2004)]
    )
    found = by_unit(table, "all", "2004-2004")
    assert found["DJF"] == pytest.approx(100 * 0.1 / 0.2)
    assert found["Dec"] == pytest.approx(100 * (0.2 - 0.3) / 0.3)


def test_a_missing_month_is_refused():
    with pytest.raises(UserError, match="missing month 2002-03 in test"):
        keep = np.datetime64("2002-03-01") != TIME
        change_rates(np.ones((71, 1)), TIME[keep], {"all": [True]}, np.ones(1), "test")


def test_north_and_south_are_disjoint_and_east():
    lat, lon = (a.ravel() for a in np.meshgrid(np.arange(18, 54, 0.5), np.arange(71, 137, 0.5)))
    split = north_south(lat, lon)
    assert not (split["north"] & split["south"]).any()
    either = split["north"] | split["south"]
    assert np.array_equal(either, lon > 100)
    assert lat[split["north"]].min() == 35.5
    assert lat[split["south"]].max() == 35.0


def test_gaps_are_counted_and_a_region_without_cells_has_no_change():
    values = np.full((TIME.size, 3), 0.2)
    values[year_of(TIME) >= 2004] = 0.3
    values[month_of(TIME) == 7, 1] = np.nan
    values[np.datetime64("2002-01-01") == TIME, 2] = np.nan
    masks = {
        "all": np.ones(3, bool),
        "last": np.array([False, False, True]),
        "none": np.zeros(3, bool),
    }
    table = change_rates(values, TIME, masks, np.ones(3), "test", (2001, 2003), [(2004, 2006)])
    counts = table.groupby("region")[["cells", "cells_missing"]].first()
    assert counts.loc["all"].tolist() == [3, 2]
    assert counts.loc["last"].tolist() == [1, 1]
    assert counts.loc["none"].tolist() == [0, 0]
    every, last = (by_unit(table, region, "2004-2006") for region in ("all", "last"))
    without = [unit for unit in UNITS if np.isnan(every[unit])]
    assert without == ["Jul", "JJA", "annual"]  # no year has a whole July
    assert [every["Jan"], last["annual"]] == pytest.approx([50, 50])
    assert all(np.isnan(x) for x in by_unit(table, "none", "2004-2006").values())
