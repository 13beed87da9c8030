"""What the interactive map holds: numbers of every cell, packed for a browser.

Letters: S seasons, P periods, D layers, C cells inside the regions, Y means of five years. Numbers
are 16-bit steps of a scale, as differences from their neighbours, deflated, in base64; a browser
unpacks them with its own DecompressionStream.
"""

import base64
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.report import labels, style
from soilfuse.report.maps import Place
from soilfuse.report.records import Trends
from soilfuse.trends.periods import FIVE

if TYPE_CHECKING:
    import xarray as xr

STEPS = 32000  # of the largest number; the rest of 16 bits stands for nothing
MISSING = -32768
RATE_STEP = 0.01  # 10^-3 m3 m-3 a decade: as many digits as are shown
CHANGE_STEP = 0.1  # percent, likewise
SERIES_STEP = 1e-4  # m3 m-3
MANY_CELLS = 1000  # beyond which only annual series are given
OUTLINE_TOLERANCE = 0.01  # degrees
PLAIN, FIELD = 1, 2  # bits of a cell's significance


def packed(values: np.ndarray, scale: float | None = None) -> dict[str, Any]:
    """Return finite numbers as {scale, shape, data}; NaN has a step of its own.

    What comes back differs by half a step at most. scale: the step; None is the largest number /
    32000, 1 keeps whole numbers as they are.
    """
    if scale is None:
        largest = float(np.max(np.abs(values), where=np.isfinite(values), initial=0.0))
        scale = largest / STEPS or 1.0
    steps = np.where(np.isfinite(values), np.round(values / scale).clip(-STEPS, STEPS), MISSING)
    steps = steps.astype("<i2")
    for axis in _axes(steps):  # 16 bits wrap round, and back again
        steps = np.diff(steps, axis=axis, prepend=np.int16(0))
    low_then_high = np.ravel(steps).view(np.uint8).reshape(-1, 2).T
    return {"scale": scale, "shape": list(values.shape), "data": deflated(low_then_high.tobytes())}


def unpacked(given: dict[str, Any]) -> np.ndarray:
    """Return the numbers that `packed` was given, NaN included."""
    low_then_high = np.frombuffer(zlib.decompress(base64.b64decode(given["data"])), np.uint8)
    steps = low_then_high.reshape(2, -1).T.copy().view("<i2").reshape(given["shape"])
    for axis in _axes(steps):
        steps = np.cumsum(steps, axis=axis, dtype="<i2")
    return np.where(steps == MISSING, np.nan, steps * given["scale"])


def deflated(content: bytes) -> str:
    """Return bytes as a page holds them: zlib's, in base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def _axes(steps: np.ndarray) -> list[int]:
    """Return along what neighbours are alike: years or layers, and cells."""
    return [steps.ndim - 2, steps.ndim - 1] if steps.ndim > 1 else [0]


def map_data(all_trends: Sequence[Trends], place: Place) -> dict[str, Any]:
    """Return what the page's script shows, as JSON takes it.

    Raises UserError where trends are of a version that had no series of cells.
    """
    for trends in all_trends:
        if "five_year_mean" not in trends.maps:
            raise UserError(
                f"{trends.files[0]} lacks variable five_year_mean, the series of the interactive "
                f"map: run `dvc repro -s trends@{trends.experiment}`"
            )
    flat = np.flatnonzero(place.inside)
    seasons = list(names.SEASONS)
    shown = seasons if flat.size <= MANY_CELLS else seasons[:1]
    return {
        "lat": place.lat.round(4).tolist(),
        "lon": place.lon.round(4).tolist(),
        "cells": flat.tolist(),
        "outlines": _outlines(place),
        "seasons": [_named(season, labels.season_title(season)) for season in seasons],
        "layers": [labels.layer_title(layer) for layer in all_trends[0].layers],
        "seriesSeasons": shown,
        "seriesYears": FIVE,
        "colours": _colours(),
        "changeLevels": list(style.change_scale().levels),
        "rateUnit": labels.RATE_UNIT,
        "unit": labels.UNIT,
        "field": all("significant_fdr" in trends.maps for trends in all_trends),
        "experiments": [
            {
                **_experiment(trends, place.inside),
                **_series(trends, shown, place.inside),
            }
            for trends in all_trends
        ],
    }


def _experiment(trends: Trends, inside: np.ndarray) -> dict[str, Any]:
    """Return the rates, their significance and the changes of one experiment's cells."""
    maps = trends.maps
    found = {
        "key": trends.experiment,
        "title": labels.experiment_title(trends.experiment),
        "colour": style.EXPERIMENT_COLOURS[trends.experiment],
        "main": trends.main_period,
        "periods": [
            {
                **_named(period, labels.years_title(period)),
                "levels": list(style.slope_scale(period).levels),
            }
            for period in map(str, maps["period"].values)
        ],
        "rate": packed(_cells(maps["sens_slope"], inside) * labels.RATE_SCALE, RATE_STEP),
        "significance": packed(_significance(maps, inside), 1.0),
    }
    for end in ("low", "high"):
        if f"sens_slope_{end}" in maps:
            rates = _cells(maps[f"sens_slope_{end}"], inside) * labels.RATE_SCALE
            found[end] = packed(rates, RATE_STEP)
    if "change_percent" in maps:
        found["change"] = packed(_cells(maps["change_percent"], inside), CHANGE_STEP)
        found["changePeriods"] = [
            _named(period, labels.years_title(period))
            for period in map(str, maps["future_period"].values)
        ]
        found["reference"] = labels.years_title(trends.reference_period)
    return found


def _cells(values: "xr.DataArray", inside: np.ndarray) -> np.ndarray:
    ordered = values.transpose(..., "depth", "lat", "lon").values
    return np.asarray(ordered[..., inside], dtype=np.float64)


def _significance(maps: "xr.Dataset", inside: np.ndarray) -> np.ndarray:
    held = PLAIN * (_cells(maps["significant"], inside) > 0)
    if "significant_fdr" in maps:
        held = held + FIELD * (_cells(maps["significant_fdr"], inside) > 0)
    return np.where(np.isfinite(_cells(maps["sens_slope"], inside)), held, np.nan)


def _series(trends: Trends, seasons: Sequence[str], inside: np.ndarray) -> dict[str, Any]:
    """Return five-year means of the cells' seasonal means, {years (Y), series (S, D, Y, C)}."""
    means = trends.maps["five_year_mean"].sel(season=list(seasons))
    cells = _cells(means.transpose("season", "middle_year", ...), inside)
    years = means["middle_year"].values.tolist()
    return {"years": years, "series": packed(np.moveaxis(cells, 1, 2), SERIES_STEP)}


def _outlines(place: Place) -> list[dict[str, Any]]:
    """Return the regions' rings as coordinates, None between two rings."""
    told = []
    for name, outline in place.outlines.items():
        lon: list[float | None] = []
        lat: list[float | None] = []
        for ring in shapely.get_rings(outline.simplify(OUTLINE_TOLERANCE)):
            x, y = shapely.get_coordinates(ring).T.round(3).tolist()
            lon += [*x, None]
            lat += [*y, None]
        told.append({**_named(name, labels.region_title(name)), "lon": lon, "lat": lat})
    return told


def _colours() -> list[str]:
    """Return the diverging colours of the printed maps, dry to wet."""
    from matplotlib.colors import ListedColormap, to_hex

    colour_map, _ = style.change_scale().colouring()
    assert isinstance(colour_map, ListedColormap)
    return [to_hex(colour) for colour in np.asarray(colour_map.colors)]


def _named(key: str, title: str) -> dict[str, str]:
    return {"key": key, "title": title}
