"""The density of predicted against target moisture in every layer (Li et al. 2024, figure 6)."""

from typing import TYPE_CHECKING

import numpy as np

from soilfuse.report import labels, style
from soilfuse.report.records import pick, value_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PRINTED = (("r2", "R²", 3), ("r", "R", 3), ("mae", "MAE", 3), ("rmse", "RMSE", 3))
FAINTEST = 1e-3  # of the densest class of all layers


def density_panels(density: "pd.DataFrame", scores: "pd.DataFrame", method: str) -> "Figure":
    """Draw a panel a layer: shares of pairs by class, the 1:1 line, R², R, MAE and RMSE.

    density: layer, x (target), y (prediction), share; scores: those of the method by layer.
    """
    from matplotlib.colors import LogNorm

    layers = sorted(int(layer) for layer in density["layer"].unique())
    figure = style.new_figure(style.PAGE_WIDTH, 2.9)
    grid = figure.add_gridspec(
        1, len(layers), left=0.055, right=0.925, top=0.9, bottom=0.2, wspace=0.1
    )
    reach = reach_of(density)
    norm = LogNorm(FAINTEST * density["share"].max(), density["share"].max())
    for column, layer in enumerate(layers):
        axes = figure.add_subplot(grid[0, column])
        classes = classes_of(pick(density, layer=layer))
        image = axes.pcolormesh(*classes, norm=norm, cmap="viridis_r", rasterized=True)
        axes.plot(reach, reach, "--", color="#c0392b", linewidth=1.0)
        axes.set(xlim=reach, ylim=reach, aspect="equal", xlabel=f"target ({labels.UNIT})")
        axes.set_title(labels.layer_title(layer), fontweight="bold")
        if column:
            axes.tick_params(labelleft=False)
        else:
            axes.set_ylabel(f"{labels.method_title(method)} ({labels.UNIT})")
        _print(axes, pick(scores, layer=layer, method=method))
    bar = figure.colorbar(image, cax=figure.add_axes((0.94, 0.2, 0.01, 0.7)), extend="min")
    bar.set_label("share of cells and months", fontsize=8)
    return figure


def reach_of(density: "pd.DataFrame") -> tuple[float, float]:
    """Return the ends of all axes: what holds every class but the rarest."""
    common = density[density["share"] > FAINTEST * density["share"].max()]
    low = float(min(common["x"].min(), common["y"].min()))
    high = float(max(common["x"].max(), common["y"].max()))
    return max(0.0, low - 0.02), high + 0.02


def classes_of(rows: "pd.DataFrame") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the (X,) and (Y,) middles of classes, and their (Y, X) shares, NaN where none."""
    middles = np.unique(np.concatenate([rows["x"], rows["y"]]).round(9))
    width = np.diff(middles).min() if middles.size > 1 else 1.0
    count = round((middles[-1] - middles[0]) / width) + 1
    shares = np.full((count, count), np.nan)
    column, row = (
        ((rows[axis].to_numpy() - middles[0]) / width).round().astype(int) for axis in "xy"
    )
    shares[row, column] = rows["share"]
    every = middles[0] + width * np.arange(count)
    return every, every, shares


def _print(axes: "Axes", scores: "pd.DataFrame") -> None:
    lines = [
        f"{title} {labels.plain(value_of(scores, 'value', metric=metric), digits)}"
        for metric, title, digits in PRINTED
    ]
    axes.text(
        0.04, 0.97, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=7.5, zorder=3
    )
