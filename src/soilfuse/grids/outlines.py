"""Outlines of regions in GeoJSON (RFC 7946: longitude, latitude, WGS 84): ours and the user's."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import shapely

from soilfuse.errors import UserError

NAME_PROPERTIES = ("name", "region", "basin", "zone", "id")
REMEDY = "export it as GeoJSON in longitude and latitude (EPSG:4326)"


def packaged_outlines(file: str, key: str) -> dict[str, shapely.Geometry]:
    """Return the polygons of one of this package's GeoJSON files by their property `key`."""
    text = resources.files("soilfuse.grids").joinpath(file).read_text("utf-8")
    return {
        feature["properties"][key]: shapely.geometry.shape(feature["geometry"])
        for feature in json.loads(text)["features"]
    }


def user_outlines(path: Path) -> dict[str, shapely.Geometry]:
    """Return the polygons of a user's GeoJSON file by name, in the file's order.

    A feature is named by the first of NAME_PROPERTIES that it has, in whatever case, else region_1,
    region_2, ... by its place. Raises UserError that names the file for anything but polygons in
    degrees with a name each.
    """
    found: dict[str, shapely.Geometry] = {}
    for number, feature in enumerate(_features(Path(path)), start=1):
        name = _name(feature, number)
        if name in found:
            raise UserError(
                f"two regions {name!r} in {path}; expected a name each: rename or merge them"
            )
        found[name] = _polygon(feature, name, Path(path))
    return found


def _features(path: Path) -> list[dict[str, Any]]:
    """Return the features of a GeoJSON file, a bare geometry being one."""
    if not path.is_file():
        raise UserError(f"no file {path} of regions; expected GeoJSON: correct the path")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is no GeoJSON: {error}; expected polygons: {REMEDY}, for example with ogr2ogr"
        ) from None
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "FeatureCollection":
        content = content.get("features")
    elif kind == "Feature":
        content = [content]
    else:
        content = [{"type": "Feature", "geometry": content}]
    features = content if isinstance(content, list) else []
    if not features or not all(isinstance(feature, dict) for feature in features):
        raise UserError(f"no features in {path}; expected one polygon or more: {REMEDY}")
    return features


def _name(feature: dict[str, Any], number: int) -> str:
    properties = feature.get("properties")
    given = {
        str(key).lower(): value
        for key, value in (properties if isinstance(properties, dict) else {}).items()
    }
    for key in NAME_PROPERTIES:
        if isinstance(given.get(key), str | int) and str(given[key]).strip():
            return str(given[key]).strip()
    return f"region_{number}"


def _polygon(feature: dict[str, Any], name: str, path: Path) -> shapely.Geometry:
    """Return a feature's valid polygon within -180 to 360 and -90 to 90 degrees."""
    where = f"region {name!r} in {path}"
    try:
        geometry = shapely.geometry.shape(feature["geometry"])
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise UserError(f"unreadable outline of {where}: {error}; {REMEDY}") from None
    if geometry.geom_type not in ("Polygon", "MultiPolygon") or geometry.is_empty:
        raise UserError(f"{where} is a {geometry.geom_type}; expected a polygon: {REMEDY}")
    west, south, east, north = geometry.bounds
    if not (-180 <= west <= east <= 360 and -90 <= south <= north <= 90):
        raise UserError(
            f"{where} spans {west:g} to {east:g} and {south:g} to {north:g}; expected degrees: "
            f"{REMEDY}"
        )
    return geometry if geometry.is_valid else shapely.make_valid(geometry)
