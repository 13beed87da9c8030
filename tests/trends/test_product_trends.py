"""The trends of a small product whose trends are known, and bad products."""

import hashlib

import numpy as np
import pymannkendall
import pytest
import xarray as xr
from scipy.stats import false_discovery_control, theilslopes

from soilfuse import seeding
from soilfuse.config import Trends
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import Regions
from soilfuse.trends.mann_kendall import two_sided_p
from soilfuse.trends.product_trends import product_trends, write_trends

SETTINGS = Trends(
    alpha=0.05,
    confidence=0.95,
    hamed_rao_lags=3,
    false_discovery_rate=0.1,
    reference_period=(1995, 2014),
    future_periods=[(2021, 2040), (2041, 2070)],
)
RATE = 1e-4  # m3 m-3 a year
LABELS = np.array([[1] * 4, [2] * 4, [0] * 4], np.int8)


def regions_with(labels, **masks):
    grid = Grid(
        lat=np.arange(31.0, 31 + labels.shape[0]), lon=np.arange(90.0, 90 + labels.shape[1])
    )
    masks = {"TRSR": labels > 0, **masks}
    return Regions(grid, "TRSR", ("yangtze", "yellow"), labels, masks, {}, "")


REGIONS = regions_with(LABELS, yangtze=LABELS == 1, yellow=LABELS == 2)


def small_product(first, last, experiment, rate=RATE, start=0.2):
    time = month_axis(first, last)
    years = np.arange(time.size) / 12
    rng = seeding.generator(3, experiment)
    field = start + rate * years[:, None, None, None] + rng.normal(0, 1e-3, (time.size, 2, 3, 4))
    dims = ("time", "depth", "lat", "lon")
    return xr.Dataset(
        {
            "soil_moisture": (dims, field.astype(np.float32)),
            "region": (("lat", "lon"), LABELS),
            "cell_area": (("lat", "lon"), np.full((3, 4), 100.0)),
            "depth_bnds": (("depth", "bnds"), np.array([[0, 0.1], [0.1, 0.3]])),
        },
        coords={
            "time": time,
            "depth": [0.05, 0.2],
            "lat": [31.0, 32, 33],
            "lon": np.arange(90, 94),
        },
        attrs={"experiment": experiment, "weights_sha256": "w"},
    )


@pytest.fixture(scope="module")
def products():
    scenario = small_product(2015, 2070, "ssp370", start=0.2 + 65 * RATE)
    return scenario, small_product(1950, 2014, "historical")


@pytest.fixture(scope="module")
def trends(products):
    return product_trends(*products, REGIONS, SETTINGS)


def test_maps_recover_the_rate(trends):
    slope = trends.maps["sens_slope"].sel(season="annual", period="2015-2070")
    assert slope.dims == ("depth", "lat", "lon")
    np.testing.assert_allclose(slope, RATE, rtol=0.1)
    assert trends.maps["significant"].sel(season="annual", period="2015-2070").values.all()
    assert list(trends.maps["period"].values) == ["2015-2070", "2021-2040", "2041-2070"]


def test_every_future_period_s_change_is_against_the_reference(trends, products):
    scenario, historical = (product["soil_moisture"] for product in products)
    changes = trends.maps["change_percent"]
    assert changes.dims == ("season", "future_period", "depth", "lat", "lon")
    assert list(changes["future_period"].values) == ["2021-2040", "2041-2070"]
    for season, months in (("annual", range(1, 13)), ("JJA", (6, 7, 8))):
        there = historical.sel(time=slice("1995", "2014"))
        inside = there.sel(time=there["time.month"].isin(months)).mean("time")
        for period in ("2021-2040", "2041-2070"):
            later = scenario.sel(time=slice(*period.split("-")))
            later = later.sel(time=later["time.month"].isin(months)).mean("time")
            got = changes.sel(season=season, future_period=period)
            np.testing.assert_allclose(got, 100 * (later / inside - 1), rtol=1e-3)


def test_regions_are_pymannkendalls_numbers(trends):
    key = {"region": "yellow", "season": "DJF", "layer": 2}
    rows = trends.series.query(" and ".join(f"{name} == {value!r}" for name, value in key.items()))
    assert rows["year"].min() == 2016
    theirs = pymannkendall.original_test(rows["value"].to_numpy())
    row = trends.regions.query(
        "region == 'yellow' and season == 'DJF' and layer == 2 and period == '2015-2070'"
    ).iloc[0]
    assert row["slope"] == pytest.approx(theirs.slope, abs=1e-15)
    assert row["p"] == pytest.approx(theirs.p, abs=1e-12)
    assert row["n"] == 55


def test_regions_are_told_with_interval_and_memory(trends):
    rows = trends.regions.query("season == 'DJF' and layer == 2 and region == 'yellow'")
    series = trends.series.query("season == 'DJF' and layer == 2 and region == 'yellow'")
    assert set(rows["period"]) >= {"2021-2040", "2041-2070"}
    for row in rows.itertuples():
        first, last = map(int, row.period.split("-"))
        own = series[series["year"].between(first, last)]
        values, kept = own["value"].to_numpy(), own["year"].to_numpy()
        interval = theilslopes(values, kept, alpha=0.95)
        assert row.slope_low == pytest.approx(interval.low_slope, rel=1e-9)
        assert row.slope_high == pytest.approx(interval.high_slope, rel=1e-9)
        rao = pymannkendall.hamed_rao_modification_test(values, lag=3)
        yue = pymannkendall.yue_wang_modification_test(values, lag=1)
        white = pymannkendall.trend_free_pre_whitening_modification_test(values)
        for ours, theirs in (
            (row.p_hamed_rao, rao),
            (row.p_yue_wang, yue),
            (row.p_prewhitened, white),
        ):
            assert ours == pytest.approx(two_sided_p(theirs.z), rel=1e-6, abs=0)


def test_maps_with_memory_are_of_the_regions_alone(trends, products):
    maps, inside = trends.maps, LABELS > 0
    for name in ("sens_slope_low", "sens_slope_high", "p_hamed_rao", "p_yue_wang"):
        assert np.isfinite(maps[name].values[..., inside]).all(), name
        assert np.isnan(maps[name].values[..., ~inside]).all(), name
    assert np.isfinite(maps["p_value"].values).all()
    assert (maps["sens_slope_low"] <= maps["sens_slope"]).values[..., inside].all()
    assert (maps["sens_slope_high"] >= maps["sens_slope"]).values[..., inside].all()
    for place in np.ndindex(maps["p_hamed_rao"].shape[:3]):
        p = maps["p_hamed_rao"].values[place]
        held = np.zeros_like(inside)
        held[inside] = false_discovery_control(p[inside].astype(float)) <= 0.1
        np.testing.assert_array_equal(maps["significant_fdr"].values[place] == 1, held)
    assert 0 < maps["significant_fdr"].values[..., inside].mean() <= 1


def test_seasonal_kendall_of_a_cell_is_pymannkendalls(trends, products):
    monthly = products[0]["soil_moisture"].sel(time=slice("2021", "2040"))
    theirs = pymannkendall.correlated_seasonal_test(monthly.values[:, 1, 0, 2].astype(float))
    cell = trends.maps.sel(period="2021-2040").isel(depth=1, lat=0, lon=2)
    assert float(cell["seasonal_sens_slope"]) == pytest.approx(theirs.slope, rel=1e-6)
    assert float(cell["p_seasonal_kendall"]) == pytest.approx(two_sided_p(theirs.z), rel=1e-5)
    outside = trends.maps["p_seasonal_kendall"].values[..., LABELS == 0]
    assert np.isnan(outside).all()


def test_regional_and_gridded_test_agree_on_one_cell(products):
    scenario, historical = products
    one = {"lat": [0], "lon": [0]}
    corner = regions_with(LABELS[:1, :1])
    got = product_trends(scenario.isel(one), historical.isel(one), corner, SETTINGS)
    row = got.regions.query("region == 'TRSR' and season == 'annual' and layer == 1").iloc[0]
    cell = got.maps.sel(season="annual", period="2015-2070").isel(depth=0, lat=0, lon=0)
    assert float(cell["sens_slope"]) == pytest.approx(row["slope"], rel=1e-6)
    assert float(cell["z"]) == pytest.approx(row["z"], rel=1e-6)


def test_period_table(trends):
    rows = trends.periods.query("region == 'TRSR' and season == 'annual' and layer == 1")
    assert list(rows["period"]) == ["1995-2014", "2021-2040", "2041-2070"]
    first = rows["mean"].iloc[0]
    np.testing.assert_allclose(rows["change_percent"], 100 * (rows["mean"] / first - 1), atol=1e-9)


def test_historical_has_no_future(products):
    got = product_trends(products[1], None, REGIONS, SETTINGS)
    assert list(got.maps["period"].values) == ["1950-2014", "1995-2014"]
    assert "change_percent" not in got.maps
    assert set(got.periods["period"]) == {"1995-2014"}


def test_written_twice_is_the_same_bytes(trends, tmp_path):
    def digests(folder):
        paths = write_trends(tmp_path / folder, "ssp370", trends)
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    first = digests("a")
    assert first == digests("b")
    assert sorted(first) == [
        "ssp370.nc",
        "ssp370_periods.csv",
        "ssp370_regions.csv",
        "ssp370_series.csv",
    ]
    with xr.open_dataset(tmp_path / "a" / "ssp370.nc", engine="h5netcdf") as maps:
        xr.testing.assert_allclose(maps["sens_slope"], trends.maps["sens_slope"])


def test_other_grid_is_refused(products):
    scenario, historical = products
    with pytest.raises(UserError, match="lon of the historical product"):
        cut = regions_with(LABELS[:, :3])
        product_trends(scenario.isel(lon=slice(0, 3)), historical, cut, SETTINGS)


def test_regions_count_with_the_cells_they_share_and_weigh_by_area(products):
    """The product gives a shared cell to one region; its mean counts in both."""
    scenario, historical = (product.copy(deep=True) for product in products)
    area = np.array([[3.0] * 4, [2.0] * 4, [1.0] * 4])
    scenario["cell_area"][:] = area
    both = LABELS > 0
    got = product_trends(
        scenario, historical, regions_with(LABELS, yangtze=LABELS == 1, yellow=both), SETTINGS
    )
    year = scenario["soil_moisture"].sel(time="2050").mean("time").values[0].astype(float)
    rows = got.series.query("season == 'annual' and layer == 1 and year == 2050")
    values = rows.set_index("region")["value"]
    assert values["yellow"] == pytest.approx(np.average(year[:2], weights=area[:2]), rel=1e-6)
    assert values["yangtze"] == pytest.approx(year[0].mean(), rel=1e-6)
    assert list(values.index) == ["TRSR", "yangtze", "yellow"]


@pytest.mark.parametrize("labels", [LABELS[::-1], LABELS[:2]])
def test_other_regions_than_the_product_has_are_refused(products, labels):
    with pytest.raises(UserError, match="regions in product ssp370 are not those of yangtze") as no:
        product_trends(*products, regions_with(labels), SETTINGS)
    assert len(no.value.problems) == 1


def test_reference_outside_the_data_is_refused(products):
    scenario, historical = products
    short = historical.sel(time=slice("2000", "2014"))
    with pytest.raises(UserError, match="reference period 1995-2014 lies outside"):
        product_trends(scenario, short, REGIONS, SETTINGS)


def test_missing_month_is_refused(products):
    scenario, historical = products
    holed = scenario.isel(time=np.delete(np.arange(scenario.sizes["time"]), 30))
    with pytest.raises(UserError, match="2017-07.*product ssp370"):
        product_trends(holed, historical, REGIONS, SETTINGS)


def test_cells_without_values_stay_empty(products):
    scenario, historical = products
    holed = scenario.copy(deep=True)
    holed["soil_moisture"][:, :, 2, 3] = np.nan
    got = product_trends(holed, historical, REGIONS, SETTINGS)
    cell = got.maps["sens_slope"].isel(lat=2, lon=3)
    assert np.isnan(cell).all()
    assert not got.maps["significant"].isel(lat=2, lon=3).values.any()
    assert got.regions["slope"].notna().all()
