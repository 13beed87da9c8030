"""Outlines of regions by name, in degrees on WGS 84: ours, as packaged, and the user's."""

import json
from collections import Counter
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import shapely

from soilfuse.errors import UserError
from soilfuse.grids.vector_files import CONVERT, Feature, read_features

NAMING = ("name", "id")  # attributes that name a region, in whatever case
MOST = 127  # regions that a field of one byte a cell can number


def packaged_outlines(file: str, key: str) -> dict[str, shapely.Geometry]:
    """Return the polygons of one of this package's GeoJSON files by their property `key`."""
    text = resources.files("soilfuse.grids").joinpath(file).read_text("utf-8")
    return {
        feature["properties"][key]: shapely.geometry.shape(feature["geometry"])
        for feature in json.loads(text)["features"]
    }


def user_outlines(path: Path) -> dict[str, shapely.Geometry]:
    """Return the polygons of a user's vector file by name, in the file's order.

    Names are those of the attribute `name`, else `id`, in whatever case, else of the only attribute
    that holds words; a file without any gives region_1, region_2, ... Raises UserError that names
    the file, with a line for each feature that is no valid polygon in degrees with its own name.
    """
    path = Path(path)
    features = read_features(path)
    if len(features) > MOST:
        raise UserError(
            f"{path} holds {len(features)} regions; expected at most {MOST}: merge some of them"
        )
    names = _names(path, features)
    problems = [
        f"{times} regions {name!r} in {path}; expected a name each: rename or merge them"
        for name, times in Counter(names).items()
        if times > 1
    ]
    for name, feature in zip(names, features, strict=True):
        fault = _fault(feature.geometry)
        if fault:
            problems.append(f"region {name!r} in {path} {fault}")
    if problems:
        raise UserError(*problems)
    return {
        name: feature.geometry
        for name, feature in zip(names, features, strict=True)
        if feature.geometry is not None
    }


def _names(path: Path, features: Sequence[Feature]) -> list[str]:
    key = _naming_attribute(path, features)
    if key is None:
        return [f"region_{number}" for number in range(1, len(features) + 1)]
    names = [_text(feature.attributes.get(key)) for feature in features]
    if nameless := [str(number) for number, name in enumerate(names, start=1) if not name]:
        raise UserError(
            f"no {key!r} in feature {', '.join(nameless)} of {path}; expected a name each: fill "
            "the attribute in"
        )
    return names


def _naming_attribute(path: Path, features: Sequence[Feature]) -> str | None:
    """Return the attribute that names regions, or None where no attribute holds words."""
    columns = dict.fromkeys(key for feature in features for key in feature.attributes)
    held = [key for key in columns if any(_text(f.attributes.get(key)) for f in features)]
    for wanted in NAMING:
        for key in held:
            if key.lower() == wanted:
                return key
    words = [key for key in held if any(isinstance(f.attributes.get(key), str) for f in features)]
    if len(words) > 1:
        raise UserError(
            f"which attribute names the regions of {path}? It has {', '.join(words)}; expected "
            f"`{NAMING[0]}`, or one attribute of words only: rename that attribute"
        )
    return words[0] if words else None


def _text(value: Any) -> str:
    """Return a name from an attribute's value, nothing for one that is missing or no name."""
    if isinstance(value, str):
        return " ".join(value.split())
    try:
        return str(int(value)) if int(value) == value else ""
    except (TypeError, ValueError, OverflowError):
        return ""


def _fault(outline: shapely.Geometry | None) -> str | None:
    """Return what is wrong with an outline and how it is mended, None where nothing is."""
    if outline is None or outline.is_empty:
        return "has no outline; expected a polygon: draw it, or delete the feature"
    if outline.geom_type not in ("Polygon", "MultiPolygon"):
        return f"is a {outline.geom_type}; expected a polygon: draw its area, or delete the feature"
    west, south, east, north = outline.bounds
    if not _in_degrees(west, south, east, north):
        exchanged = _in_degrees(south, west, north, east)
        advice = "latitude comes first, so exchange the columns" if exchanged else CONVERT
        return (
            f"spans {west:g} to {east:g} and {south:g} to {north:g}; expected degrees of longitude "
            f"and latitude: {advice}"
        )
    if not outline.is_valid:
        return (
            f"is no valid polygon ({shapely.is_valid_reason(outline)}); expected rings that do not "
            "cross: `ogr2ogr -makevalid NEW.gpkg OLD` mends it"
        )
    return None


def _in_degrees(west: float, south: float, east: float, north: float) -> bool:
    return -180 <= west <= east <= 360 and -90 <= south <= north <= 90
