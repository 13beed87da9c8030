"""Which maps a page shows: mean moisture, annual and seasonal slopes, changes, scenarios."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import Regions
from soilfuse.report import labels, style
from soilfuse.report.maps import Panel, Place, map_grid
from soilfuse.report.records import Moisture, Trends

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def place_of(trends: Trends, regions: Regions) -> Place:
    """Return where the maps of an experiment lie; regions without a cell are not outlined."""
    maps = trends.maps
    held = {name: line for name, line in regions.outlines.items() if name in regions.masks}
    return Place(maps["lat"].values, maps["lon"].values, regions.inside, held)


def layer_heading(layer: int) -> str:
    """Return the title of a column of maps."""
    return f"Layer {layer}: {labels.layer_title(layer)}"


def moisture_maps(place: Place, moisture: Moisture, layers: Sequence[int]) -> "Figure":
    """Draw the mean soil moisture of each layer."""
    scale = style.moisture_scale()
    panels = [
        Panel(moisture.mean[layer - 1], scale, layer_heading(layer), named=layer == layers[0])
        for layer in layers
    ]
    return map_grid(place, [panels])


def spread_maps(place: Place, spread: np.ndarray, layers: Sequence[int]) -> "Figure":
    """Draw the (D, H, W) mean spread over the fold models of each layer."""
    scale = style.spread_scale()
    return map_grid(
        place, [[Panel(spread[layer - 1], scale, layer_heading(layer)) for layer in layers]]
    )


def slope_panel(
    trends: Trends, season: str, period: str, layer: int, title: str = "", row: str = ""
) -> Panel:
    """Return the map of Sen slopes of one season, period and layer, dotted where significant."""
    where = {"season": season, "period": period}
    maps = trends.maps[["sens_slope", "significant"]].sel(where).isel(depth=layer - 1)
    maps = maps.transpose("lat", "lon")
    return Panel(
        values=maps["sens_slope"].values * labels.RATE_SCALE,
        scale=style.slope_scale(layer, period),
        title=title,
        row=row,
        dots=np.nan_to_num(maps["significant"].values.astype(float)) > 0,
    )


def change_panel(trends: Trends, season: str, layer: int, title: str = "", row: str = "") -> Panel:
    """Return the map of percent changes of one season and layer."""
    change = trends.maps["change_percent"].sel(season=season).isel(depth=layer - 1)
    return Panel(
        change.transpose("lat", "lon").values, style.change_scale(layer), title=title, row=row
    )


def slope_maps(
    place: Place, trends: Trends, period: str, layers: Sequence[int], seasons: Sequence[str]
) -> "Figure":
    """Draw Sen slopes: a row a season, a column a layer."""
    rows = [
        [
            slope_panel(
                trends,
                season,
                period,
                layer,
                layer_heading(layer) if i == 0 else "",
                labels.season_title(season),
            )
            for layer in layers
        ]
        for i, season in enumerate(seasons)
    ]
    return map_grid(place, rows)


def change_maps(
    place: Place, trends: Trends, layers: Sequence[int], seasons: Sequence[str]
) -> "Figure":
    """Draw percent changes: a row a season, a column a layer."""
    rows = [
        [
            change_panel(
                trends,
                season,
                layer,
                layer_heading(layer) if i == 0 else "",
                labels.season_title(season),
            )
            for layer in layers
        ]
        for i, season in enumerate(seasons)
    ]
    return map_grid(place, rows)


def scenario_maps(place: Place, panels: Sequence[Panel]) -> "Figure":
    """Draw one map a scenario on one scale, two in a row."""
    blank = Panel(np.full(place.inside.shape, np.nan), panels[0].scale)
    padded = [*panels, blank] if len(panels) % 2 and len(panels) > 1 else list(panels)
    columns = min(2, len(padded))
    rows = [padded[start : start + columns] for start in range(0, len(padded), columns)]
    return map_grid(place, rows)


def significant_share(
    trends: Trends, place: Place, season: str, period: str, layer: int
) -> tuple[float, float]:
    """Return the shares of the regions' area with significant wetting and drying, in percent."""
    panel = slope_panel(trends, season, period, layer)
    counted = place.inside & np.isfinite(panel.values)
    if panel.dots is None or not counted.any():
        return float("nan"), float("nan")
    weight = Grid(place.lat, place.lon).area * counted
    wetter = (weight * (panel.dots & (panel.values > 0))).sum() / weight.sum()
    drier = (weight * (panel.dots & (panel.values < 0))).sum() / weight.sum()
    return float(100 * wetter), float(100 * drier)
