"""The three basins, and what every stage is given of any regions."""

import hashlib

import numpy as np
import pytest
import shapely

from soilfuse import config, names
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.region_sets import BASINS, REGION_SETS, basin_outlines
from soilfuse.grids.regions import regions_of, regions_on

PUBLISHED_KM2 = {"yangtze": 146_475, "yellow": 121_549, "lancang": 52_909, "TRSR": 320_934}
TENTH = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.1)
DOMAIN = {"west": 89.0, "east": 104.0, "south": 31.0, "north": 38.0, "resolution": 0.25}


def basins(grid):
    return regions_on(grid, "basins", "ignored")


def test_the_schema_allows_exactly_the_sets_there_are():
    assert tuple(REGION_SETS) == names.REGION_SETS


@pytest.mark.parametrize(
    ("resolution", "cells", "digest"),
    [
        (0.1, [7611, 1441, 1181, 488], "85828de97700d18e"),
        (0.25, [1276, 228, 191, 74], "f322ccd7f84ee17d"),
        (0.5, [348, 53, 46, 18], "1376acda752f7d2b"),
    ],
)
def test_basins_stay_the_cells_that_released_products_were_made_with(resolution, cells, digest):
    mask = basins(Grid.regular(89.0, 104.0, 31.0, 38.0, resolution)).mask
    assert np.bincount(mask.ravel()).tolist() == cells
    assert hashlib.sha256(mask.tobytes()).hexdigest().startswith(digest)


def test_areas_are_those_of_the_published_masks():
    for name, inside in basins(TENTH).masks.items():
        area = (inside * TENTH.area).sum()
        assert area == pytest.approx(PUBLISHED_KM2[name], rel=0.04), name


def test_mask_agrees_with_shapely_point_by_point():
    grid = Grid.regular(95.0, 99.0, 32.0, 35.0, 0.5)
    mask = basins(grid).mask
    outlines = list(basin_outlines().values())
    for i, lat in enumerate(grid.lat):
        for j, lon in enumerate(grid.lon):
            inside = [outline.intersects(shapely.Point(lon, lat)) for outline in outlines]
            assert mask[i, j] == (inside.index(True) + 1 if any(inside) else 0)


def test_first_basin_wins_where_outlines_overlap():
    lon, lat = np.meshgrid(TENTH.lon, TENTH.lat)
    inside = np.stack([shapely.intersects_xy(o, lon, lat) for o in basin_outlines().values()])
    doubled = inside.sum(axis=0) > 1
    assert 0 < doubled.sum() < 60
    np.testing.assert_array_equal(basins(TENTH).mask[doubled], inside.argmax(axis=0)[doubled] + 1)


def test_basins_part_the_union_and_keep_their_order():
    found = basins(TENTH)
    assert tuple(found.masks) == ("TRSR", *BASINS)
    assert (found.whole, found.names) == ("TRSR", BASINS)
    parts = sum(found.masks[basin].astype(int) for basin in BASINS)
    np.testing.assert_array_equal(parts, found.masks["TRSR"])
    np.testing.assert_array_equal(found.inside, found.masks["TRSR"])
    assert found.mask.dtype == np.int8
    assert found.shared_cells == 0


def test_longitudes_may_turn_the_other_way():
    turned = basins(Grid(lat=TENTH.lat, lon=TENTH.lon - 360))
    np.testing.assert_array_equal(turned.mask, basins(TENTH).mask)
    for name, outline in turned.outlines.items():
        west, _, east, _ = outline.bounds
        assert -271 <= west <= east <= -256, name


def test_a_grid_over_one_basin_has_no_empty_masks_and_the_same_numbers():
    found = basins(Grid.regular(91.0, 93.0, 33.5, 35.0, 0.25))
    assert list(found.masks) == ["TRSR", "yangtze"]
    assert found.names == BASINS


def test_a_grid_elsewhere_is_refused_in_one_line():
    with pytest.raises(UserError, match=r"no cell .*0-5E 40-45N lies in the basins.*domain$") as no:
        basins(Grid.regular(0.0, 5.0, 40.0, 45.0, 0.5))
    assert len(no.value.problems) == 1


def test_the_domain_gives_grid_regions_and_the_name_of_all():
    domain = config.Domain(name="headwaters", regions="china_zones", **DOMAIN)
    found = regions_of(domain)
    assert found.grid.shape == (29, 61)
    assert found.whole == "headwaters"
    assert list(found.masks) == ["headwaters", "arid", "semi_arid", "humid", "plateau"]
    assert regions_of(config.Domain(name="any", regions="basins", **DOMAIN)).whole == "TRSR"


def test_equal_regions_have_equal_hashes_and_others_do_not():
    one, again = basins(TENTH), basins(TENTH)
    assert one.sha256 == again.sha256
    others = [
        basins(Grid.regular(89.0, 104.0, 31.0, 38.0, 0.25)),
        regions_on(TENTH, "china_zones", "trsr"),
        regions_on(TENTH, "china_zones", "china"),
    ]
    assert len({one.sha256, *(other.sha256 for other in others)}) == 4


@pytest.mark.parametrize(
    "regions",
    ["basin", "data/regions", "data/regions/mine.kml", "/data/regions/a.shp", "mine.geojson"]
    + ["data/regions/../raw/a.gpkg", ""],
)
def test_regions_that_dvc_could_not_watch_are_refused(regions):
    with pytest.raises(ValueError, match=r"expected basins, .* or a file in data/regions"):
        config.Domain(name="a", regions=regions, **DOMAIN)


@pytest.mark.parametrize("file", ["mine.geojson", "mine.JSON", "catchments/mine.gpkg", "a b.shp"])
def test_a_file_in_the_watched_folder_is_allowed(file):
    path = f"data/regions/{file}"
    assert config.Domain(name="a", regions=path, **DOMAIN).regions == path
