"""Figures of what scores are made of: parts of R, reliability of intervals, power by wavelength."""

from typing import TYPE_CHECKING

import numpy as np

from soilfuse.names import TARGET
from soilfuse.report import labels, style
from soilfuse.report.evaluation_figures import methods_of
from soilfuse.report.records import pick, value_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PART_TITLES = {
    "pooled": "pooled",
    "spatial": "in space",
    "temporal": "in time",
    "seasonal": "seasons",
    "interannual": "between years",
    "anomaly": "anomalies",
}
INTERVAL_TITLES = {"spread": "from the networks' spread", "residuals": "from out-of-fold errors"}


def ends_of(table: "pd.DataFrame") -> list[int]:
    """Return the uppermost and the deepest layer of a table, once where they are one."""
    layers = sorted(int(layer) for layer in table["layer"].unique() if layer > 0)
    return list(dict.fromkeys([layers[0], layers[-1]]))


def _panels(number: int, height: float) -> "tuple[Figure, list[Axes]]":
    figure = style.new_figure(style.PAGE_WIDTH, height)
    grid = figure.add_gridspec(1, number, left=0.06, right=0.99, top=0.76, bottom=0.17, wspace=0.16)
    return figure, [figure.add_subplot(grid[0, place]) for place in range(number)]


def _named(figure: "Figure", axes: "Axes") -> None:
    handles, titles = axes.get_legend_handles_labels()
    figure.legend(handles, titles, loc="upper left", bbox_to_anchor=(0.05, 1.0), ncols=6)


def part_dots(parts: "pd.DataFrame") -> "Figure":
    """Draw every part of R of every method, uppermost and deepest layer; one block and region."""
    layers, methods = ends_of(parts), methods_of(parts)
    figure, panels = _panels(len(layers), 3.4)
    for axes, layer in zip(panels, layers, strict=True):
        for i, method in enumerate(methods):
            values = [
                value_of(parts, "value", method=method, layer=layer, part=part)
                for part in PART_TITLES
            ]
            axes.plot(
                np.arange(len(values)) + (i - (len(methods) - 1) / 2) * 0.09,
                values,
                "o",
                markersize=5,
                clip_on=False,
                zorder=3,
                color=style.method_colour(method),
                label=labels.method_title(method),
            )
        axes.axhline(0, color=style.INK, linewidth=0.8)
        axes.set_xticks(range(len(PART_TITLES)), list(PART_TITLES.values()))
        axes.set_ylim(top=1.02)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.set_title(labels.layer_title(layer), fontweight="bold")
    panels[0].set_ylabel("correlation R")
    _named(figure, panels[0])
    return figure


def reliability(spread: "pd.DataFrame") -> "Figure":
    """Draw how often intervals hold the observed value against how often they should.

    spread: rows of one method, block and region; a panel for each kind of interval.
    """
    kinds = [kind for kind in INTERVAL_TITLES if kind in set(spread["interval"])]
    layers = sorted(int(layer) for layer in spread["layer"].unique() if layer > 0)
    figure, panels = _panels(len(kinds), 3.6)
    for axes, kind in zip(panels, kinds, strict=True):
        axes.plot([0, 100], [0, 100], "--", color=style.INK, linewidth=0.8)
        for layer in layers:
            own = pick(spread, interval=kind, layer=layer).sort_values("level")
            axes.plot(
                100 * own["level"],
                100 * own["coverage"],
                "o-",
                markersize=3.5,
                linewidth=1.2,
                color=style.LAYER_COLOURS[layer - 1],
                label=labels.layer_title(layer),
            )
        axes.set(xlim=(0, 100), ylim=(0, 100))
        axes.set_xlabel("values that the interval should hold (%)")
        axes.grid()
        axes.set_title(f"Intervals {INTERVAL_TITLES[kind]}", fontweight="bold")
    panels[0].set_ylabel("values that it holds (%)")
    _named(figure, panels[0])
    return figure


def spectrum_lines(spectrum: "pd.DataFrame") -> "Figure":
    """Draw each method's power over the target's by wavelength; rows of one block."""
    shown = spectrum[spectrum["method"] != TARGET]
    layers, methods = ends_of(shown), methods_of(shown)
    figure, panels = _panels(len(layers), 3.6)
    for axes, layer in zip(panels, layers, strict=True):
        for i, method in enumerate(methods):
            own = pick(shown, method=method, layer=layer).sort_values("wavelength_km")
            axes.plot(
                own["wavelength_km"],
                own["ratio"],
                ".-",
                linewidth=1.2,
                zorder=3 - i / len(methods),  # the first, the ensemble, on top
                color=style.method_colour(method),
                label=labels.method_title(method),
            )
        axes.axhline(1, color=style.INK, linewidth=0.8, linestyle="--")
        axes.set(xscale="log", ylim=(0, None))
        ticks = [50, 100, 200, 500, 1000, 2000]
        low, high = shown["wavelength_km"].min() * 0.95, shown["wavelength_km"].max() * 1.05
        axes.set_xticks([t for t in ticks if low < t < high], minor=False)
        axes.set_xticklabels([str(t) for t in ticks if low < t < high])
        axes.minorticks_off()
        axes.set_xlim(low, high)
        axes.set_xlabel("wavelength (km)")
        axes.grid()
        axes.set_title(labels.layer_title(layer), fontweight="bold")
    panels[0].set_ylabel("power over the target's")
    _named(figure, panels[0])
    return figure
