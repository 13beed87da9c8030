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
CONVERT = "`ogr2ogr -t_srs EPSG:4326 NEW.gpkg OLD` makes such a file"
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
        near = ", ".join(sorted(other.name for other in path.parent.glob("*.*"))) or "none"
        raise UserError(
            f"no file {path} of regions (there: {near}): correct params.yaml:domain.regions, or "
            "put the file there"
        )
    features = _of_geojson(path) if path.suffix.lower() in GEOJSON else _of_layer(path)
    if not features:
        raise UserError(f"no features in {path}; expected one polygon or more: export them again")
    return features


def _of_geojson(path: Path) -> list[Feature]:
    """Read GeoJSON (RFC 7946), a bare geometry being one feature."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no GeoJSON ({error}); {CONVERT}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} is no GeoJSON but a JSON {type(content).__name__}; {CONVERT}")
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
        raise UserError(f"{path} cannot be read ({reason}); {CONVERT}") from None
    rows = zip(*columns, strict=True) if columns else ([] for _ in outlines)
    names = [str(name) for name in meta["fields"]]
    return [
        Feature(dict(zip(names, row, strict=True)), outline)
        for row, outline in zip(rows, outlines, strict=True)
    ]


def _require_wgs84(path: Path, crs: str | None) -> None:
    if crs is None or not WGS84.search(crs):
        got = "no coordinate system" if crs is None else f"coordinates in {crs[:40]}"
        raise UserError(
            f"{path} has {got}; expected longitude and latitude on WGS 84 (EPSG:4326): {CONVERT}"
        )
