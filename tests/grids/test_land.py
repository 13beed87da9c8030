"""The land by our own outlines."""

import numpy as np
import shapely

from soilfuse.grids.grid import Grid
from soilfuse.grids.land import coast_lines, land_mask

GLOBE = Grid.regular(-179, 179, -89, 89, 2)


def share(mask):
    return (mask * GLOBE.area).sum() / GLOBE.area.sum()


def test_land_covers_what_it_covers_on_earth():
    assert 0.28 < share(land_mask(GLOBE, without=())) < 0.305
    # Antarctica and Greenland are 16.2 of the Earth's 510 million km2.
    assert 0.028 < share(land_mask(GLOBE, without=())) - share(land_mask(GLOBE)) < 0.036


def test_known_places():
    points = Grid(
        np.array([-75.0, -25.0, 0.0, 33.0, 43.0, 66.0, 72.0]), np.array([-172.0, -40, 90])
    )
    mask = land_mask(points)
    land = {(33.0, 90.0), (43.0, 90.0), (66.0, 90.0), (72.0, 90.0), (66.0, -172.0)}
    for i, lat in enumerate(points.lat):
        for j, lon in enumerate(points.lon):
            assert mask[i, j] == ((lat, lon) in land), (lat, lon)


def test_longitudes_may_count_either_way():
    east = Grid.regular(1, 359, -59, 83, 2)
    west = Grid.regular(-179, 179, -59, 83, 2)
    turned = np.concatenate([land_mask(east)[:, 90:], land_mask(east)[:, :90]], axis=1)
    np.testing.assert_array_equal(turned, land_mask(west))


def test_coasts_are_single_polygons_inside_the_seam():
    lines = coast_lines()
    assert all(isinstance(line, shapely.Polygon) and line.is_valid for line in lines.values())
    west, _, east, _ = shapely.total_bounds(list(lines.values()))
    assert (west, east) == (-180, 180)
    assert not any(name.startswith(("greenland", "antarctica")) for name in lines)
