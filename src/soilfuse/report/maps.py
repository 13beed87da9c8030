"""Maps inside the regions: mean moisture, Sen slopes with stippling, and percent changes.

Every panel is laid out in inches, so that a degree of latitude and of longitude keep their true
proportion at the region's middle latitude; cells outside all regions stay white.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from soilfuse.grids.grid import cell_bounds
from soilfuse.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

MARGIN = 0.3  # degrees around the regions
LEFT, RIGHT, TOP, FOOT = 0.85, 0.2, 0.34, 0.3  # inches
COLUMN_GAP, ROW_GAP, TITLE_GAP = 0.2, 0.12, 0.36
BAR = 0.75  # inches below the maps that a colour bar with its label takes
HIGHEST = 6.0  # inches of a map, however narrow its regions
TICK_STEPS = (0.1, 0.2, 0.5, 1, 2, 4, 10, 20, 30, 60)  # degrees
STIPPLE_STEP = 0.25  # degrees between two dots at least


@dataclass(frozen=True)
class Panel:
    """One map: values (H, W) in the scale's unit, dots (H, W) where significant, its titles."""

    values: np.ndarray
    scale: style.Scale
    title: str = ""
    row: str = ""
    dots: np.ndarray | None = None
    named: bool = False  # write the regions' names into the map


@dataclass(frozen=True)
class Place:
    """Where the maps lie: cell centres, the cells (H, W) inside, the outlines of the regions."""

    lat: np.ndarray
    lon: np.ndarray
    inside: np.ndarray
    outlines: Mapping[str, shapely.Geometry]

    @property
    def frame(self) -> shapely.Geometry:
        """The grid, to its outermost edges."""
        x, y = cell_bounds(self.lon), cell_bounds(self.lat)
        return shapely.box(x[0, 0], y[0, 0], x[-1, 1], y[-1, 1])

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, east, south and north of the drawn window in degrees."""
        rows, columns = np.nonzero(self.inside)
        cells = shapely.MultiPoint(np.stack([self.lon[columns], self.lat[rows]], axis=1))
        seen = [shapely.clip_by_rect(line, *self.frame.bounds) for line in self.outlines.values()]
        west, south, east, north = shapely.total_bounds([cells, *seen])
        return west - MARGIN, east + MARGIN, south - MARGIN, north + MARGIN

    @property
    def aspect(self) -> float:
        """Height of a degree of latitude over the width of a degree of longitude."""
        _, _, south, north = self.extent
        return float(1 / np.cos(np.deg2rad((south + north) / 2)))


def map_grid(place: Place, panels: Sequence[Sequence[Panel | None]]) -> "Figure":
    """Draw rows of maps with a colour bar below each column, or one where all scales agree.

    None leaves a place empty; the first row has none.
    """
    rows, columns = len(panels), len(panels[0])
    west, east, south, north = place.extent
    width = min(5.4, (style.PAGE_WIDTH - LEFT - RIGHT - COLUMN_GAP * (columns - 1)) / columns)
    height = width * place.aspect * (north - south) / (east - west)
    if height > HIGHEST:
        width, height = width * HIGHEST / height, HIGHEST
    lower = [panel for line in panels[1:] for panel in line if panel]
    gap = TITLE_GAP if any(panel.title for panel in lower) else ROW_GAP
    foot = FOOT + BAR
    figure = style.new_figure(
        LEFT + columns * width + (columns - 1) * COLUMN_GAP + RIGHT,
        TOP + rows * height + (rows - 1) * gap + foot,
    )
    images = []
    for i, line in enumerate(panels):
        bottom = foot + (rows - 1 - i) * (height + gap)
        for j, panel in enumerate(line):
            if panel is None:
                continue
            lowest = i == rows - 1 or panels[i + 1][j] is None
            left = LEFT + j * (width + COLUMN_GAP)
            axes = figure.add_axes(_share(figure, left, bottom, width, height))
            images.append(draw_map(axes, place, panel))
            _label_axes(axes, first_column=j == 0, last_row=lowest)
            axes.set_title(panel.title, fontweight="bold", pad=4)
        if line[0] and line[0].row:
            _row_title(figure, line[0].row, bottom + height / 2)
    _colour_bars(figure, [panel.scale for panel in panels[0] if panel], images, width)
    return figure


def _colour_bars(
    figure: "Figure", scales: "list[style.Scale]", images: "list[Any]", width: float
) -> None:
    total = len(scales) * (width + COLUMN_GAP) - COLUMN_GAP
    if len(set(scales)) == 1:
        boxes = [(LEFT + (total - min(total, 5.5)) / 2, min(total, 5.5))]
    else:
        boxes = [(LEFT + j * (width + COLUMN_GAP), width) for j in range(len(scales))]
    for (left, across), scale, image in zip(boxes, scales, images, strict=False):
        box = (left + 0.06 * across, FOOT + 0.34, 0.88 * across, 0.11)
        bar = figure.colorbar(
            image, cax=figure.add_axes(_share(figure, *box)), orientation="horizontal"
        )
        bar.set_ticks(list(scale.ticks), labels=[f"{x:g}".replace("-", "−") for x in scale.ticks])
        bar.ax.tick_params(labelsize=7.5, length=2)
        bar.set_label(scale.label, fontsize=8, labelpad=2)


def _share(
    figure: "Figure", left: float, bottom: float, width: float, height: float
) -> tuple[float, float, float, float]:
    across, up = figure.get_size_inches()
    return left / across, bottom / up, width / across, height / up


def _row_title(figure: "Figure", title: str, middle: float) -> None:
    across, up = figure.get_size_inches()
    figure.text(
        0.17 / across, middle / up, title, rotation=90, ha="center", va="center", fontweight="bold"
    )


def draw_map(axes: "Axes", place: Place, panel: Panel) -> "QuadMesh":
    """Draw one masked map with stippling and the regions' outlines; return the coloured mesh."""
    colour_map, norm = panel.scale.colouring()
    shown = np.ma.masked_where(~place.inside | ~np.isfinite(panel.values), panel.values)
    x = np.append(cell_bounds(place.lon)[:, 0], cell_bounds(place.lon)[-1, 1])
    y = np.append(cell_bounds(place.lat)[:, 0], cell_bounds(place.lat)[-1, 1])
    image = axes.pcolormesh(x, y, shown, cmap=colour_map, norm=norm, rasterized=True)
    if panel.dots is not None:
        _stipple(axes, place, panel.dots & ~np.ma.getmaskarray(shown))
    for ring in shapely.get_rings(list(place.outlines.values())):
        axes.plot(*shapely.get_coordinates(ring).T, color=style.INK, linewidth=0.8)
    if panel.named:
        _name_regions(axes, place)
    west, east, south, north = place.extent
    axes.set(xlim=(west, east), ylim=(south, north), aspect=place.aspect)
    return image


def _name_regions(axes: "Axes", place: Place) -> None:
    from matplotlib.patheffects import withStroke

    for region, outline in place.outlines.items():
        seen = outline if place.frame.covers(outline) else outline.intersection(place.frame)
        middle, name = seen.representative_point(), region.replace("_", " ")
        name = name[0].upper() + name[1:]
        text = axes.text(middle.x, middle.y, name, fontsize=7, ha="center", va="center")
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])


def _stipple(axes: "Axes", place: Place, dots: np.ndarray) -> None:
    step = max(1, round(STIPPLE_STEP / float(place.lon[1] - place.lon[0])))
    thinned = np.zeros_like(dots)
    thinned[::step, ::step] = dots[::step, ::step]
    rows, columns = np.nonzero(thinned)
    axes.scatter(place.lon[columns], place.lat[rows], s=1.1, color="black", linewidths=0)


def _label_axes(axes: "Axes", first_column: bool, last_row: bool) -> None:
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    xs, ys = _ticks(west, east), _ticks(south, north)
    axes.set_xticks(xs, [_degrees((x + 180) % 360 - 180, "EW") for x in xs] if last_row else [])
    axes.set_yticks(ys, [_degrees(y, "NS") for y in ys] if first_column else [])
    axes.tick_params(length=2.5, labelsize=7.5, bottom=last_row, left=first_column)
    for side in axes.spines.values():
        side.set_visible(True)
        side.set_color(style.PALE)


def _ticks(start: float, stop: float) -> np.ndarray:
    """Return round degrees within a span, a handful."""
    step = next((step for step in TICK_STEPS if step >= (stop - start) / 5), TICK_STEPS[-1])
    return np.arange(np.ceil(start / step) * step, stop, step)


def _degrees(value: float, sides: str) -> str:
    return f"{abs(value):g}°{sides[0] if value >= 0 else sides[1]}"
