"""Beside the stations: figure 5 and table S1 of Li et al. (2024), with what they compare.

Boxes and quartiles of ERA5-Land, of AMSMQTP, of the ensemble and, as what skill begins with, of the
climatology; the folded tables hold every method.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.report import labels, style
from soilfuse.report.comparison import BLOCK_TITLES, HELD_OUT
from soilfuse.report.evaluation_figures import methods_of
from soilfuse.report.pictures import Folder
from soilfuse.report.records import Evaluation, pick, value_of
from soilfuse.report.sections import Section
from soilfuse.report.table import Table
from soilfuse.report.words import joined

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# How a metric is written: its title, its factor and its digits.
METRICS = {
    "mae": (f"MAE ({labels.UNIT})", 1.0, 3),
    "rmse": (f"RMSE ({labels.UNIT})", 1.0, 3),
    "mape": ("MAPE (%)", 100.0, 0),
    "r": ("R", 1.0, 2),
}


def compared(table: "pd.DataFrame") -> list[str]:
    """Return what the paper compares of the methods of a table, and the climatology."""
    others = [name for name in names.BASELINES if name != names.CLIMATOLOGY]
    return [method for method in methods_of(table) if method not in others]


def station_boxes(stations: "pd.DataFrame") -> "Figure":
    """Draw MAE, RMSE, MAPE and R over station series by layer and method, with their outliers."""
    methods = compared(stations)
    layers = sorted(int(layer) for layer in stations["layer"].unique())
    figure = style.new_figure(style.PAGE_WIDTH, 6.2)
    grid = figure.add_gridspec(
        2, 2, left=0.06, right=0.99, top=0.93, bottom=0.075, wspace=0.14, hspace=0.2
    )
    for number, metric in enumerate(METRICS):
        axes = figure.add_subplot(grid[number // 2, number % 2])
        _boxes(axes, stations, metric, methods, layers)
    handles, titles = axes.get_legend_handles_labels()
    figure.legend(handles, titles, loc="upper left", bbox_to_anchor=(0.05, 1.0), ncols=6)
    return figure


def _boxes(
    axes: "Axes", stations: "pd.DataFrame", metric: str, methods: list[str], layers: list[int]
) -> None:
    title, factor, _ = METRICS[metric]
    width = 0.84 / len(methods)
    for i, method in enumerate(methods):
        colour = style.method_colour(method)
        rows = [pick(stations, method=method, layer=layer)[metric].dropna() for layer in layers]
        axes.boxplot(
            [factor * values for values in rows],
            positions=np.arange(len(layers)) + (i - (len(methods) - 1) / 2) * width,
            widths=width * 0.8,
            patch_artist=True,
            manage_ticks=False,
            flierprops={"marker": ".", "markersize": 3, "markeredgecolor": colour},
            boxprops={"facecolor": colour, "edgecolor": style.INK, "linewidth": 0.6},
            medianprops={"color": "white", "linewidth": 1.4},
            whiskerprops={"linewidth": 0.7},
            capprops={"linewidth": 0.7},
        )
        axes.bar([0], [np.nan], color=colour, label=labels.method_title(method))
    axes.set_xticks(range(len(layers)), [labels.layer_title(layer) for layer in layers])
    axes.set_xlim(-0.6, len(layers) - 0.4)
    axes.set_ylabel(title)
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def quartiles_table(
    quartiles: "pd.DataFrame", methods: Sequence[str], title: str, note: str = ""
) -> Table:
    """Return medians with quartiles: a row a layer and method, a column a metric.

    quartiles: rows of one block; the series column counts those with an RMSE, and those with an R.
    """
    layers = sorted(int(layer) for layer in quartiles["layer"].unique())
    rows = []
    for layer in layers:
        for method in methods:
            own = pick(quartiles, layer=layer, method=method)
            if len(own):
                first = f"{labels.layer_title(layer)}, {labels.method_title(method)}"
                rows.append([first, *_quartile_cells(own), _counts(own)])
    head = ["Layer and method", *(written for written, *_ in METRICS.values()), "Series (with R)"]
    return Table(title, head, rows, note)


def _quartile_cells(rows: "pd.DataFrame") -> list[str]:
    cells = []
    for metric, (_, factor, digits) in METRICS.items():
        low, middle, high = (
            labels.plain(factor * value_of(rows, column, metric=metric), digits)
            for column in ("q25", "median", "q75")
        )
        cells.append(f"{middle} ({low}, {high})")
    return cells


def _counts(rows: "pd.DataFrame") -> str:
    of_error, of_r = (value_of(rows, "series", metric=metric) for metric in ("rmse", "r"))
    return f"{of_error:.0f} ({of_r:.0f})" if of_r != of_error else f"{of_error:.0f}"


def cover_sentences(quartiles: "pd.DataFrame") -> list[str]:
    """Tell which layers a data set reaches in part only."""
    partly = quartiles[quartiles["covered"] < 1]
    return [
        f"{method} has no more than {100 * share:.0f} % of the layer {labels.layer_title(layer)}; "
        "its value there is that of the part it has."
        for method, layer, share in dict.fromkeys(
            zip(partly["method"], partly["layer"], partly["covered"], strict=True)
        )
    ]


def _absent(quartiles: "pd.DataFrame", block: str) -> list[str]:
    """Tell which data sets end before a block does."""
    there = set(pick(quartiles, block=block)["method"])
    absent = [name for name in dict.fromkeys(quartiles["method"]) if name not in there]
    return [f"{joined(absent)} does not reach these years."] if absent else []


def _lead(quartiles: "pd.DataFrame") -> list[str]:
    rows = pick(quartiles, block=HELD_OUT, metric="r")
    ends = sorted(rows["layer"].unique())[:: max(1, rows["layer"].nunique() - 1)]
    parts = [
        " and ".join(
            f"{labels.plain(value_of(rows, 'median', method=method, layer=layer), 2)} at "
            f"{labels.layer_title(layer)}"
            for layer in ends
        )
        + f" for {labels.method_words(method)}"
        for method in compared(rows)
    ]
    return [f"Median R of the station series, {BLOCK_TITLES[HELD_OUT]}: {'; '.join(parts)}."]


def station_section(folder: Folder, evaluation: Evaluation) -> Section | None:
    """Draw the boxes and lay out the quartiles, where both tables were made."""
    stations, quartiles = evaluation.table("stations"), evaluation.table("station_quartiles")
    if stations is None or quartiles is None:
        return None
    held_out = pick(stations, block=HELD_OUT)
    picture = folder.draw(
        "stations",
        lambda: station_boxes(held_out),
        f"Beside the stations, {BLOCK_TITLES[HELD_OUT]}",
        "Each box holds the middle half of the station series and a line at their median; whiskers "
        "reach to the last series within one and a half boxes, dots are the series beyond. "
        + names.STATIONS_CAVEAT,
        "Box plots of MAE, RMSE, MAPE and R against station series by layer and method.",
    )
    tables, every = [], []
    for block, title in BLOCK_TITLES.items():
        rows = pick(quartiles, block=block)
        if rows.empty:
            continue
        notes = [*cover_sentences(rows), *_absent(quartiles, block), names.STATIONS_CAVEAT]
        head = f"Median over station series (quartiles in brackets), {title}"
        tables.append(quartiles_table(rows, compared(rows), head, " ".join(notes)))
        others = [method for method in methods_of(rows) if method not in compared(rows)]
        if others:
            every.append(quartiles_table(rows, others, f"{head}: the other methods"))
    return Section(
        "stations",
        "Beside the stations",
        [*_lead(quartiles), names.STATIONS_CAVEAT],
        pictures=[picture],
        tables=tables[:1],
        folded=[*tables[1:], *every],
    )
