"""The figure of docs/calibration.md: published numbers as rings and bars, worlds as dots."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from soilfuse import names
from soilfuse.files import written_aside
from soilfuse.report import style
from soilfuse.world import published as record

SEASONS = tuple(names.SEASONS)
SSP_COLOURS = [style.EXPERIMENT_COLOURS[ssp] for ssp in record.SSPS]
LABELS = {  # alignment and offset in points, where the usual place is taken
    "CNRM-ESM2-1": ("right", (-10, -3)),
    "CanESM5-CanOE": ("left", (22, 5)),
    "MPI-ESM1-2-LR": ("left", (14, 2)),
    "EC-Earth3-Veg-LR": ("right", (-6, -9)),
    "CNRM-CM6-1-HR": ("left", (8, -3)),
    "NorESM2-LM": ("right", (-14, 4)),
    "ACCESS-CM2": ("left", (8, 8)),
    "TaiESM1": ("left", (14, -4)),
}
BAND = "#dfe3e8"
STATION_TITLES = {"amsmqtp": "AMSMQTP", "era5_land": "ERA5-Land"}


@dataclass(frozen=True)
class Compared:
    """A published (or inferred) number and that of each world."""

    name: str
    published: float
    inferred: bool
    worlds: Sequence[float]


Rows = Sequence[Compared]


def write_figure(
    target: Path,
    sd: Rows,
    correlation: Rows,
    slopes: Rows,
    summers: Rows,
    changes: Rows,
    stations: Rows,
) -> None:
    """Write the PNG: models, stations' medians, trends by season and SSP, changes by layer."""
    with style.drawing():
        figure = style.new_figure(style.PAGE_WIDTH, 13.2)
        rows = figure.add_gridspec(
            3,
            1,
            height_ratios=(1.2, 1, 1),
            hspace=0.26,
            left=0.06,
            right=0.985,
            top=0.975,
            bottom=0.03,
        )
        upper = rows[0].subgridspec(1, 2, width_ratios=(2.6, 1), wspace=0.2)
        middle = rows[1].subgridspec(1, 2, width_ratios=(2.6, 1), wspace=0.2)
        _models(figure.add_subplot(upper[0]), sd, correlation)
        _stations(figure.add_subplot(upper[1]), stations)
        _slopes(figure.add_subplot(middle[0]), slopes)
        _summers(figure.add_subplot(middle[1]), summers)
        _changes(figure.add_subplot(rows[2]), changes)
        with written_aside(target) as aside:
            figure.savefig(aside, format="png", dpi=style.DPI, metadata={"Software": None})


def _models(axes: Axes, sd: Rows, correlation: Rows) -> None:
    for high, right in zip(sd, correlation, strict=True):
        x, y = right.published, high.published
        means = [x, np.mean(right.worlds)], [y, np.mean(high.worlds)]
        axes.plot(*means, color=style.PALE, linewidth=1.2, zorder=1)
        axes.plot(right.worlds, high.worlds, ".", color=style.ENSEMBLE_COLOUR, markersize=4)
        axes.plot(x, y, "o", color=style.INK, markerfacecolor="none", markersize=8)
        side, offset = LABELS.get(high.name, ("left", (6, 5)))
        axes.annotate(
            high.name, (x, y), offset, textcoords="offset points", fontsize=7, ha=side, va="center"
        )
    axes.axhline(record.TARGET_SD, color=style.INK, linewidth=0.8, linestyle="--")
    axes.text(0.74, record.TARGET_SD, "the target's", fontsize=7, va="bottom", ha="right")
    axes.set(xlim=(-0.46, 0.75), xlabel="correlation R with the truth, space and time pooled")
    axes.set_ylabel("standard deviation (m³ m⁻³)")
    axes.set_title("Climate models, layer 1, 2000-2014")
    axes.grid()
    ring = Line2D([], [], marker="o", linestyle="", color=style.INK, markerfacecolor="none")
    dot = Line2D([], [], marker=".", linestyle="", color=style.ENSEMBLE_COLOUR)
    axes.legend([ring, dot], ["published", "five worlds"], loc="lower left")


def _stations(axes: Axes, stations: Rows) -> None:
    ticks = []
    for x, row in enumerate(stations):
        product, layer = row.name.split(", ")
        ticks.append(f"{STATION_TITLES[product]}\n{layer}")
        _bar_and_dots(axes, x, row, style.METHOD_COLOURS[product])
    axes.set_xticks(range(len(ticks)), ticks, fontsize=7)
    axes.set(ylim=(0, 1), xlim=(-0.5, len(ticks) - 0.5), ylabel="median R")
    axes.set_title("Correlation with stations")
    axes.grid(axis="y")


def _slopes(axes: Axes, slopes: Rows) -> None:
    for i, row in enumerate(slopes):
        season, ssp = divmod(i, len(SSP_COLOURS))
        _band(axes, 5 * season + ssp, row)
        _bar_and_dots(axes, 5 * season + ssp, row, SSP_COLOURS[ssp])
    axes.axhline(0, color=style.INK, linewidth=0.6)
    axes.set_xticks([5 * i + 1.5 for i in range(len(SEASONS))], SEASONS)
    axes.set_ylabel("Sen slope (10⁻⁴ m³ m⁻³ yr⁻¹)")
    axes.set_title("Trend of layer 1, 2015-2100")
    axes.grid(axis="y")
    handles = [Line2D([], [], marker=".", linestyle="", color=colour) for colour in SSP_COLOURS]
    handles += [Line2D([], [], color=style.INK), Line2D([], [], color=style.INK, linestyle=":")]
    handles.append(Patch(color=BAND))
    titles = [names.EXPERIMENT_TITLES[ssp] for ssp in record.SSPS]
    axes.legend(handles, [*titles, "published", "inferred", "±20 %"], loc="upper left", ncols=2)


def _summers(axes: Axes, summers: Rows) -> None:
    groups = len(record.SUMMER_SLOPES)
    for i, row in enumerate(summers):
        layer, ssp = divmod(i, len(SSP_COLOURS))
        _band(axes, 5 * layer + ssp, row)
        _bar_and_dots(axes, 5 * layer + ssp, row, SSP_COLOURS[ssp])
    axes.set_xticks(
        [5 * i + 1.5 for i in range(groups)], [f"layer {i + 1}" for i in record.SUMMER_SLOPES]
    )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("Sen slope (10⁻⁴ m³ m⁻³ yr⁻¹)")
    axes.set_title("Trend of deep summers")
    axes.grid(axis="y")


def _changes(axes: Axes, changes: Rows) -> None:
    """Draw each season's five layers, with the lowest and the highest SSP of each."""
    for i, row in enumerate(changes):
        number, end = divmod(i, 2)
        season, layer = divmod(number, record.LAYERS)
        x = 13 * season + 2.4 * layer + end
        _band(axes, x, row)
        _bar_and_dots(axes, x, row, style.LAYER_COLOURS[layer])
    axes.set_yscale("log")
    axes.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.minorticks_off()
    axes.set_xticks([13 * i + 5.3 for i in range(len(SEASONS))], SEASONS)
    axes.margins(x=0.01)
    axes.set_ylabel("change (%), logarithmic")
    axes.set_title("Change by 2071-2100 against 1995-2014: lowest and highest SSP of each layer")
    axes.grid(axis="y")
    handles = [Line2D([], [], marker=".", linestyle="", color=c) for c in style.LAYER_COLOURS]
    titles = [f"layer {i + 1}" for i in range(record.LAYERS)]
    axes.legend([*handles, Patch(color=BAND)], [*titles, "±20 %"], loc="lower left", ncols=2)


def _band(axes: Axes, x: float, row: Compared) -> None:
    """Draw what lies within 20 % of a published number."""
    if not row.inferred:
        ends = 0.8 * row.published, 1.2 * row.published
        axes.fill_between([x - 0.42, x + 0.42], *ends, color=BAND, linewidth=0)


def _bar_and_dots(axes: Axes, x: float, row: Compared, colour: str) -> None:
    line = ":" if row.inferred else "-"
    axes.hlines(row.published, x - 0.42, x + 0.42, color=style.INK, linewidth=1.3, linestyle=line)
    # Side by side, so that worlds that agree do not hide one another.
    beside = x + np.linspace(-0.24, 0.24, len(row.worlds))
    axes.plot(beside, row.worlds, ".", color=colour, markersize=4.5)
