"""Figures of the evaluation: scores beside the baselines, Taylor diagram, errors of the future."""

from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.report import labels, style
from soilfuse.report.records import pick, value_of
from soilfuse.report.series import PAGE_WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
            color=style.METHOD_COLOURS[i % len(style.METHOD_COLOURS)],
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
    figure = style.new_figure(PAGE_WIDTH, 3.5)
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
    axes.set_title("Ensemble minus baseline, with 95 % interval", fontweight="bold")
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
            color=style.METHOD_COLOURS[methods.index(method) % len(style.METHOD_COLOURS)],
        )
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_ylabel(f"difference in {metric.upper()} ({labels.UNIT})")
    axes.grid(axis="y")
    axes.text(0.99, 0.02, "below 0: the ensemble is better", ha="right", fontsize=7.5,
              transform=axes.transAxes)


def reference_sd(taylor: "pd.DataFrame") -> float:
    """Return the standard deviation of the target that a Taylor table was made against.

    A row with r = 1 and no difference is the target itself; else it follows from
    crmsd^2 = sd^2 + s^2 - 2 sd s r (Taylor 2001), by least squares over the rows.
    """
    exact = taylor[(taylor["r"] > 1 - 1e-9)]
    if len(exact):
        return float(exact["sd"].iloc[0])
    sd, r = taylor["sd"].to_numpy(dtype=float), taylor["r"].to_numpy(dtype=float)
    crmsd = taylor["crmsd"].to_numpy(dtype=float)
    # s^2 - 2 sd r s = crmsd^2 - sd^2, linear in (s^2, s).
    design = np.stack([np.ones_like(sd), -2 * sd * r], axis=1)
    ok = np.isfinite(design).all(axis=1) & np.isfinite(crmsd)
    answer, *_ = np.linalg.lstsq(design[ok], (crmsd**2 - sd**2)[ok], rcond=None)
    return float(answer[1])


def taylor_diagram(taylor: "pd.DataFrame") -> "Figure":
    """Draw standard deviation (radius) and correlation (angle) of every model and method.

    Circles about the target are the centred root-mean-square difference (Taylor 2001).
    """
    target = reference_sd(taylor)
    rows = taylor[(taylor["r"] <= 1 - 1e-9) & taylor["sd"].notna() & taylor["r"].notna()]
    negative = bool((rows["r"] < 0).any())
    reach = 1.12 * max(float(rows["sd"].max()), target)
    figure = style.new_figure(9.6, 5.0 if negative else 5.6)
    axes = figure.add_axes((0.06, 0.1, 0.62, 0.84))
    _taylor_frame(axes, target, reach, negative)
    models = [name for name in rows["name"] if name in names.CLIMATE_MODELS]
    colours = iter(style.METHOD_COLOURS)
    for row in rows.itertuples():
        x, y = row.sd * row.r, row.sd * np.sqrt(1 - row.r**2)
        if row.name in models:
            number = models.index(row.name) + 1
            axes.plot(x, y, "o", color="#8a9aa5", markersize=11, alpha=0.35)
            axes.text(x, y, str(number), ha="center", va="center", fontsize=7)
            axes.plot([], [], " ", label=f"{number}  {row.name}")
        else:
            axes.plot(
                x, y, "D", color=next(colours, style.INK), markersize=6.5, zorder=4,
                label=labels.method_title(row.name),
            )
    axes.plot(target, 0, "*", color=style.INK, markersize=12, clip_on=False, label="Target", zorder=5)
    axes.legend(loc="center left", bbox_to_anchor=(1.04, 0.5), fontsize=7.5, handlelength=1.2)
    return figure


def _taylor_frame(axes: "Axes", target: float, reach: float, negative: bool) -> None:
    axes.set_aspect("equal")
    axes.set(xlim=(-reach if negative else 0, reach * 1.03), ylim=(0, reach * 1.06))
    for side in axes.spines.values():
        side.set_visible(False)
    angles = np.linspace(0, np.pi if negative else np.pi / 2, 181)
    axes.plot(reach * np.cos(angles), reach * np.sin(angles), color=style.INK, linewidth=0.8)
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.axvline(0, color=style.PALE, linewidth=0.8)
    axes.plot(target * np.cos(angles), target * np.sin(angles), "--", color=style.INK, linewidth=0.8)
    for r in (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.99):
        if r < 0 and not negative:
            continue
        x, y = r, np.sqrt(1 - r**2)
        axes.plot([0, reach * x], [0, reach * y], color="#e4e8eb", linewidth=0.7, zorder=0)
        axes.text(1.03 * reach * x, 1.03 * reach * y, labels.plain(r, 2).rstrip("0").rstrip("."),
                  fontsize=7.5, ha="center" if abs(r) < 0.3 else ("left" if r > 0 else "right"))
    axes.text(0.78 * reach, 0.82 * reach, "correlation R", fontsize=8, rotation=-45, ha="center")
    turn = np.linspace(0, np.pi, 181)
    for radius in np.arange(1, 5) * round(target / 2, 3):
        x, y = target + radius * np.cos(turn), radius * np.sin(turn)
        inside = np.hypot(x, y) < reach
        axes.plot(np.where(inside, x, np.nan), y, ":", color="#4f8f7f", linewidth=0.8)
    axes.set_yticks([])
    axes.set_xlabel(f"standard deviation ({labels.UNIT}); dotted: centred RMS difference")


def future_bars(future: "pd.DataFrame") -> "Figure":
    """Draw the errors of projected changes and trends by method; dots are single scenarios."""
    quantities = list(dict.fromkeys(future["quantity"]))
    layers = sorted(int(layer) for layer in future["layer"].unique() if layer > 0)
    methods = methods_of(future)
    figure = style.new_figure(PAGE_WIDTH, 3.4)
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
