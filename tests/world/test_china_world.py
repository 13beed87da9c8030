"""China's pseudo-reality: its zones, its scenarios' signs, and that models are not the truth."""

import numpy as np
import pytest

from soilfuse import names
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import regions_on
from soilfuse.trends.change_rates import north_south
from soilfuse.world.wide.china import model_at, truth_at
from soilfuse.world.wide.forced import mean_rain, warming

GRID = Grid.regular(71, 136.75, 18, 53.75, 2)


@pytest.fixture(scope="module")
def cells():
    regions = regions_on(GRID, "china_zones", "china")
    lat, lon = np.meshgrid(GRID.lat, GRID.lon, indexing="ij")
    masks = {name: mask[regions.inside] for name, mask in regions.masks.items()}
    return lat[regions.inside], lon[regions.inside], masks


@pytest.fixture(scope="module")
def truth(cells):
    lat, lon, _ = cells
    source = truth_at(1, lat, lon)
    return {name: source.moisture(name)[0] for name in ("historical", "ssp126", "ssp585")}


def test_moisture_is_physical_and_repeats(truth, cells):
    lat, lon, _ = cells
    assert truth["historical"].shape == (780, lat.size)
    assert truth["ssp585"].shape == (1032, lat.size)
    for values in truth.values():
        assert 0.02 < values.min() < values.max() < 0.75
    again = truth_at(1, lat, lon).moisture("historical")[0]
    np.testing.assert_array_equal(truth["historical"], again)


def test_the_arid_zone_has_the_least_rain(cells):
    lat, lon, masks = cells
    rain = mean_rain(lat, lon).mean(axis=0)
    zones = {name: rain[mask].mean() for name, mask in masks.items()}
    assert min(zones, key=zones.get) == "arid"
    assert max(zones, key=zones.get) == "humid"


def test_the_south_dries_with_the_forcing(truth, cells):
    lat, lon, _ = cells
    south = north_south(lat, lon)["south"]
    before = truth["historical"][-240:, south].mean()
    change = {name: truth[name][-360:, south].mean() / before - 1 for name in ("ssp126", "ssp585")}
    assert change["ssp585"] < change["ssp126"] < 0
    assert change["ssp585"] > -0.3


def test_warming_reaches_what_the_scenarios_say():
    years = np.arange(2015, 2101)
    ends = [warming(years, name)[-1] for name in names.SCENARIOS]
    assert ends == pytest.approx([1.2, 2.1, 3.0, 3.9])
    for name in names.SCENARIOS:
        assert warming(np.array([2015]), name)[0] == pytest.approx(0.2, abs=0.1)


def test_models_are_biased_but_share_the_season(truth, cells):
    lat, lon, _ = cells
    first = model_at("CanESM5", 1, lat, lon).moisture("historical")[0]
    error = np.abs(first - truth["historical"]).mean()
    assert 0.02 < error < 0.2
