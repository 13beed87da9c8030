"""The Taylor diagram of climate models, baselines and the ensemble against the target."""

from typing import TYPE_CHECKING, Any

import numpy as np

from soilfuse import names
from soilfuse.report import labels, style
from soilfuse.report.records import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEGEND: dict[str, Any] = {"fontsize": 7, "handlelength": 1.2, "labelspacing": 0.35}


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
    figure = style.new_figure(9.6, 4.3 if _negative(taylor) else 5.8)
    axes = figure.add_axes((0.05, 0.14, 0.64, 0.84))
    _diagram(axes, taylor, _models(taylor))
    axes.legend(loc="center left", bbox_to_anchor=(1.04, 0.5), **LEGEND)
    return figure


def taylor_panels(taylor: "pd.DataFrame", layers: "Sequence[int]") -> "Figure":
    """Draw the diagrams of several layers beside each other, two a row, with one legend."""
    height = 3.1 if _negative(taylor) else 4.3
    count = -(-len(layers) // 2)
    figure = style.new_figure(style.PAGE_WIDTH, height * count)
    grid = figure.add_gridspec(
        count, 2, left=0.03, right=0.77, top=1 - 0.25 / (height * count), bottom=0.13 / count
    )
    models = _models(taylor)
    for number, layer in enumerate(layers):
        axes = figure.add_subplot(grid[number // 2, number % 2])
        _diagram(axes, pick(taylor, layer=layer), models)
        axes.set_title(labels.layer_title(layer), fontweight="bold")
    told = {
        title: handle  # a model may be missing in one layer
        for axes in figure.axes
        for handle, title in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(told.values(), told.keys(), loc="center right", **LEGEND)
    return figure


def _models(taylor: "pd.DataFrame") -> list[str]:
    return [name for name in dict.fromkeys(taylor["name"]) if name in names.KNOWN_MODELS]


def _shown(taylor: "pd.DataFrame") -> "pd.DataFrame":
    return taylor[(taylor["r"] <= 1 - 1e-9) & taylor["sd"].notna() & taylor["r"].notna()]


def _negative(taylor: "pd.DataFrame") -> bool:
    return bool((_shown(taylor)["r"] < 0).any())


def _diagram(axes: "Axes", taylor: "pd.DataFrame", models: list[str]) -> None:
    """Draw one layer's rows; a climate model's number is its place in `models`."""
    target, rows = reference_sd(taylor), _shown(taylor)
    reach = 1.12 * max(float(rows["sd"].max()), target)
    _taylor_frame(axes, target, reach, _negative(taylor))
    for row in rows.itertuples():
        x, y = row.sd * row.r, row.sd * np.sqrt(1 - row.r**2)
        if row.name in models:
            number = models.index(row.name) + 1
            axes.plot(x, y, "o", color="#8a9aa5", markersize=11, alpha=0.35)
            axes.text(x, y, str(number), ha="center", va="center", fontsize=7)
            axes.plot([], [], " ", label=f"{number}  {row.name}")
        else:
            axes.plot(
                x,
                y,
                "D",
                color=style.method_colour(row.name),
                markersize=6.5,
                zorder=4 if row.name in names.BASELINES else 5,
                label=labels.method_title(row.name),
            )
    axes.plot(
        target, 0, "*", color=style.INK, markersize=12, clip_on=False, label="Target", zorder=6
    )


def _taylor_frame(axes: "Axes", target: float, reach: float, negative: bool) -> None:
    axes.set_aspect("equal")
    axes.set(xlim=(-reach if negative else 0, reach * 1.03), ylim=(0, reach * 1.06))
    for side in axes.spines.values():
        side.set_visible(False)
    angles = np.linspace(0, np.pi if negative else np.pi / 2, 181)
    axes.plot(reach * np.cos(angles), reach * np.sin(angles), color=style.INK, linewidth=0.8)
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.axvline(0, color=style.PALE, linewidth=0.8)
    axes.plot(
        target * np.cos(angles), target * np.sin(angles), "--", color=style.INK, linewidth=0.8
    )
    for r in (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.99):
        if r < 0 and not negative:
            continue
        x, y = r, np.sqrt(1 - r**2)
        axes.plot([0, reach * x], [0, reach * y], color="#e4e8eb", linewidth=0.7, zorder=0)
        axes.text(
            1.03 * reach * x,
            1.03 * reach * y,
            labels.plain(r, 2).rstrip("0").rstrip("."),
            fontsize=7.5,
            ha="center" if abs(r) < 0.3 else ("left" if r > 0 else "right"),
        )
    axes.text(0.78 * reach, 0.82 * reach, "correlation R", fontsize=8, rotation=-45, ha="center")
    turn = np.linspace(0, np.pi, 181)
    for radius in np.arange(1, 5) * round(target / 2, 3):
        x, y = target + radius * np.cos(turn), radius * np.sin(turn)
        inside = np.hypot(x, y) < reach
        axes.plot(np.where(inside, x, np.nan), y, ":", color="#4f8f7f", linewidth=0.8)
        place = target - radius * 0.5, radius * 0.866
        if np.hypot(*place) < reach:
            axes.text(*place, f"{radius:.2g}", fontsize=6.5, color="#4f8f7f")
    axes.set_yticks([])
    axes.set_xlabel(f"standard deviation ({labels.UNIT}); dotted: centred RMS difference")
