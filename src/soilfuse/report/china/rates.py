"""Change rates by month, season and year as coloured tables, north and south apart (figure 8)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.report import labels, style
from soilfuse.trends.change_rates import UNITS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

SIDES = ("north", "south")
ROW, HEAD, BETWEEN, FOOT = 0.27, 0.45, 0.62, 0.35  # inches


def rates_figure(
    tables: "Mapping[str, pd.DataFrame]", method: str, titles: Mapping[str, str]
) -> "Figure":
    """Draw a table a side: rows are scenarios and periods, columns months, seasons, the year.

    titles: of the sides north and south.
    """
    rows = [
        (scenario, period)
        for scenario, table in tables.items()
        for period in dict.fromkeys(table["period"])
    ]
    side = len(rows) * ROW
    height = 2 * side + 2 * HEAD + BETWEEN + FOOT
    figure = style.new_figure(style.PAGE_WIDTH, height)
    for i, region in enumerate(SIDES):
        bottom = height - HEAD - side - i * (side + BETWEEN + HEAD / 2)
        axes = figure.add_axes((0.155, bottom / height, 0.76, side / height))
        values = np.array([_line(tables[name], method, region, period) for name, period in rows])
        image = _table(axes, values, rows)
        axes.set_title(titles[region], fontweight="bold", pad=20)
        bar = figure.colorbar(
            image, cax=figure.add_axes((0.93, bottom / height, 0.012, side / height))
        )
        bar.set_label("change (%)", fontsize=8)
        bar.ax.tick_params(labelsize=7, length=2)
    return figure


def _line(table: "pd.DataFrame", method: str, region: str, period: str) -> list[float]:
    chosen = table[
        (table["method"] == method) & (table["region"] == region) & (table["period"] == period)
    ].set_index("unit")["percent"]
    return [float(chosen[unit]) for unit in UNITS]


def _table(axes: "Axes", values: np.ndarray, rows: list[tuple[str, str]]) -> "AxesImage":
    limit = max(float(np.ceil(np.nanmax(np.abs(values)))), 1.0)
    image = axes.imshow(values, cmap="BrBG", vmin=-limit, vmax=limit, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        pale = abs(value) > 0.65 * limit
        written = labels.signed(value, 1)
        colour = "white" if pale else style.INK
        axes.text(j, i, written, ha="center", va="center", fontsize=6.8, color=colour)
    axes.set_xticks(range(len(UNITS)), [unit.replace("annual", "Year") for unit in UNITS])
    axes.xaxis.tick_top()
    shown = [
        f"{names.EXPERIMENT_TITLES[name]}, {labels.years_title(period)}" for name, period in rows
    ]
    axes.set_yticks(range(len(rows)), shown)
    axes.tick_params(length=0, labelsize=7.5)
    for cut in (11.5, 15.5):
        axes.axvline(cut, color="white", linewidth=2.5)
    periods = len({period for _, period in rows})
    for cut in range(periods, len(rows), periods):
        axes.axhline(cut - 0.5, color="white", linewidth=2.5)
    for edge in axes.spines.values():
        edge.set_visible(False)
    return image
