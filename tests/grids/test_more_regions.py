"""World boxes, China's climate zones and users' own regions."""

import json

import numpy as np
import pytest
import shapely

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.outlines import packaged_outlines
from soilfuse.grids.regions import BOXES, CLIMATE_ZONES, boxes, climate_zones, user_masks

GLOBE = Grid.regular(0.5, 359.5, -89.5, 89.5, 1.0)
CHINA = Grid.regular(71.0, 137.0, 18.0, 54.0, 0.25)
TRIANGLE = {"type": "Polygon", "coordinates": [[[90, 32], [94, 32], [90, 36], [90, 32]]]}
SQUARE = {"type": "Polygon", "coordinates": [[[91, 33], [93, 33], [93, 35], [91, 35], [91, 33]]]}


def test_boxes_have_the_area_of_their_edges():
    masks = boxes(GLOBE)
    assert list(masks) == list(BOXES)
    assert len(masks) == 13
    for name, (south, north, west, east) in BOXES.items():
        sines = np.sin(np.deg2rad(north)) - np.sin(np.deg2rad(south))
        exact = 6371.0088**2 * np.deg2rad(east - west) * sines
        assert (masks[name] * GLOBE.area).sum() == pytest.approx(exact, rel=1e-3), name


def test_neighbouring_boxes_share_no_cell_even_with_centres_on_their_edges():
    on_edges = boxes(Grid.regular(-180.0, 179.0, -90.0, 90.0, 1.0))
    assert not (on_edges["WNA"] & on_edges["ENA"]).any()
    assert not (on_edges["TIB"] & on_edges["M-AS"]).any()
    assert not (on_edges["TIB"] & on_edges["L-AS"]).any()
    assert on_edges["TIB"].sum() == 8 * 25


def test_boxes_do_not_depend_on_how_longitudes_count():
    east = Grid.regular(0.5, 359.5, 10.5, 69.5, 1.0)
    west = Grid.regular(-179.5, 179.5, 10.5, 69.5, 1.0)
    for name, mask in boxes(east).items():
        np.testing.assert_array_equal(np.roll(mask, 180, axis=1), boxes(west)[name])


def test_a_grid_reaches_only_some_boxes():
    assert set(boxes(Grid.regular(89.0, 104.0, 31.0, 37.9, 0.1))) == {"TIB"}
    assert set(boxes(Grid.regular(89.0, 104.0, 31.0, 38.0, 0.1))) == {"TIB", "M-AS"}


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
    masks = climate_zones(CHINA)
    cell = np.abs(CHINA.lat - lat).argmin(), np.abs(CHINA.lon - lon).argmin()
    assert [name for name, mask in masks.items() if mask[cell]] == ([zone] if zone else []), place


def test_climate_zones_part_the_mainland():
    masks = climate_zones(CHINA)
    assert tuple(masks) == CLIMATE_ZONES
    assert sum(mask.astype(int) for mask in masks.values()).max() == 1
    area = {name: (mask * CHINA.area).sum() / 1e6 for name, mask in masks.items()}
    assert sum(area.values()) == pytest.approx(9.5, rel=0.05)  # million km2
    assert area["plateau"] == pytest.approx(2.5, rel=0.1)
    outlines = packaged_outlines("china_climate_zones.geojson", "zone")
    assert all(outline.is_valid for outline in outlines.values())
    union = shapely.union_all(list(outlines.values()))
    assert union.geom_type == "Polygon"
    assert not union.interiors  # no gap between zones


def write(path, features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def test_user_regions_agree_with_shapely_point_by_point(tmp_path):
    grid = Grid.regular(89.0, 96.0, 31.0, 37.0, 0.5)
    path = write(tmp_path / "my.geojson", [feature(TRIANGLE, NAME="upper"), feature(SQUARE, id=7)])
    masks = user_masks(path, grid)
    assert list(masks) == ["upper", "7"]
    for name, geometry in (("upper", TRIANGLE), ("7", SQUARE)):
        shape = shapely.geometry.shape(geometry)
        for i, lat in enumerate(grid.lat):
            for j, lon in enumerate(grid.lon):
                assert masks[name][i, j] == shape.intersects(shapely.Point(lon, lat))
    assert (masks["upper"] & masks["7"]).any()


def test_user_regions_may_count_longitudes_the_other_way(tmp_path):
    ring = [[350, -5], [359, -5], [359, 5], [350, 5], [350, -5]]
    turned = [[lon - 360, lat] for lon, lat in ring]
    grid = Grid.regular(-15.0, 5.0, -8.0, 8.0, 1.0)
    masks = [
        user_masks(
            write(tmp_path / "r.geojson", [feature({"type": "Polygon", "coordinates": [line]})]),
            Grid(lat=grid.lat, lon=grid.lon + shift),
        )["region_1"]
        for line in (ring, turned)
        for shift in (0, 360)
    ]
    assert masks[0].sum() == 10 * 11
    for mask in masks[1:]:
        np.testing.assert_array_equal(mask, masks[0])


def test_a_bare_geometry_is_one_region(tmp_path):
    path = tmp_path / "bare.geojson"
    path.write_text(json.dumps(SQUARE))
    masks = user_masks(path, Grid.regular(89.0, 96.0, 31.0, 37.0, 0.5))
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {"region_1": 25}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "is no GeoJSON"),
        ("[]", "unreadable outline of region 'region_1'"),
        ("{}", "unreadable outline of region 'region_1'"),
        ('{"type": "FeatureCollection", "features": []}', "no features in"),
        ('{"type": "FeatureCollection", "features": [3]}', "no features in"),
        (json.dumps(feature(None)), "unreadable outline"),
        (json.dumps({"type": "Point", "coordinates": [91, 33]}), "is a Point; expected a polygon"),
        (json.dumps({"type": "Polygon", "coordinates": []}), "is a Polygon; expected|unreadable"),
        (
            json.dumps(
                {
                    "type": "Polygon",
                    "coordinates": [[[5e5, 4e6], [6e5, 4e6], [5e5, 5e6], [5e5, 4e6]]],
                }
            ),
            "expected degrees",
        ),
    ],
)
def test_broken_region_files_are_one_line_naming_the_file(tmp_path, content, message):
    path = tmp_path / "broken.geojson"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        user_masks(path, GLOBE)
    assert str(path) in str(caught.value)
    assert len(caught.value.problems) == 1


def test_doubled_names_empty_regions_and_absent_files_are_refused(tmp_path):
    grid = Grid.regular(89.0, 96.0, 31.0, 37.0, 0.5)
    path = write(tmp_path / "a.geojson", [feature(SQUARE, name="x"), feature(TRIANGLE, name="x")])
    with pytest.raises(UserError, match=r"two regions 'x' in .*a\.geojson"):
        user_masks(path, grid)
    path = write(tmp_path / "b.geojson", [feature(SQUARE, name="in"), feature(SQUARE, name="out")])
    far = Grid.regular(10.0, 20.0, 31.0, 37.0, 0.5)
    with pytest.raises(UserError, match=r"10-20E 31-37N lies in in, out of .*b\.geojson"):
        user_masks(path, far)
    with pytest.raises(UserError, match=r"no file .*none\.geojson of regions"):
        user_masks(tmp_path / "none.geojson", grid)
