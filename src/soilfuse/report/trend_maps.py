"""Which maps a page shows: mean moisture, annual and seasonal slopes, changes, scenarios."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import Regions
from soilfuse.report import labels, style
from soilfuse.report.maps import Panel, Place, map_grid
from soilfuse.report.records import Moisture, Trends

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYER_COLUMNS = 3


def place_of(trends: Trends, regions: Regions) -> Place:
    """Return where the maps of an experiment lie; regions without a cell are not outlined."""
    maps = trends.maps
    held = {name: line for name, line in regions.outlines.items() if name in regions.masks}
    return Place(maps["lat"].values, maps["lon"].values, regions.inside, held)


def layer_heading(layer: int) -> str:
    """Return the title of a column of maps."""
    return f"Layer {layer}: {labels.layer_title(layer)}"


def wrapped(panels: Sequence[Panel], columns: int) -> list[list[Panel | None]]:
    """Return panels as rows of so many columns at most, the last one filled up with nothing."""
    columns = min(columns, len(panels))
    filled = [*panels, *[None] * (-len(panels) % columns)]
    return [filled[start : start + columns] for start in range(0, len(filled), columns)]


def moisture_maps(place: Place, moisture: Moisture, layers: Sequence[int]) -> "Figure":
    """Draw the mean soil moisture of each layer."""
    scale = style.moisture_scale()
    panels = [
        Panel(moisture.mean[layer - 1], scale, layer_heading(layer), named=layer == layers[0])
        for layer in layers
    ]
    return map_grid(place, wrapped(panels, LAYER_COLUMNS))


def spread_maps(place: Place, spread: np.ndarray, layers: Sequence[int]) -> "Figure":
    """Draw the (D, H, W) mean spread over the fold models of each layer."""
    scale = style.spread_scale()
    panels = [Panel(spread[layer - 1], scale, layer_heading(layer)) for layer in layers]
    return map_grid(place, wrapped(panels, LAYER_COLUMNS))


def slope_panel(trends: Trends, season: str, period: str, layer: int, title: str = "") -> Panel:
    """Return the map of Sen slopes of one season, period and layer, dotted where significant."""
    where = {"season": season, "period": period}
    maps = trends.maps[["sens_slope", "significant"]].sel(where).isel(depth=layer - 1)
    maps = maps.transpose("lat", "lon")
    return Panel(
        values=maps["sens_slope"].values * labels.RATE_SCALE,
        scale=style.slope_scale(period),
        title=title,
        dots=np.nan_to_num(maps["significant"].values.astype(float)) > 0,
    )


def change_panel(trends: Trends, season: str, period: str, layer: int, title: str = "") -> Panel:
    """Return the map of percent changes of one season, future period and layer."""
    where = {"season": season, "future_period": period}
    change = trends.maps["change_percent"].sel(where).isel(depth=layer - 1)
    return Panel(change.transpose("lat", "lon").values, style.change_scale(), title=title)


def layer_maps(place: Place, layers: Sequence[int], panel: Callable[[int], Panel]) -> "Figure":
    """Draw one map a layer."""
    panels = [replace(panel(layer), title=layer_heading(layer)) for layer in layers]
    return map_grid(place, wrapped(panels, LAYER_COLUMNS))


def layer_rows(
    place: Place, layers: Sequence[int], columns: Mapping[str, Callable[[int], Panel]]
) -> "Figure":
    """Draw a row a layer; columns: the map of a layer, by its title."""
    rows = [
        [
            replace(panel(layer), title="" if i else title, row=labels.layer_title(layer))
            for title, panel in columns.items()
        ]
        for i, layer in enumerate(layers)
    ]
    return map_grid(place, rows)


def slope_maps(
    place: Place, trends: Trends, period: str, layers: Sequence[int], seasons: Sequence[str]
) -> "Figure":
    """Draw Sen slopes: a map a layer of one season, a row a layer of more."""
    drawn = {
        labels.season_title(season): partial(slope_panel, trends, season, period)
        for season in seasons
    }
    if len(drawn) == 1:
        return layer_maps(place, layers, *drawn.values())
    return layer_rows(place, layers, drawn)


def change_maps(
    place: Place,
    trends: Trends,
    layers: Sequence[int],
    seasons: Sequence[str],
    periods: Sequence[str],
) -> "Figure":
    """Draw percent changes, a row a layer: a column a season of one period, or a period of one."""
    columns = {
        labels.season_title(season) if len(seasons) > 1 else labels.years_title(period): partial(
            change_panel, trends, season, period
        )
        for season in seasons
        for period in periods
    }
    return layer_rows(place, layers, columns)


def scenario_maps(place: Place, panels: Sequence[Panel]) -> "Figure":
    """Draw one map a scenario on one scale, two in a row."""
    return map_grid(place, wrapped(panels, 2))


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
