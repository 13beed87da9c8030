"""Taylor's skill score as heat maps, and how often it is good (figures 12 to 14)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from soilfuse.evaluation.cmip6.climatology import REGIONS
from soilfuse.evaluation.cmip6.tables import AGAINST
from soilfuse.report import style
from soilfuse.report.cmip6 import looks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


def score_figure(tss: "pd.DataFrame", depth: str, models: Sequence[str], good: float) -> "Figure":
    """Draw TSS of models (rows) by regions (columns), a panel a reference; `good` ones in bold."""
    height = 0.24 * len(models) + 0.5
    figure = style.new_figure(style.PAGE_WIDTH, len(AGAINST) * height + 1.0)
    axes = figure.subplots(len(AGAINST), 1, squeeze=False)[:, 0]
    total = len(AGAINST) * height + 1.0
    figure.subplots_adjust(0.13, 1.05 / total, 0.99, 1 - 0.3 / total, hspace=0.2)
    for place, reference in zip(axes, AGAINST, strict=True):
        chosen = tss[(tss["variable"] == depth) & (tss["reference"] == reference)]
        values = chosen.set_index("source")[list(REGIONS)].reindex(models).to_numpy(dtype=float)
        image = _heat(place, values, models, good)
        place.set_title(f"against {looks.title(reference)}", fontweight="bold")
    bar = figure.add_axes((0.4, 0.62 / total, 0.35, 0.1 / total))
    figure.colorbar(image, cax=bar, orientation="horizontal", label="Taylor's skill score")
    return figure


def _heat(axes: "Axes", values: np.ndarray, models: Sequence[str], good: float) -> "AxesImage":
    image = axes.imshow(values, cmap="YlGnBu", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        known = bool(np.isfinite(value))
        axes.text(
            column,
            row,
            f"{value:.2f}" if known else "–",
            ha="center",
            va="center",
            fontsize=6.8,
            color="white" if known and value > 0.6 else style.INK,
            fontweight="bold" if known and value > good else "normal",
        )
    axes.set_xticks(range(len(REGIONS)), REGIONS)
    axes.set_yticks(range(len(models)), models)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    return image


def count_figure(counts: "pd.DataFrame", models: Sequence[str]) -> "Figure":
    """Draw the number of good models a region and of good regions a model, both depths."""
    figure = style.new_figure(style.PAGE_WIDTH, 6.6)
    axes = figure.subplots(2, 2, width_ratios=(15, max(len(models), 8)))
    figure.subplots_adjust(0.05, 0.22, 0.99, 0.95, wspace=0.1, hspace=0.72)
    for line, depth in zip(axes, looks.DEPTH_TITLES, strict=True):
        for place, (by, names) in zip(line, (("region", REGIONS), ("source", models)), strict=True):
            chosen = counts[(counts["variable"] == depth) & (counts["by"] == by)]
            _bars(place, chosen, names)
            what = "models good in a region" if by == "region" else "boxes in which a model is good"
            place.set_title(f"{looks.DEPTH_TITLES[depth]}: {what}", fontweight="bold")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="lower left", ncols=2, bbox_to_anchor=(0.05, 0.06))
    return figure


def _bars(axes: "Axes", counts: "pd.DataFrame", names: Sequence[str]) -> None:
    for i, reference in enumerate(AGAINST):
        some = counts[counts["reference"] == reference].set_index("name")["good"].reindex(names)
        place = np.arange(len(names)) + (i - 0.5) * 0.38
        colour, label = looks.COLOURS[reference], f"against {looks.title(reference)}"
        axes.bar(place, some.to_numpy(dtype=float), 0.36, color=colour, label=label)
        for x, value in zip(place, some, strict=True):
            if not np.isfinite(value):
                axes.text(x, 0, "–", ha="center", va="bottom", fontsize=7)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    axes.tick_params(axis="x", labelsize=7.2, length=0)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
