"""Standardised Taylor diagrams, many small ones to a figure (figures 7 to 10)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from soilfuse.report import style
from soilfuse.report.cmip6 import looks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST, MOST = 1.5, 4.0  # standard deviations, over the reference's, that a panel reaches
RAYS = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9, 0.99)
WIDTH, LEGEND, TOP = 11.4, 1.15, 0.4  # inches; of the legend below, of a title above
HALF, QUARTER, GAP = 1.45, 2.25, 0.5  # inches of half and quarter discs, four a row; between rows


def taylor_grid(
    panels: Mapping[str, "pd.DataFrame"], columns: int, numbers: Mapping[str, int]
) -> "Figure":
    """Draw one diagram a title; numbers: what stands for each model.

    Rows need source, kind, group, r and sd_ratio. Points beyond a panel's reach lie on its rim.
    """
    rows = -(-len(panels) // columns)
    half = any((table["r"] < 0).any() for table in panels.values())
    side = GAP + (HALF if half else QUARTER) * 4 / columns
    height = rows * side + LEGEND + TOP
    figure = style.new_figure(WIDTH, height)
    axes = figure.subplots(rows, columns, squeeze=False)
    gap = GAP / (side - GAP)
    figure.subplots_adjust(0.03, LEGEND / height, 0.97, 1 - TOP / height, 0.12, gap)
    for place, (heading, table) in zip(axes.flat, panels.items(), strict=False):
        taylor_panel(place, table, numbers, half)
        place.set_title(heading, fontsize=8.5, fontweight="bold", pad=9, loc="center")
    for place in axes.flat[len(panels) :]:
        place.axis("off")
    _legend(figure, list(panels.values()), numbers)
    return figure


def taylor_panel(
    axes: "Axes", table: "pd.DataFrame", numbers: Mapping[str, int], half: bool
) -> float:
    """Draw one diagram: angle is the correlation, radius the standardised deviation.

    half: a half disc, which negative correlations need. Returns the radius of the rim.
    """
    shown = table[np.isfinite(table["r"]) & np.isfinite(table["sd_ratio"])]
    largest = float(shown["sd_ratio"].max()) if len(shown) else 1.0
    reach = float(np.clip(1.1 * largest, LEAST, MOST))
    _frame(axes, reach, half)
    for row in shown.itertuples():
        radius = min(row.sd_ratio, reach)
        x, y = radius * row.r, radius * np.sqrt(1 - row.r**2)
        if row.kind == "model":
            colour = "#b5527a" if row.group == "high" else "#4f7fa5"
            axes.plot(x, y, "o", color=colour, markersize=7.5, alpha=0.35, markeredgewidth=0)
            text = str(numbers[row.source])
            axes.text(x, y, text, fontsize=5.6, ha="center", va="center_baseline")
        else:
            colour, marker = looks.COLOURS[row.source], looks.MARKERS[row.kind]
            axes.plot(x, y, marker, color=colour, markersize=4.8, zorder=4)
    axes.plot(1, 0, "*", color=style.INK, markersize=9, clip_on=False, zorder=5)
    return reach


def _frame(axes: "Axes", reach: float, half: bool) -> None:
    axes.set_aspect("equal")
    axes.set(xlim=(-1.1 * reach if half else -0.08 * reach, 1.12 * reach), ylim=(0, 1.1 * reach))
    for side in axes.spines.values():
        side.set_visible(False)
    angles = np.linspace(0, np.pi if half else np.pi / 2, 121)
    x, y = np.cos(angles), np.sin(angles)
    axes.plot(reach * x, reach * y, color=style.INK, linewidth=0.7)
    axes.plot([-reach if half else 0, reach], [0, 0], color=style.INK, linewidth=0.7, clip_on=False)
    axes.plot(x, y, "--", color=style.INK, linewidth=0.7)
    for r in RAYS:
        if r < 0 and not half:
            continue
        up = np.sqrt(1 - r**2)
        axes.plot([0, reach * r], [0, reach * up], color="#e4e8eb", linewidth=0.6, zorder=0)
        where = "center" if abs(r) < 0.2 else "left" if r > 0 else "right"
        written = f"{r:g}".replace("-", "−")
        axes.text(1.03 * reach * r, 1.03 * reach * up, written, fontsize=6, ha=where)
    turn = np.linspace(0, np.pi, 121)
    step = 0.5 if reach < 2.5 else 1.0
    for radius in np.arange(1, 5) * step:
        across, up = 1 + radius * np.cos(turn), radius * np.sin(turn)
        inside = (np.hypot(across, up) < reach) & (half | (across > 0))
        axes.plot(np.where(inside, across, np.nan), up, ":", color="#4f8f7f", linewidth=0.7)
    ticks = np.arange(step, reach, step)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.tick_params(length=2, labelsize=6, pad=1)
    axes.set_yticks([])


def _legend(figure: "Figure", tables: "Sequence[pd.DataFrame]", numbers: Mapping[str, int]) -> None:
    """Write below the panels which number and which mark is whose."""
    from matplotlib.lines import Line2D

    others: dict[str, str] = {}
    groups: dict[str, str] = {}
    for table in tables:
        rest = table[table["kind"] != "model"]
        others |= dict(zip(rest["source"], rest["kind"], strict=True))
        models = table[table["kind"] == "model"]
        groups |= dict(zip(models["source"], models["group"], strict=True))
    marks = [Line2D([], [], marker="*", color=style.INK, linestyle="", label="Reference")]
    marks += [
        Line2D(
            [],
            [],
            marker=looks.MARKERS[kind],
            color=looks.COLOURS[name],
            linestyle="",
            markersize=4.8,
            label=looks.title(name),
        )
        for name, kind in others.items()
    ]
    marks += [
        Line2D(
            [],
            [],
            marker="o",
            color="#b5527a" if group == "high" else "#4f7fa5",
            alpha=0.6,
            linestyle="",
            label=f"{numbers[name]}  {name}",
        )
        for name, group in sorted(groups.items(), key=lambda pair: numbers[pair[0]])
    ]
    columns = max(3, round(figure.get_size_inches()[0] / 1.9))
    figure.legend(
        handles=marks,
        loc="lower center",
        ncols=columns,
        fontsize=6.8,
        handletextpad=0.2,
        labelspacing=0.3,
        columnspacing=1.0,
        bbox_to_anchor=(0.5, 0.14 / figure.get_size_inches()[1]),
    )
