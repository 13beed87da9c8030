import numpy as np
import pytest
import shapely

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import BASINS, basin_mask, basin_outlines, region_masks

PUBLISHED_KM2 = {"yangtze": 146_475, "yellow": 121_549, "lancang": 52_909, "TRSR": 320_934}
TENTH = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.1)


def test_areas_are_those_of_the_published_masks():
    for name, inside in region_masks(TENTH).items():
        area = (inside * TENTH.area).sum()
        assert area == pytest.approx(PUBLISHED_KM2[name], rel=0.04), name


def test_mask_agrees_with_shapely_point_by_point():
    grid = Grid.regular(95.0, 99.0, 32.0, 35.0, 0.5)
    mask = basin_mask(grid)
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
    np.testing.assert_array_equal(basin_mask(TENTH)[doubled], inside.argmax(axis=0)[doubled] + 1)


def test_basins_part_the_union_and_keep_their_order():
    masks = region_masks(TENTH)
    assert tuple(masks) == ("TRSR", *BASINS)
    np.testing.assert_array_equal(sum(masks[basin].astype(int) for basin in BASINS), masks["TRSR"])
    assert basin_mask(TENTH).dtype == np.int8


def test_longitudes_may_turn_the_other_way():
    turned = Grid(lat=TENTH.lat, lon=TENTH.lon - 360)
    np.testing.assert_array_equal(basin_mask(turned), basin_mask(TENTH))


def test_a_grid_over_one_basin_has_no_empty_masks():
    masks = region_masks(Grid.regular(91.0, 93.0, 33.5, 35.0, 0.25))
    assert set(masks) == {"TRSR", "yangtze"}


def test_a_grid_elsewhere_is_refused_in_one_line():
    with pytest.raises(UserError, match=r"no cell of the grid 0-5E 40-45N.*domain$") as caught:
        basin_mask(Grid.regular(0.0, 5.0, 40.0, 45.0, 0.5))
    assert len(caught.value.problems) == 1
