"""The normalised Taylor diagram of the methods and of every climate model (figure 5)."""

from typing import TYPE_CHECKING

import numpy as np

from soilfuse.report import style
from soilfuse.report.china import looks
from soilfuse.report.cmip6.taylor_panels import taylor_panel

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def taylor_figure(taylor: "pd.DataFrame") -> "Figure":
    """Draw r as angle and the ratio of standard deviations as radius; models are numbered."""
    half = bool((taylor["r"] < 0).any())
    models = taylor[taylor["kind"] == "model"].assign(group="")
    numbers = {name: i + 1 for i, name in enumerate(models["source"])}
    figure = style.new_figure(9.6, 4.3 if half else 5.6)
    axes = figure.add_axes((0.02, 0.13, 0.6, 0.85))
    reach = taylor_panel(axes, models, numbers, half)
    for row in taylor[taylor["kind"] != "model"].itertuples():
        radius = min(row.sd_ratio, reach)
        axes.plot(
            radius * row.r,
            radius * np.sqrt(1 - row.r**2),
            "D",
            color=looks.COLOURS[row.source],
            markersize=7,
            zorder=6,
            label=looks.TITLES[row.source],
        )
    axes.plot([], [], "*", color=style.INK, markersize=9, label="ERA5-Land")
    for name, number in numbers.items():
        axes.plot([], [], " ", label=f"{number}  {name}")
    for text in axes.texts:
        text.set_fontsize(7.5)  # the panel's are for many on a page
    axes.tick_params(labelsize=7.5)
    axes.set_xlabel("standard deviation over ERA5-Land's; angle: R; dotted: ubRMSD", fontsize=8)
    axes.legend(
        loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=7.5, ncols=2, handlelength=1.0
    )
    return figure
