"""What the files of trends say of themselves, and that stars and numbers belong together."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import false_discovery_control
from test_product_trends import REGIONS, SETTINGS, small_product

from soilfuse.errors import UserError
from soilfuse.product import layout
from soilfuse.trends.described import CARRIED
from soilfuse.trends.product_trends import product_trends, write_trends
from soilfuse.trends.tables import region_test


@pytest.fixture(scope="module")
def products():
    """Return products with a trend in the upper layer, and in the lower hardly any."""
    made = [
        small_product(*years, name, rate=4e-6)
        for years, name in (((2015, 2044), "ssp370"), ((1990, 2014), "historical"))
    ]
    for product in made:
        years = np.arange(product.sizes["time"], dtype=np.float32)[:, None, None] / 12
        product["soil_moisture"][:, 0] += 2e-5 * years
        product.attrs |= {name: f"the {name}" for name in CARRIED if name != "experiment"}
        product.attrs |= {"title": "A product", "history": "predicted"}
        for axis in ("lat", "lon"):
            centres = product[axis].values
            bounds = np.stack([centres - 0.5, centres + 0.5], axis=1)
            product[f"{axis}_bnds"] = ((axis, "bnds"), bounds)
        for axis in ("depth", "lat", "lon"):
            product[axis].attrs = layout.AXES[axis]
    return made


@pytest.fixture(scope="module")
def found(products):
    chosen = SETTINGS.model_copy(update={"future_periods": [(2021, 2040), (2015, 2044)]})
    return product_trends(*products, REGIONS, chosen)


@pytest.fixture(scope="module")
def folder(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trends")
    write_trends(folder, "ssp370", found)
    return folder


def test_maps_name_what_they_were_made_from(folder, products):
    with xr.open_dataset(folder / "ssp370.nc") as maps:
        assert {name: maps.attrs[name] for name in CARRIED} == {
            name: products[0].attrs[name] for name in CARRIED
        }
        assert maps.attrs["confidence"] == 0.95
        assert maps.attrs["title"] == "Trends and changes of: A product"
        assert maps.attrs["history"].startswith("predicted; soilfuse ")
        for axis in ("depth", "lat", "lon"):
            bounds = maps[axis].attrs["bounds"]
            np.testing.assert_array_equal(maps[bounds], products[0][bounds])
            assert "_FillValue" not in {**maps[axis].encoding, **maps[bounds].encoding}
        assert maps["period"].attrs["long_name"] == "first and last year"
        words = maps["significant_fdr"].attrs["flag_meanings"].split()
        assert words == ["not_significant_or_not_tested", "significant"]
        assert maps["sens_slope"].attrs["units"] == "year-1"
        assert maps["change_percent"].attrs["units"] == "%"
        assert maps["significant"].dtype == np.int8


def test_the_maps_keep_to_cf(folder, tmp_path):
    checker = pytest.importorskip("compliance_checker.runner")
    checker.CheckSuite.load_all_available_checkers()
    passed, _ = checker.ComplianceChecker.run_checker(
        str(folder / "ssp370.nc"), ["cf:1.11"], 0, "strict", output_filename=str(tmp_path / "said")
    )  # its test of rising axes fails on texts, the labels of seasons and periods
    assert passed, (tmp_path / "said").read_text(encoding="utf-8")


def test_tables_keep_their_digits(found, folder):
    for name in ("regions", "periods", "series"):
        written = pd.read_csv(folder / f"ssp370_{name}.csv")
        made = getattr(found, name).reset_index(drop=True)
        pd.testing.assert_frame_equal(written, made, check_dtype=False, rtol=1e-8)


def test_a_star_is_a_p_below_alpha_and_of_its_own_test(found):
    regions, maps = found.regions, found.maps
    for star, p in (("significant", "p"), ("significant_hamed_rao", "p_hamed_rao")):
        held = regions[p] < SETTINGS.alpha
        np.testing.assert_array_equal(regions[star], held, err_msg=star)
        assert 0 < held.mean() < 1
    assert (regions["significant"] != regions["significant_hamed_rao"]).any()
    stars = maps["significant"].values == 1
    np.testing.assert_array_equal(stars, maps["p_value"].values < SETTINGS.alpha)
    assert 0 < stars.mean() < 1


def test_each_map_is_a_field_of_its_own(found):
    """False discoveries are counted among the cells of one season, period and layer."""
    inside = REGIONS.inside
    p = found.maps["p_hamed_rao"].values[..., inside].astype(float)
    stars = found.maps["significant_fdr"].values[..., inside] == 1
    alone = false_discovery_control(p, axis=-1) <= SETTINGS.false_discovery_rate
    np.testing.assert_array_equal(stars, alone)
    both_layers = p.reshape(*p.shape[:2], -1)
    together = false_discovery_control(both_layers, axis=-1) <= SETTINGS.false_discovery_rate
    assert (together.reshape(p.shape) != stars).any()


def test_a_future_period_that_is_the_whole_product_has_its_change(found):
    assert list(found.maps["period"].values) == ["2015-2044", "2021-2040"]
    assert set(found.periods["period"]) == {"1995-2014", "2021-2040", "2015-2044"}


def test_p_of_a_region_s_strong_trend_does_not_vanish():
    told = region_test(np.arange(100.0), 0.05)
    assert 0 < told["p"] < 1e-40


@pytest.mark.parametrize("axis", ["depth", "lat", "lon"])
def test_a_historical_product_of_another_grid_is_refused(products, axis):
    scenario, historical = products
    moved = historical.assign_coords({axis: historical[axis].values + 0.25})
    with pytest.raises(UserError, match=f"^{axis} of the historical product is .* from"):
        product_trends(scenario, moved, REGIONS, SETTINGS)


def test_december_of_the_last_year_is_no_winter_of_it(products):
    scenario, historical = products
    changed = scenario.copy(deep=True)
    changed["soil_moisture"][-1] = 0.4
    found, same = (product_trends(p, historical, REGIONS, SETTINGS) for p in (changed, scenario))
    for season, equal in (("DJF", True), ("annual", False)):
        slopes = [t.series.query(f"season == '{season}'")["value"] for t in (found, same)]
        assert np.array_equal(*slopes) == equal


def test_months_may_stand_in_any_order(products):
    scenario, historical = products
    shuffled = scenario.isel(time=np.random.default_rng(0).permutation(scenario.sizes["time"]))
    found, same = (product_trends(p, historical, REGIONS, SETTINGS) for p in (shuffled, scenario))
    pd.testing.assert_frame_equal(found.series, same.series)
    assert found.maps["sens_slope"].equals(same.maps["sens_slope"])
    assert found.maps["p_seasonal_kendall"].equals(same.maps["p_seasonal_kendall"])
