"""Figures of the evaluation: scores beside the baselines, errors of the future."""

from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.report import labels, style
from soilfuse.report.records import pick, value_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


PERCENT = "change_percent"  # tells the same as the change in m3 m-3 does


def methods_of(table: "pd.DataFrame", column: str = "method") -> list[str]:
    """Return the methods of a table, the network's first, then the baselines in their order."""
    found = list(dict.fromkeys(table[column].astype(str)))
    baselines = [name for name in names.BASELINES if name in found]
    return [name for name in found if name not in baselines] + baselines


def _grouped(axes: "Axes", table: dict[str, list[float]], ticks: list[str]) -> None:
    width = 0.84 / max(len(table), 1)
    for i, (method, heights) in enumerate(table.items()):
        axes.bar(
            np.arange(len(heights)) + (i - (len(table) - 1) / 2) * width,
            heights,
            width * 0.92,
            color=style.method_colour(method),
            label=labels.method_title(method),
        )
    axes.set_xticks(range(len(ticks)), ticks)
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def score_bars(scores: "pd.DataFrame", intervals: "pd.DataFrame | None", metric: str) -> "Figure":
    """Draw a metric by layer and method and, beside it, the differences with their intervals.

    scores: rows of one block, season and region; intervals: ensemble minus baseline.
    """
    layers = sorted(int(layer) for layer in scores["layer"].unique() if layer > 0)
    figure = style.new_figure(style.PAGE_WIDTH, 3.5)
    grid = figure.add_gridspec(1, 2, left=0.06, right=0.99, top=0.80, bottom=0.17, wspace=0.2)
    left = figure.add_subplot(grid[0, 0])
    rows = pick(scores, metric=metric)
    table = {
        method: [value_of(rows, "value", method=method, layer=layer) for layer in layers]
        for method in methods_of(rows)
    }
    ticks = [labels.layer_title(layer) for layer in layers]
    _grouped(left, table, ticks)
    left.set_ylabel(f"{metric.upper()} ({labels.UNIT})")
    left.set_title("Error by layer", fontweight="bold")
    handles, titles = left.get_legend_handles_labels()
    figure.legend(handles, titles, loc="upper left", bbox_to_anchor=(0.05, 1.0), ncols=6)
    right = figure.add_subplot(grid[0, 1])
    _differences(right, intervals, metric, list(table), ticks)
    return figure


def _differences(
    axes: "Axes",
    intervals: "pd.DataFrame | None",
    metric: str,
    methods: list[str],
    ticks: list[str],
) -> None:
    axes.set_title("Ensemble minus baseline (below 0: the ensemble is better)", fontweight="bold")
    rows = pick(intervals, metric=metric) if intervals is not None else None
    if rows is None or not len(rows):
        axes.text(0.5, 0.5, "no intervals were computed", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    shown = [method for method in methods if method in set(rows["method"])]
    for i, method in enumerate(shown):
        own = pick(rows, method=method).sort_values("layer")
        middle = own["difference"].to_numpy(dtype=float)
        spread = np.stack([middle - own["low"].to_numpy(), own["high"].to_numpy() - middle])
        axes.errorbar(
            own["layer"].to_numpy() - 1 + (i - (len(shown) - 1) / 2) * 0.14,
            middle,
            np.clip(spread, 0, None),
            fmt="o",
            markersize=3.5,
            capsize=2,
            color=style.method_colour(method),
        )
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_ylabel(f"difference in {metric.upper()} ({labels.UNIT})")
    axes.grid(axis="y")


def future_bars(future: "pd.DataFrame") -> "Figure":
    """Draw the errors of projected changes and trends by method; dots are single scenarios."""
    quantities = [
        quantity
        for quantity in dict.fromkeys(future["quantity"])
        if not quantity.startswith(PERCENT)
    ]
    layers = sorted(int(layer) for layer in future["layer"].unique() if layer > 0)
    methods = methods_of(future)
    figure = style.new_figure(style.PAGE_WIDTH, 3.4)
    grid = figure.add_gridspec(
        1, len(quantities), left=0.06, right=0.99, top=0.79, bottom=0.17, wspace=0.2
    )
    width = 0.84 / len(methods)
    for column, quantity in enumerate(quantities):
        axes = figure.add_subplot(grid[0, column])
        rows = pick(future, quantity=quantity)
        scale, unit = (
            (labels.RATE_SCALE, labels.RATE_UNIT) if "slope" in quantity else (1.0, labels.UNIT)
        )
        parts = {
            method: [pick(rows, method=method, layer=layer)["rmse"] * scale for layer in layers]
            for method in methods
        }
        means = {method: [float(part.mean()) for part in own] for method, own in parts.items()}
        _grouped(axes, means, [labels.layer_title(layer) for layer in layers])
        for i, own in enumerate(parts.values()):
            for j, part in enumerate(own):
                middle = j + (i - (len(methods) - 1) / 2) * width
                axes.plot(np.full(len(part), middle), part, ".", color=style.INK, markersize=2.5)
        axes.set_title(quantity_title(quantity), fontweight="bold")
        axes.set_ylabel(f"RMSE ({unit})")
        if column == 0:
            handles, titles = axes.get_legend_handles_labels()
            figure.legend(handles, titles, loc="upper left", bbox_to_anchor=(0.05, 1.0), ncols=6)
    return figure


def quantity_title(quantity: str) -> str:
    """Return what a column of future errors is about, in words."""
    if quantity.startswith("change_"):
        years = quantity.removeprefix("change_").replace("_", "-")
        return f"Change by {labels.years_title(years)}"
    return {"sens_slope": "Sen slope over the whole scenario"}.get(quantity, quantity)
