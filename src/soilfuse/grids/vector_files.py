"""Vector files of polygons in longitude and latitude: GeoJSON, GeoPackage, shapefile."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely

from soilfuse.errors import UserError

GEOJSON = (".geojson", ".json")
USABLE = (*GEOJSON, ".gpkg", ".shp")
COMPANIONS = (".shx", ".dbf")  # without them a shapefile has no order of its shapes, and no names
CONVERT = "`ogr2ogr -t_srs EPSG:4326 NEW.gpkg OLD` makes such a file"
DECLARE = "if they are degrees on WGS 84, `ogr2ogr -a_srs EPSG:4326 NEW.gpkg OLD` says so"
# As GDAL names it: by an authority's code, or in words where the file has none.
WGS84 = re.compile(r"(EPSG:+4326|CRS:?84)$|^GEOG(CS|CRS)\[\"[^\"]*WGS[ _]?(19)?84", re.IGNORECASE)


@dataclass(frozen=True)
class Feature:
    """One row of a vector file: its attributes and its geometry, None where it has none."""

    attributes: Mapping[str, Any]
    geometry: shapely.Geometry | None


def read_features(path: Path) -> list[Feature]:
    """Return the features of a file of one layer, in its order, geometries without heights.

    Raises UserError that names the file where it is absent, unreadable, empty, of several layers or
    in other coordinates than longitude and latitude on WGS 84.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(
            f"no file {path} of regions (there: {_usable_beside(path)}): correct "
            "params.yaml:domain.regions, or put the file there"
        )
    features = _of_geojson(path) if path.suffix.lower() in GEOJSON else _of_layer(path)
    if not features:
        raise UserError(f"no features in {path}; expected one polygon or more: export them again")
    return features


def _usable_beside(path: Path, shown: int = 5) -> str:
    """Return the names of the files of a folder that could hold regions."""
    usable = sorted(p.name for p in path.parent.glob("*.*") if p.suffix.lower() in USABLE)
    more = f" and {len(usable) - shown} more" if len(usable) > shown else ""
    return (", ".join(usable[:shown]) or "none") + more


def _of_geojson(path: Path) -> list[Feature]:
    """Read GeoJSON (RFC 7946), a bare geometry being one feature."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no GeoJSON ({error}): export it again as GeoJSON") from None
    if not isinstance(content, dict):
        kind = type(content).__name__
        raise UserError(f"{path} is no GeoJSON but a JSON {kind}: export it again as GeoJSON")
    _require_wgs84(path, _named_crs(content))
    if content.get("type") == "FeatureCollection":
        rows = content.get("features")
    else:
        rows = [content if content.get("type") == "Feature" else {"geometry": content}]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"no features in {path}; expected one polygon or more: export them again")
    return [_of_row(path, number, row) for number, row in enumerate(rows, start=1)]


def _named_crs(content: Mapping[str, Any]) -> str:
    """Return what GeoJSON from before RFC 7946 says of its coordinates; WGS 84 where nothing."""
    try:
        return str(content["crs"]["properties"]["name"])
    except (KeyError, TypeError):
        return "EPSG:4326"


def _of_row(path: Path, number: int, row: Mapping[str, Any]) -> Feature:
    properties = row.get("properties")
    attributes = {"id": row["id"]} if "id" in row else {}
    attributes |= properties if isinstance(properties, dict) else {}
    if row.get("geometry") is None:
        return Feature(attributes, None)
    try:
        geometry = shapely.geometry.shape(row["geometry"])
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise UserError(
            f"unreadable outline of feature {number} in {path} ({type(error).__name__}: {error}); "
            "expected a polygon of closed rings: export it again"
        ) from None
    return Feature(attributes, shapely.force_2d(geometry))


def _of_layer(path: Path) -> list[Feature]:
    """Read a GeoPackage or shapefile through GDAL."""
    import pyogrio

    if path.suffix.lower() == ".shp":
        _require_whole_shapefile(path)
    try:
        layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
        if len(layers) != 1:
            raise UserError(
                f"{path} holds {len(layers)} layers of geometries ({', '.join(layers) or 'none'}); "
                "expected one: `ogr2ogr NEW.gpkg OLD LAYER` copies one"
            )
        meta, _, geometry, columns = pyogrio.raw.read(path, layer=layers[0])
        _require_wgs84(path, meta["crs"])
        outlines = shapely.force_2d(shapely.from_wkb(geometry))
    except (RuntimeError, ValueError, shapely.errors.ShapelyError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(
            f"{path} cannot be read ({reason}): export it again as GeoJSON, GeoPackage or shapefile"
        ) from None
    rows = zip(*columns, strict=True) if columns else ([] for _ in outlines)
    names = [str(name) for name in meta["fields"]]
    return [
        Feature(dict(zip(names, row, strict=True)), outline)
        for row, outline in zip(rows, outlines, strict=True)
    ]


def _require_whole_shapefile(path: Path) -> None:
    """Raise UserError where a shapefile is cut off, or lacks a file that belongs to it.

    GDAL would read regions without an outline, or without a name.
    """
    with path.open("rb") as stream:
        declared = 2 * int.from_bytes(stream.read(28)[24:], "big")  # in words of two bytes
    if (size := path.stat().st_size) < declared:
        raise UserError(
            f"{path} cannot be read: it is cut off, {size} of {declared} bytes: export it again"
        )
    there = {other.name.lower() for other in path.parent.glob("*.*")}
    for suffix in COMPANIONS:
        companion = path.with_suffix(suffix).name
        if companion.lower() not in there:
            raise UserError(
                f"{path} lacks {companion} beside it; expected .shp, .shx and .dbf together: put "
                f"the {suffix} beside it"
            )


def _require_wgs84(path: Path, crs: str | None) -> None:
    expected = "expected longitude and latitude on WGS 84 (EPSG:4326)"
    if crs is None:
        prj = "put its .prj beside it, or, " if path.suffix.lower() == ".shp" else ""
        raise UserError(f"{path} has no coordinate system; {expected}: {prj}{DECLARE}")
    if not WGS84.search(crs):
        raise UserError(f"{path} has coordinates in {crs[:40]}; {expected}: {CONVERT}")
