"""The climate models' own regional trends, on a grid where they can be worked by hand."""

from pathlib import Path

import numpy as np
import pymannkendall
import pytest

from soilfuse import seeding
from soilfuse.config import Trends
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import Regions
from soilfuse.sources.processed import Crop, ModelCrops
from soilfuse.trends.agreement import COLUMNS, agreement_table, regional_models

GRID = Grid.regular(90.0, 93.0, 30.0, 32.0, 1.0)
LABELS = np.array([[1, 1, 0, 0], [1, 2, 2, 0], [0, 0, 2, 2]], np.int8)
MASKS = {"whole": LABELS > 0, "west": LABELS == 1, "east": LABELS == 2}
REGIONS = Regions(GRID, "whole", ("west", "east"), LABELS, MASKS, {}, "")
SETTINGS = Trends(
    alpha=0.05,
    confidence=0.95,
    hamed_rao_lags=3,
    false_discovery_rate=0.1,
    reference_period=(1995, 2014),
    future_periods=[(2021, 2040)],
)
TIME = month_axis(2015, 2044)
RATES = {"rising": 2e-4, "falling": -1e-4}


@pytest.fixture
def crops():
    rng = seeding.generator(2, "agreement")
    years = np.arange(TIME.size)[:, None, None] / 12
    lat, lon = np.arange(28.0, 35.0, 2), np.arange(88.0, 97.0, 2)
    made = {
        name: Crop(0.3 + rate * years + rng.normal(0, 2e-4, (TIME.size, 4, 5)), lat, lon, {})
        for name, rate in RATES.items()
    }
    return ModelCrops(Path("ssp370.nc"), made, TIME, {})


def test_regional_means_are_those_of_the_interpolated_fields(crops):
    found = regional_models(crops, REGIONS)
    fields = crops.interpolated(GRID).astype(float)
    for name, mask in MASKS.items():
        area = GRID.area[mask]
        expected = (fields[..., mask] * area).sum(axis=-1) / area.sum()
        np.testing.assert_allclose(found.sel(region=name), expected, rtol=1e-6)


def test_every_model_has_its_slope_by_region_season_and_period(crops):
    table = agreement_table(crops, REGIONS, SETTINGS)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 3 * 5 * 2 * 2
    assert set(table["period"]) == {"2015-2044", "2021-2040"}
    rows = table.set_index(["region", "season", "period", "source_id"]).sort_index()
    for name, rate in RATES.items():
        row = rows.loc[("east", "annual", "2015-2044", name)]
        assert row["slope"] == pytest.approx(rate, rel=0.05)
        assert bool(row["significant"])
    series = regional_models(crops, REGIONS).sel(region="west", source_id="falling").values
    yearly = series.reshape(-1, 12)[6:26].mean(axis=1)  # 2021-2040
    theirs = pymannkendall.original_test(yearly)
    row = rows.loc[("west", "annual", "2021-2040", "falling")]
    assert row["slope"] == pytest.approx(theirs.slope, rel=1e-9)
    assert row["p"] == pytest.approx(theirs.p, abs=1e-9)


def test_a_model_without_land_there_has_no_trend(crops):
    crops.crops["falling"].values[:] = np.nan
    table = agreement_table(crops, REGIONS, SETTINGS).set_index("source_id")
    assert np.isnan(table.loc["falling", ["slope", "p"]].to_numpy(float)).all()
    assert not table.loc["falling", "significant"].any()
    assert np.isfinite(table.loc["rising", "slope"]).all()
