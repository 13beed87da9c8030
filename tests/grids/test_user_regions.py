"""A user's own vector files: read alike in every format, and refused in one line with a reason."""

import json
import shutil

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.outlines import user_outlines
from soilfuse.grids.regions import regions_on

GRID = Grid.regular(89.0, 96.0, 31.0, 37.0, 0.5)
TRIANGLE = shapely.Polygon([(90, 32), (94, 32), (90, 36)])
SQUARE = shapely.box(91, 33, 93, 35)
HOLED = shapely.box(89.2, 31.2, 95.8, 36.8) - shapely.box(91, 33, 93, 35)
BOW_TIE = shapely.Polygon([(90, 32), (94, 36), (94, 32), (90, 36)])
TWO = shapely.MultiPolygon([shapely.box(90, 32, 91, 33), shapely.box(94, 35, 95, 36)])
LAYER = {"crs": "EPSG:4326", "geometry_type": "Polygon"}


def geojson(path, *features, **more):
    """Write (geometry, properties) pairs as GeoJSON."""
    rows = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": None if geometry is None else shapely.geometry.mapping(geometry),
        }
        for geometry, properties in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows, **more}))
    return path


def layer(path, geometries, columns, **options):
    """Write geometries with {attribute: values} through GDAL, in the format of the path's end."""
    values = [np.array(column) for column in columns.values()]
    meta = {**LAYER, **options}
    pyogrio.raw.write(path, shapely.to_wkb(geometries), values, list(columns), **meta)
    return path


def found(path):
    return regions_on(GRID, str(path), "here")


def refusals(path):
    with pytest.raises(UserError) as caught:
        found(path)
    assert all(str(path) in problem for problem in caught.value.problems)
    return caught.value.problems


def test_regions_agree_with_shapely_point_by_point(tmp_path):
    path = geojson(
        tmp_path / "my.geojson", (TRIANGLE, {"NAME": "upper"}), (HOLED, {"NAME": "ring"})
    )
    regions = found(path)
    assert (regions.whole, regions.names) == ("here", ("upper", "ring"))
    for i, lat in enumerate(GRID.lat):
        for j, lon in enumerate(GRID.lon):
            held = [o.intersects(shapely.Point(lon, lat)) for o in (TRIANGLE, HOLED)]
            assert [regions.masks[name][i, j] for name in regions.names] == held
            assert regions.mask[i, j] == (held.index(True) + 1 if any(held) else 0)
            assert regions.inside[i, j] == regions.masks["here"][i, j] == any(held)


def test_a_shared_cell_has_the_first_region_and_counts_in_both(tmp_path):
    path = geojson(tmp_path / "a.geojson", (TRIANGLE, {"name": "x"}), (SQUARE, {"name": "y"}))
    regions = found(path)
    both = regions.masks["x"] & regions.masks["y"]
    assert regions.shared_cells == both.sum() == 15
    assert (regions.mask[both] == 1).all()
    assert regions.masks["y"].sum() == 25
    assert (regions.mask == 2).sum() == 25 - 15


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson"])
def test_every_format_gives_the_same_regions(tmp_path, suffix):
    shapes, words = [TRIANGLE, TWO, HOLED], ["Upper", "Zwei", "黄河"]
    shapes = [shapely.MultiPolygon([s]) if s.geom_type == "Polygon" else s for s in shapes]
    columns = {"Name": words, "rank": [3, 1, 2]}
    options = {"geometry_type": "MultiPolygon", "encoding": "UTF-8"}
    regions = found(layer(tmp_path / f"my.{suffix}", shapes, columns, **options))
    plain = found(
        geojson(
            tmp_path / "plain.json",
            *((shape, {"Name": word}) for shape, word in zip(shapes, words, strict=True)),
        )
    )
    assert regions.names == tuple(words)
    assert regions.sha256 == plain.sha256


def test_heights_are_left_out(tmp_path):
    high = shapely.force_3d(SQUARE, 4500.0)
    path = layer(tmp_path / "high.gpkg", [high], {"name": ["x"]}, geometry_type="Polygon Z")
    assert found(path).masks["x"].sum() == 25
    assert not user_outlines(path)["x"].has_z


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"name": ["a", "b"], "id": [1, 2]}, ["a", "b"]),
        ({"id": [1, 2], "NAME": ["a", "b"], "note": ["x", "y"]}, ["a", "b"]),
        ({"ID": [7, 8], "note": ["x", "y"]}, ["7", "8"]),
        ({"id": [7.0, 8.0]}, ["7", "8"]),
        ({"catchment": [" upper  left ", "b"], "km2": [1.5, 2.5]}, ["upper left", "b"]),
        ({"km2": [1.5, 2.5]}, ["region_1", "region_2"]),
        ({}, ["region_1", "region_2"]),
    ],
)
def test_the_attribute_that_names_regions(tmp_path, columns, expected):
    rows = [
        (shape, {key: values[i] for key, values in columns.items()})
        for i, shape in enumerate((TRIANGLE, SQUARE))
    ]
    assert list(user_outlines(geojson(tmp_path / "a.geojson", *rows))) == expected
    if columns:
        path = layer(tmp_path / "a.gpkg", [TRIANGLE, SQUARE], columns, fid="row")
        assert list(user_outlines(path)) == expected


def test_longitudes_may_count_the_other_way(tmp_path):
    grid = Grid.regular(-15.0, 5.0, -8.0, 8.0, 1.0)
    masks = [
        regions_on(
            Grid(lat=grid.lat, lon=grid.lon + shift),
            str(geojson(tmp_path / "r.geojson", (shapely.box(west, -5, west + 9, 5), {}))),
            "here",
        ).masks["region_1"]
        for west in (350, -10)
        for shift in (0, 360)
    ]
    assert masks[0].sum() == 10 * 11
    for mask in masks[1:]:
        np.testing.assert_array_equal(mask, masks[0])


def test_a_bare_geometry_is_one_region(tmp_path):
    path = tmp_path / "bare.geojson"
    path.write_text(json.dumps(shapely.geometry.mapping(SQUARE)))
    assert found(path).masks["region_1"].sum() == 25


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "is no GeoJSON"),
        ("", "is no GeoJSON"),
        ("[]", "is no GeoJSON but a JSON list"),
        ("{}", "unreadable outline of feature 1"),
        ('{"type": "FeatureCollection", "features": []}', "no features in"),
        ('{"type": "FeatureCollection", "features": [3]}', "no features in"),
        ('{"type": "FeatureCollection"}', "no features in"),
        ('{"type": "Feature", "geometry": null}', "has no outline; expected a polygon"),
        ('{"type": "Polygon", "coordinates": []}', "has no outline; expected a polygon"),
        ('{"type": "Polygon", "coordinates": [[[90, 32], [94, 32]]]}', "unreadable outline"),
        ('{"type": "Polygon", "coordinates": [[["x", 32], [9, 3], [1, 2]]]}', "unreadable outline"),
        ('{"type": "Point", "coordinates": [91, 33]}', "is a Point; expected a polygon"),
        ('{"type": "LineString", "coordinates": [[9, 3], [8, 3]]}', "is a LineString; expected"),
    ],
)
def test_broken_geojson_is_one_line_naming_the_file(tmp_path, content, message):
    path = tmp_path / "broken.geojson"
    path.write_text(content)
    (problem,) = refusals(path)
    assert message in problem


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([(SQUARE, {"name": "x"}), (TRIANGLE, {"name": "x"})], "2 regions 'x'"),
        ([(BOW_TIE, {"name": "x"})], "Self-intersection"),
        ([(shapely.Polygon(), {"name": "x"})], "region 'x' in"),
        ([(None, {"name": "x"})], "has no outline"),
        ([(shapely.Point(91, 33), {"name": "x"})], "is a Point; expected a polygon"),
        (
            [(shapely.LineString([(90, 32), (94, 36)]), {"name": "x"})],
            "is a LineString; expected a polygon",
        ),
        ([(shapely.box(10, 40, 12, 42), {"name": "x"})], "lies in x of"),
        ([(shapely.box(91.1, 33.1, 91.2, 33.2), {"name": "x"})], "lies in x of"),
        ([(shapely.box(5e5, 4e6, 6e5, 5e6), {"name": "x"})], "expected degrees"),
        ([(SQUARE, {"name": "x"}), (TRIANGLE, {"name": None})], "no 'name' in feature 2 of"),
        ([(SQUARE, {"name": "x"}), (TRIANGLE, {})], "no 'name' in feature 2 of"),
        ([(SQUARE, {"a": "x", "b": "y"})], "which attribute names the regions of"),
        ([(SQUARE, {"name": "here"})], "has the name of the domain"),
        ([(SQUARE, {"name": str(n)}) for n in range(128)], "holds 128 regions; expected at most"),
    ],
)
def test_unusable_regions_are_refused_in_one_line(tmp_path, features, message):
    (problem,) = refusals(geojson(tmp_path / "bad.geojson", *features))
    assert message in problem


def test_every_bad_feature_has_its_line(tmp_path):
    rows = [(BOW_TIE, {"name": "a"}), (SQUARE, {"name": "b"}), (shapely.Point(1, 2), {"name": "c"})]
    problems = refusals(geojson(tmp_path / "bad.geojson", *rows))
    assert [problem.split("'")[1] for problem in problems] == ["a", "c"]


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", True),
        ("urn:ogc:def:crs:EPSG::4326", True),
        ("EPSG:3857", False),
        ("urn:ogc:def:crs:EPSG::32647", False),
    ],
)
def test_geojson_may_say_its_coordinates_but_they_must_be_wgs84(tmp_path, name, accepted):
    crs = {"type": "name", "properties": {"name": name}}
    path = geojson(tmp_path / "a.geojson", (SQUARE, {"name": "x"}), crs=crs)
    if accepted:
        assert found(path).masks["x"].sum() == 25
    else:
        (problem,) = refusals(path)
        assert f"coordinates in {name}" in problem
        assert "ogr2ogr -t_srs EPSG:4326" in problem


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_file_without_coordinate_system_is_told_how_to_get_one(tmp_path, suffix):
    path = layer(tmp_path / f"a.{suffix}", [SQUARE], {"name": ["x"]}, crs=None)
    (problem,) = refusals(path)
    assert "has no coordinate system" in problem
    assert "`ogr2ogr -a_srs EPSG:4326 NEW.gpkg OLD`" in problem
    assert ("put its .prj beside it" in problem) == (suffix == "shp")
    assert "-t_srs" not in problem


def test_exchanged_latitudes_and_longitudes_are_told(tmp_path):
    (problem,) = refusals(geojson(tmp_path / "a.geojson", (shapely.box(31, 91, 35, 95), {})))
    assert "latitude comes first, so exchange the columns" in problem
    assert "ogr2ogr" not in problem


def test_a_text_that_is_no_vector_file_is_not_sent_to_a_converter(tmp_path):
    for name, kind in (("a.geojson", "GeoJSON"), ("a.gpkg", "GeoJSON, GeoPackage or shapefile")):
        path = tmp_path / name
        path.write_text("Upper catchment: 91E 33N")
        (problem,) = refusals(path)
        assert problem.endswith(f"export it again as {kind}")


@pytest.mark.parametrize("crs", ["EPSG:32647", "EPSG:3857", "EPSG:4490"])
@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_other_coordinates_are_refused_with_the_way_to_convert_them(tmp_path, crs, suffix):
    path = layer(tmp_path / f"a.{suffix}", [SQUARE], {"name": ["x"]}, crs=crs)
    (problem,) = refusals(path)
    assert "expected longitude and latitude on WGS 84 (EPSG:4326)" in problem
    assert "`ogr2ogr -t_srs EPSG:4326 NEW.gpkg OLD`" in problem


def test_absent_files_name_those_that_are_there(tmp_path):
    geojson(tmp_path / "mine.geojson", (SQUARE, {}))
    (problem,) = refusals(tmp_path / "min.geojson")
    assert "there: mine.geojson" in problem
    (problem,) = refusals(tmp_path / "gone" / "a.gpkg")
    assert "there: none" in problem


def test_absent_files_name_five_that_could_hold_regions_and_no_other(tmp_path):
    for name in ("a.dbf", "a.prj", "notes.txt", "z.JSON", *(f"{c}.shp" for c in "abcdef")):
        (tmp_path / name).touch()
    (problem,) = refusals(tmp_path / "gone.gpkg")
    assert "(there: a.shp, b.shp, c.shp, d.shp, e.shp and 2 more)" in problem


def test_a_geopackage_of_two_layers_is_refused_and_tables_do_not_count(tmp_path):
    path = layer(tmp_path / "a.gpkg", [SQUARE], {"name": ["x"]}, layer="first")
    pyogrio.raw.write(
        path, None, [np.array(["note"])], ["text"], layer="table", geometry_type=None, append=True
    )
    assert found(path).names == ("x",)
    layer(path, [TRIANGLE], {"name": ["y"]}, layer="second", append=True)
    (problem,) = refusals(path)
    assert "holds 2 layers of geometries (first, second); expected one" in problem


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
@pytest.mark.parametrize("length", [0, 90, 150])
def test_cut_and_false_files_are_refused(tmp_path, suffix, length):
    whole = layer(tmp_path / f"a.{suffix}", [SQUARE], {"name": ["x"]}).read_bytes()
    path = tmp_path / "sub" / f"b.{suffix}"
    path.parent.mkdir()
    path.write_bytes(whole[:length] or b"no vector file at all")
    for companion in tmp_path.glob("a.*"):
        if companion.suffix != path.suffix:
            shutil.copy(companion, path.with_suffix(companion.suffix))
    (problem,) = refusals(path)
    assert "cannot be read" in problem


def test_a_shapefile_without_its_companions_is_refused(tmp_path):
    path = layer(tmp_path / "a.shp", [SQUARE], {"name": ["x"]})
    path.with_suffix(".prj").unlink()
    assert "has no coordinate system" in refusals(path)[0]
    for suffix in (".shx", ".dbf"):
        companion = path.with_suffix(suffix)
        kept = companion.read_bytes()
        companion.unlink()
        (problem,) = refusals(path)
        assert f"lacks a{suffix} beside it" in problem
        assert problem.endswith(f"put the {suffix} beside it")
        companion.with_suffix(suffix.upper()).write_bytes(kept)
    assert "has no coordinate system" in refusals(path)[0]


def test_a_geopackage_may_hold_what_is_no_polygon(tmp_path):
    mixed = [shapely.Point(91, 33), SQUARE, None]
    path = layer(tmp_path / "a.gpkg", mixed, {"name": ["p", "q", "r"]}, geometry_type="Unknown")
    problems = refusals(path)
    assert "region 'p'" in problems[0]
    assert "region 'r'" in problems[1]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "features", "geometry", "properties", "coordinates", "crs"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(content=JSON)
def test_any_json_is_read_or_refused_and_nothing_else(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "a.geojson"
    path.write_text(json.dumps(content))
    try:
        user_outlines(path)
    except UserError as error:
        assert all(str(path) in problem for problem in error.problems)
