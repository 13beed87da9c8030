"""Regional series with their Sen lines, rates and changes by period, and scenarios side by side.

Rates carry a star where the trend is significant, as in Li et al. 2024, figs. 10-12, 13 and 15.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.report import labels, style
from soilfuse.report.records import Trends, pick

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 14  # of regions: the whole and thirteen boxes; tables have all
LEAST_SPAN = 0.02  # m3 m-3; a narrower axis would make weather look like change


def sen_line(
    years: np.ndarray, values: np.ndarray, slope: float, period: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the two ends (year, value) of a Sen line through the medians of the period's years.

    The intercept is the median value minus the slope times the median year (Conover 1980).
    """
    inside = (years >= period[0]) & (years <= period[1]) & np.isfinite(values)
    ends = np.array([max(period[0], years.min()), min(period[1], years.max())], dtype=float)
    middle = np.median(values[inside]) - slope * np.median(years[inside])
    return ends, middle + slope * ends


def _draw_line(
    axes: "Axes",
    series: "pd.DataFrame",
    trend: "pd.DataFrame",
    colour: str,
    title: str,
    period: tuple[int, int],
) -> None:
    ordered = series.sort_values("year")
    years, values = ordered["year"].to_numpy(), ordered["value"].to_numpy(dtype=float)
    label = f"{title}  {labels.MISSING}"
    if len(trend) and np.isfinite(trend["slope"].iloc[0]) and np.isfinite(values).any():
        slope, significant = float(trend["slope"].iloc[0]), bool(trend["significant"].iloc[0])
        label = f"{title}  {labels.starred(slope, significant)}"
        style_of_line = "-" if significant else (0, (2, 2))
        ends, line = sen_line(years, values, slope, period)
        axes.plot(ends, line, color=colour, linewidth=1.5, linestyle=style_of_line, zorder=3)
    axes.plot(years, values, color=colour, linewidth=0.8, alpha=0.65)
    axes.plot([], [], color=colour, linewidth=2, label=label)


def _finish(axes: "Axes", title: str) -> None:
    axes.set_title(f"{title} ({labels.UNIT})", fontweight="bold")
    low, high = axes.get_ylim()
    if high - low < LEAST_SPAN:
        axes.set_ylim((low + high - LEAST_SPAN) / 2, (low + high + LEAST_SPAN) / 2)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.005, 1.02),
        handlelength=0.9,
        handletextpad=0.5,
        borderaxespad=0,
        labelspacing=0.7,
        title=labels.RATE_UNIT.replace(" per", "\nper"),
        title_fontsize=7.5,
        alignment="left",
    )


def _panels(count: int, row_height: float = 2.35) -> "tuple[Figure, list[Axes]]":
    columns = 2 if count > 1 else 1
    rows = -(-count // columns)
    height = rows * row_height + 0.35
    figure = style.new_figure(style.PAGE_WIDTH if columns == 2 else 7.2, height)
    grid = figure.add_gridspec(
        rows,
        columns,
        left=0.055,
        right=0.862,
        top=1 - 0.32 / height,
        bottom=0.52 / height,
        wspace=0.54,
        hspace=0.3,
    )
    return figure, [figure.add_subplot(grid[i // columns, i % columns]) for i in range(count)]


def shown_regions(trends: Trends) -> str:
    """Return the sentence that some regions have no panel, nothing where all have one."""
    every = len(trends.region_names)
    return f" Shown are {MOST_PANELS} of {every} regions." if every > MOST_PANELS else ""


def regional_series(trends: Trends, period: str, season: str = "annual") -> "Figure":
    """Draw one panel a region with a line a layer, its Sen line over `period` and its rate."""
    regions = trends.region_names[:MOST_PANELS]
    figure, axes = _panels(len(regions))
    for panel, region in zip(axes, regions, strict=True):
        _layer_lines(panel, trends, period, region, season)
        _finish(panel, labels.region_title(region))
    return figure


def seasonal_series(trends: Trends, period: str, region: str) -> "Figure":
    """Draw one panel a season with a line a layer for one region."""
    figure, axes = _panels(len(labels.QUARTERS))
    for panel, season in zip(axes, labels.QUARTERS, strict=True):
        _layer_lines(panel, trends, period, region, season)
        _finish(panel, labels.season_title(season))
    return figure


def _layer_lines(axes: "Axes", trends: Trends, period: str, region: str, season: str) -> None:
    for layer in trends.layers:
        where = {"region": region, "season": season, "layer": layer}
        _draw_line(
            axes,
            pick(trends.series, **where),
            pick(trends.regions, period=period, **where),
            style.LAYER_COLOURS[layer - 1],
            labels.layer_title(layer),
            labels.years_of(period),
        )


def scenario_series(all_trends: Sequence[Trends], layer: int, season: str = "annual") -> "Figure":
    """Draw one panel a region with a season's series of every experiment overlaid."""
    regions = all_trends[0].region_names[:MOST_PANELS]
    figure, axes = _panels(len(regions))
    for panel, region in zip(axes, regions, strict=True):
        for trends in all_trends:
            where = {"region": region, "season": season, "layer": layer}
            period = trends.main_period
            own = labels.years_of(period)
            series = pick(trends.series, **where)
            if trends.experiment != names.HISTORICAL:
                series = series[series["year"] >= own[0]]
            _draw_line(
                panel,
                series,
                pick(trends.regions, period=period, **where),
                style.EXPERIMENT_COLOURS[trends.experiment],
                labels.experiment_title(trends.experiment),
                own,
            )
        _finish(panel, labels.region_title(region))
    return figure
