"""The thirteen world boxes and China's four climate zones."""

import numpy as np
import pytest
import shapely

from soilfuse.grids.grid import Grid
from soilfuse.grids.outlines import packaged_outlines
from soilfuse.grids.region_sets import BOXES, CLIMATE_ZONES
from soilfuse.grids.regions import regions_on

GLOBE = Grid.regular(0.5, 359.5, -89.5, 89.5, 1.0)
CHINA = Grid.regular(71.0, 137.0, 18.0, 54.0, 0.25)


def boxes(grid):
    return regions_on(grid, "world_boxes", "globe").masks


def test_boxes_have_the_area_of_their_edges():
    masks = boxes(GLOBE)
    assert list(masks) == ["globe", *BOXES]
    assert len(BOXES) == 13
    for name, (south, north, west, east) in BOXES.items():
        sines = np.sin(np.deg2rad(north)) - np.sin(np.deg2rad(south))
        exact = 6371.0088**2 * np.deg2rad(east - west) * sines
        assert (masks[name] * GLOBE.area).sum() == pytest.approx(exact, rel=1e-3), name


@pytest.mark.parametrize("south", [-89.5, -90.0])
def test_no_two_boxes_share_a_cell_even_with_centres_on_their_edges(south):
    grid = Grid.regular(-180.0, 179.0, south, -south, 1.0)
    masks = boxes(grid)
    assert np.sum([masks[name] for name in BOXES], axis=0).max() == 1
    assert masks["TIB"].sum() == 8 * 25
    np.testing.assert_array_equal(masks["globe"], np.any([masks[n] for n in BOXES], axis=0))


def test_boxes_do_not_depend_on_how_longitudes_count():
    east = Grid.regular(0.5, 359.5, 10.5, 69.5, 1.0)
    west = Grid.regular(-179.5, 179.5, 10.5, 69.5, 1.0)
    for name, mask in boxes(east).items():
        np.testing.assert_array_equal(np.roll(mask, 180, axis=1), boxes(west)[name])


def test_a_grid_reaches_only_some_boxes():
    assert list(boxes(Grid.regular(89.0, 104.0, 31.0, 37.9, 0.1))) == ["globe", "TIB"]
    assert set(boxes(Grid.regular(89.0, 104.0, 31.0, 38.0, 0.1))) == {"globe", "TIB", "M-AS"}


@pytest.mark.parametrize(
    ("place", "lon", "lat", "zone"),
    [
        ("Urumqi", 87.6, 43.8, "arid"),
        ("Kashgar", 76.0, 39.5, "arid"),
        ("Dunhuang", 94.7, 40.1, "arid"),
        ("Beijing", 116.4, 39.9, "semi_arid"),
        ("Lanzhou", 103.8, 36.1, "semi_arid"),
        ("Harbin", 126.6, 45.8, "semi_arid"),
        ("Wuhan", 114.3, 30.6, "humid"),
        ("Chengdu", 104.1, 30.7, "humid"),
        ("Kunming", 102.7, 25.0, "humid"),
        ("Lhasa", 91.1, 29.7, "plateau"),
        ("Maduo", 98.2, 34.9, "plateau"),
        ("Ulan Bator", 106.9, 47.9, None),
        ("Delhi", 77.2, 28.6, None),
        ("Seoul", 127.0, 37.6, None),
        ("Hanoi", 105.8, 21.0, None),
    ],
)
def test_cities_lie_in_their_climate_zone(place, lon, lat, zone):
    masks = regions_on(CHINA, "china_zones", "china").masks
    cell = np.abs(CHINA.lat - lat).argmin(), np.abs(CHINA.lon - lon).argmin()
    held = [name for name, mask in masks.items() if mask[cell]]
    assert held == (["china", zone] if zone else []), place


def test_climate_zones_part_the_mainland():
    masks = dict(regions_on(CHINA, "china_zones", "china").masks)
    whole = masks.pop("china")
    assert tuple(masks) == CLIMATE_ZONES
    np.testing.assert_array_equal(whole, np.any(list(masks.values()), axis=0))
    assert sum(mask.astype(int) for mask in masks.values()).max() == 1
    area = {name: (mask * CHINA.area).sum() / 1e6 for name, mask in masks.items()}
    assert sum(area.values()) == pytest.approx(9.5, rel=0.05)  # million km2
    assert area["plateau"] == pytest.approx(2.5, rel=0.1)
    outlines = packaged_outlines("china_climate_zones.geojson", "zone")
    assert all(outline.is_valid for outline in outlines.values())
    union = shapely.union_all(list(outlines.values()))
    assert union.geom_type == "Polygon"
    assert not union.interiors  # no gap between zones


def test_outlines_follow_the_grid_s_longitudes():
    """A box across 0E shows at both ends of a grid that counts from 0 to 360."""
    outlines = regions_on(GLOBE, "world_boxes", "globe").outlines
    assert outlines["WNA"].bounds == (235.0, 20.0, 262.0, 60.0)
    assert [part.bounds for part in shapely.get_parts(outlines["EUR"])] == [
        (-10.0, 35.0, 60.0, 70.0),
        (350.0, 35.0, 420.0, 70.0),
    ]


def test_cells_weigh_by_their_area_between_their_edges_on_the_sphere():
    assert GLOBE.area.sum() == pytest.approx(4 * np.pi * 6371.0088**2, rel=1e-12)
    zone = np.sin(np.deg2rad(71)) - np.sin(np.deg2rad(70))
    cell = GLOBE.area[GLOBE.lat == 70.5, 0]
    assert cell == pytest.approx(6371.0088**2 * np.deg2rad(1) * zone, rel=1e-12)
