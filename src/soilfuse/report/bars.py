"""By period, season and layer: rates, means, and changes against the reference period."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.report import labels, style
from soilfuse.report.records import Trends

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHORT_SEASONS = {"annual": "Year", "DJF": "DJF", "MAM": "MAM", "JJA": "JJA", "SON": "SON"}


def _row_of_panels(count: int, left: float) -> "tuple[Figure, list[Axes]]":
    height = 3.0
    figure = style.new_figure(style.PAGE_WIDTH, height)
    grid = figure.add_gridspec(
        1, count, left=left, right=0.995, top=1 - 0.62 / height, bottom=0.62 / height, wspace=0.08
    )
    first = figure.add_subplot(grid[0, 0])
    rest = [figure.add_subplot(grid[0, i], sharey=first) for i in range(1, count)]
    for axes in rest:
        axes.tick_params(labelleft=False)
    return figure, [first, *rest]


def _dress(axes: "Axes", title: str, ticks: list[str]) -> None:
    axes.set_title(title, fontweight="bold")
    axes.set_xticks(range(len(ticks)), ticks, fontsize=7.5)
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def _from_zero(panels: "Sequence[Axes]") -> None:
    for axes in panels:
        axes.axhline(0, color=style.INK, linewidth=0.7)


def _legend(figure: "Figure", first: "Axes", note: str = "") -> None:
    handles, titles = first.get_legend_handles_labels()
    figure.legend(
        handles, titles, loc="upper left", bbox_to_anchor=(0.05, 1.0), ncols=len(titles) or 1
    )
    if note:
        figure.text(0.995, 0.975, note, ha="right", va="top", fontsize=8)


def period_rates(trends: Trends, region: str) -> "Figure":
    """Draw Sen slopes by season and period, one panel a layer; hollow where not significant."""
    layers, periods = trends.layers, trends.part_periods
    figure, panels = _row_of_panels(len(layers), left=0.055)
    width = 0.8 / max(len(periods), 1)
    for axes, layer in zip(panels, layers, strict=True):
        for i, period in enumerate(periods):
            keys = [(region, season, period, layer) for season in names.SEASONS]
            slopes = np.array([trends.slope(*key) for key in keys])
            sure = [trends.significant(*key) for key in keys]
            colour = style.period_colour(period)
            axes.bar(
                np.arange(len(keys)) + (i - (len(periods) - 1) / 2) * width,
                slopes * labels.RATE_SCALE,
                width * 0.9,
                color=[colour if ok else "white" for ok in sure],
                edgecolor=colour,
                linewidth=0.8,
            )
            axes.bar([0], [np.nan], color=colour, label=labels.years_title(period))
        _dress(axes, labels.layer_title(layer), list(SHORT_SEASONS.values()))
    _from_zero(panels)
    panels[0].set_ylabel(labels.RATE_UNIT)
    _legend(figure, panels[0], "hollow: not significant")
    return figure


def period_means(trends: Trends, region: str) -> "Figure":
    """Mark means by season and period, one panel a layer (Li et al. 2024, figure 13).

    Dots, not bars: differences of a few percent would vanish above an axis from 0.
    """
    layers, periods = trends.layers, trends.mean_periods
    figure, panels = _row_of_panels(len(layers), left=0.055)
    width = 0.7 / max(len(periods), 1)
    for axes, layer in zip(panels, layers, strict=True):
        for i, period in enumerate(periods):
            means = [trends.mean(region, season, period, layer) for season in names.SEASONS]
            axes.plot(
                np.arange(len(means)) + (i - (len(periods) - 1) / 2) * width,
                means,
                "o",
                markersize=4.5,
                color=style.period_colour(period),
                label=labels.years_title(period),
            )
        _dress(axes, labels.layer_title(layer), list(SHORT_SEASONS.values()))
    panels[0].set_ylabel(labels.UNIT)
    _legend(figure, panels[0])
    return figure


def period_changes(trends: Trends, region: str) -> "Figure":
    """Draw percent changes of each future period by layer, one panel a season."""
    layers, periods, reference = trends.layers, trends.mean_periods[1:], trends.reference_period
    figure, panels = _row_of_panels(len(names.SEASONS), left=0.055)
    width = 0.8 / max(len(layers), 1)
    for axes, season in zip(panels, names.SEASONS, strict=True):
        for i, layer in enumerate(layers):
            changes = [trends.change(region, season, period, layer) for period in periods]
            axes.bar(
                np.arange(len(periods)) + (i - (len(layers) - 1) / 2) * width,
                changes,
                width * 0.9,
                color=style.LAYER_COLOURS[layer - 1],
                label=labels.layer_title(layer),
            )
        _dress(axes, labels.season_title(season), [_short(period) for period in periods])
    _from_zero(panels)
    panels[0].set_ylabel(f"change against {labels.years_title(reference)} (%)")
    _legend(figure, panels[0])
    return figure


def _short(period: str) -> str:
    first, last = labels.years_of(period)
    return f"{first}–\n{last}"
