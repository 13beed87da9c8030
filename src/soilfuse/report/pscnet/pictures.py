"""The figures: density and maps as the paper's 4 and 5, one rain, and a cell's series."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.evaluation.pscnet.outputs import Evaluation
from soilfuse.evaluation.pscnet.scored import TRUTH
from soilfuse.evaluation.pscnet.yardsticks import CLIMATOLOGY
from soilfuse.grids.blocks import spread_over
from soilfuse.report import labels, style
from soilfuse.report.density_figure import FAINTEST, classes_of, reach_of
from soilfuse.report.maps import Panel, Place, draw_map, map_grid
from soilfuse.report.pscnet import looks

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 5  # density panels a row
MAP_COLUMNS = 4  # of an event
# Inches of the maps of scores: map, column with its histogram, gaps.
LEFT, ACROSS, COLUMN, ROW_GAP, HEAD, FOOT = 0.5, 2.25, 3.62, 0.24, 0.34, 0.95


class Window(Place):
    """A rectangle of cells without outlines, drawn to its edges."""

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, east, south and north of the outermost cells in degrees."""
        west, south, east, north = self.frame.bounds
        return west, east, south, north


def place_of(lat: np.ndarray, lon: np.ndarray) -> Place:
    """Return the rectangle of these cells."""
    return Window(lat, lon, np.ones((lat.size, lon.size), dtype=bool), {})


def density_figure(found: Evaluation, period: str) -> "Figure":
    """Draw a panel a method: how often SMAP and its coarse means meet, as figure 4."""
    from matplotlib.colors import LogNorm

    density, scores = found.tables["density"], found.tables["scores"]
    methods = list(dict.fromkeys(density["method"]))
    lines = -(-len(methods) // COLUMNS)
    height = 2.45 * lines + 0.55
    figure = style.new_figure(style.PAGE_WIDTH, height)
    axes = figure.subplots(lines, COLUMNS, squeeze=False, sharex=True, sharey=True)
    figure.subplots_adjust(0.055, 0.75 / height, 0.925, 1 - 0.3 / height, 0.08, 0.2)
    reach, top = reach_of(density), density["share"].max()
    norm = LogNorm(FAINTEST * top, top)
    for axis, method in zip(axes.flat, methods, strict=False):
        classes = classes_of(density[density["method"] == method])
        image = axis.pcolormesh(*classes, norm=norm, cmap="viridis_r", rasterized=True)
        axis.plot(reach, reach, "--", color="#c0392b", linewidth=1.0)
        axis.set(xlim=reach, ylim=reach, aspect="equal")
        axis.set_title(looks.title(method), fontweight="bold")
        _print(axis, scores, method, period)
    for axis in axes.flat[len(methods) :]:
        axis.axis("off")
    for axis in axes[-1]:
        axis.set_xlabel(f"SMAP ({labels.UNIT})")
    for axis in axes[:, 0]:
        axis.set_ylabel(f"method ({labels.UNIT})")
    bar = figure.colorbar(
        image, cax=figure.add_axes((0.94, 0.9 / height, 0.01, 1 - 1.3 / height)), extend="min"
    )
    bar.set_label("share of pairs", fontsize=8)
    return figure


def _print(axis: "Axes", scores: "pd.DataFrame", method: str, period: str) -> None:
    chosen = scores[
        (scores["method"] == method)
        & (scores["period"] == period)
        & (scores["target"] == looks.SMAP)
    ].iloc[0]
    lines = [f"R {labels.plain(chosen['pooled_r'])}", f"RMSE {labels.plain(chosen['pooled_rmse'])}"]
    axis.text(0.04, 0.97, "\n".join(lines), transform=axis.transAxes, va="top", fontsize=7.5)


def pixel_figure(found: Evaluation, target: str, period: str, methods: Sequence[str]) -> "Figure":
    """Draw maps of R, bias and ubRMSE, a row a method, each with its histogram, as figure 5."""
    pixels = found.maps["pixels"].sel({"period": period})
    lat, lon = ("coarse_lat", "coarse_lon") if target == looks.SMAP else ("lat", "lon")
    place = place_of(pixels[lat].values, pixels[lon].values)
    west, east, south, north = place.extent
    up = ACROSS * place.aspect * (north - south) / (east - west)
    height = HEAD + (up + ROW_GAP) * len(methods) + FOOT
    figure = style.new_figure(style.PAGE_WIDTH, height)
    for i, method in enumerate(methods):
        bottom = FOOT + (up + ROW_GAP) * (len(methods) - 1 - i)
        title = figure.text(0.017, (bottom + up / 2) / height, looks.title(method), rotation=90)
        title.set(va="center", ha="center", fontweight="bold")
        for j, (metric, scale) in enumerate(looks.METRIC_SCALES.items()):
            left = LEFT + j * COLUMN
            values = pixels[f"{target}_{metric}"].sel({f"{target}_method": method}).values
            axis = figure.add_axes(_share(figure, left, bottom, ACROSS, up))
            image = draw_map(axis, place, Panel(values, scale))
            axis.set(xticks=[], yticks=[])
            for side in axis.spines.values():
                side.set(visible=True, color=style.PALE)
            _histogram(figure, values, scale, (left + ACROSS + 0.12, bottom, 0.75, up))
            if i == 0:
                axis.set_title(scale.label, fontweight="bold", pad=4)
            if i == len(methods) - 1:
                cax = figure.add_axes(_share(figure, left + 0.1, 0.62, ACROSS - 0.2, 0.1))
                bar = figure.colorbar(image, cax=cax, orientation="horizontal")
                bar.set_ticks(list(scale.ticks))
                bar.ax.tick_params(labelsize=7.5, length=2)
                bar.set_label(scale.label, fontsize=8, labelpad=2)
    return figure


def _share(
    figure: "Figure", left: float, bottom: float, width: float, height: float
) -> tuple[float, float, float, float]:
    across, up = figure.get_size_inches()
    return left / across, bottom / up, width / across, height / up


def _histogram(
    figure: "Figure",
    values: np.ndarray,
    scale: style.Scale,
    inches: tuple[float, float, float, float],
) -> None:
    """Draw the shares of pixels by class of the scale, those beyond it in the end classes."""
    axis = figure.add_axes(_share(figure, *inches))
    known = values[np.isfinite(values)]
    levels = np.array(scale.levels)
    colours, norm = scale.colouring()
    middles = (levels[1:] + levels[:-1]) / 2
    counts, _ = np.histogram(known.clip(levels[0], levels[-1]), levels)
    axis.barh(middles, counts, np.diff(levels) * 0.9, color=colours(norm(middles)))
    axis.set_ylim(levels[0], levels[-1])
    axis.yaxis.tick_right()
    axis.set_yticks(list(scale.ticks), [labels.plain(tick, 2) for tick in scale.ticks])
    axis.tick_params(labelsize=6.5, length=0, pad=3)  # a mark would look like a minus
    axis.set_xticks([])
    if known.size:
        axis.set_title(f"mean {labels.plain(float(known.mean()))}", fontsize=7, pad=2)


def event_figure(found: Evaluation) -> "Figure":
    """Draw rain, SMAP, the truth and everyone's moisture at the event's step."""
    event = found.maps["event"]
    block = event.sizes["lat"] // event.sizes["coarse_lat"]
    shown = [Panel(spread_over(event["smap"].values, block), looks.MOISTURE_SCALE, "SMAP")]
    shown += [
        Panel(_moisture(event, method)[1], looks.MOISTURE_SCALE, looks.title(method))
        for method in _with_truth_first(event["method"].values)
    ]
    return _panels(place_of(event["lat"].values, event["lon"].values), shown)


def change_figure(found: Evaluation) -> "Figure":
    """Draw the day's rain and the change of moisture that everyone saw in it."""
    event = found.maps["event"]
    shown = []
    for method in _with_truth_first(event["method"].values):
        before, after = _moisture(event, method)
        if method != CLIMATOLOGY:
            shown.append(Panel(after - before, looks.CHANGE_SCALE, looks.title(method)))
    return _panels(place_of(event["lat"].values, event["lon"].values), shown)


def _moisture(event: "xr.Dataset", method: str) -> np.ndarray:
    return np.asarray(event[names.SOIL_MOISTURE].sel({"method": method}).values)


def _with_truth_first(methods: Iterable[object]) -> list[str]:
    listed = [str(method) for method in methods]
    return sorted(listed, key=lambda name: name != TRUTH)


def _panels(place: Place, shown: list[Panel]) -> "Figure":
    blank = Panel(np.full(place.inside.shape, np.nan), shown[0].scale)
    padded = shown + [blank] * (-len(shown) % MAP_COLUMNS)
    lines = [padded[i : i + MAP_COLUMNS] for i in range(0, len(padded), MAP_COLUMNS)]
    figure = map_grid(place, lines)
    for axis, panel in zip(figure.axes, padded, strict=False):
        if panel is blank:
            axis.set_visible(False)
    return figure


def series_figure(found: Evaluation) -> "Figure":
    """Draw the event's coarse cell, ten days of it: SMAP, truth, methods, and the rain."""
    series = found.tables["series"]
    time = np.array(series["time"], dtype="datetime64[h]")
    methods = [name for name in looks.COLOURS if name in series and name not in looks.YARDSTICKS]
    figure = style.new_figure(style.PAGE_WIDTH, 3.6)
    axis = figure.add_axes((0.055, 0.26, 0.885, 0.68))
    rain = axis.twinx()
    rain.bar(time, series["rain"], 0.11, color="#a9c8de", zorder=0)
    rain.set_ylim(3 * max(float(series["rain"].max()), 1e-6), 0)
    rain.set_ylabel("rain (mm in a step)")
    rain.spines["right"].set_visible(True)
    for name in methods:
        axis.plot(
            time,
            series[name],
            color=looks.COLOURS[name],
            label=looks.title(name),
            linewidth=2.2 if name in (TRUTH, looks.PSCNET) else 1.2,
        )
    axis.plot(time, series["smap"], "o", color="#d1495b", markersize=5, label="SMAP")
    axis.set_ylabel(labels.UNIT)
    axis.grid(axis="y")
    axis.margins(x=0.01)
    axis.set_zorder(rain.get_zorder() + 1)
    axis.patch.set_visible(False)
    figure.legend(
        *axis.get_legend_handles_labels(), loc="lower center", ncols=8, bbox_to_anchor=(0.5, 0.05)
    )
    return figure
