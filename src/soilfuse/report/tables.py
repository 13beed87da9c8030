"""Compact tables from the long tables of the results; a star marks a significant trend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from soilfuse import names
from soilfuse.report import labels
from soilfuse.report.records import Test, Trends


@dataclass(frozen=True)
class Table:
    """A caption, a heading row and rows of text; the first cell of a row is its heading."""

    caption: str
    head: list[str]
    rows: list[list[str]]
    note: str = ""
    words: bool = False  # cells are words rather than numbers

    def html(self) -> Markup:
        """Return the table as HTML with row and column headings; all text is escaped."""
        head = Markup().join(Markup('<th scope="col">{}</th>').format(cell) for cell in self.head)
        rows = Markup().join(
            Markup("<tr>{}{}</tr>").format(
                Markup('<th scope="row">{}</th>').format(row[0]),
                Markup().join(Markup("<td>{}</td>").format(cell) for cell in row[1:]),
            )
            for row in self.rows
        )
        note = Markup('<p class="note">{}</p>').format(self.note) if self.note else Markup()
        return Markup(
            '<div class="scroll" tabindex="0" role="region" aria-label="{}"><table{}>'
            "<caption><span>{}</span></caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>{}"
        ).format(
            self.caption,
            Markup(' class="words"') if self.words else "",
            self.caption,
            head,
            rows,
            note,
        )


def layer_heads(layers: Sequence[int]) -> list[str]:
    """Return the column headings of layers."""
    return [labels.layer_title(layer) for layer in layers]


def rates_by_region(trends: Trends, period: str) -> Table:
    """Return annual rates: a row a region, a column a layer."""
    return Table(
        caption=f"Annual rate, {labels.years_title(period)} ({labels.RATE_UNIT})",
        head=["Region", *layer_heads(trends.layers)],
        rows=[
            [labels.region_title(region), *_rates(trends, region, "annual", period)]
            for region in trends.region_names
        ],
        note=labels.MARKS,
    )


def rates_by_season(trends: Trends, region: str, periods: Sequence[str]) -> Table:
    """Return rates of one region: a row a season and period, a column a layer."""
    return Table(
        caption=f"Rate by season, {labels.region_title(region)} ({labels.RATE_UNIT})",
        head=["Season and years", *layer_heads(trends.layers)],
        rows=[
            [
                f"{labels.season_title(season)}, {labels.years_title(period)}",
                *_rates(trends, region, season, period),
            ]
            for season in names.SEASONS
            for period in periods
        ],
        note=labels.MARKS,
    )


def _rates(trends: Trends, region: str, season: str, period: str) -> list[str]:
    tests = [trends.test(region, season, period, layer) for layer in trends.layers]
    return [labels.starred(t.slope, t.significant, t.significant_hamed_rao) for t in tests]


def rates_with_intervals(trends: Trends, region: str, period: str) -> Table:
    """Return rates of one region with the ends of their interval: a row a season."""
    rows = []
    for season in names.SEASONS:
        tests = [trends.test(region, season, period, layer) for layer in trends.layers]
        rows.append([labels.season_title(season), *map(_with_interval, tests)])
    return Table(
        caption=f"Rate and its interval, {labels.region_title(region)}, "
        f"{labels.years_title(period)} ({labels.RATE_UNIT})",
        head=["Season", *layer_heads(trends.layers)],
        rows=rows,
        note=f"{trends.confidence}Sen (1968). The interval takes the years for independent of each "
        "other.",
    )


def _with_interval(test: Test) -> str:
    if not math.isfinite(test.slope):
        return labels.MISSING
    ends = f"{labels.rate(test.slope_low)}, {labels.rate(test.slope_high)}"
    return f"{labels.rate(test.slope)} [{ends}]"


def rates_of_models(trends: Trends, region: str, period: str) -> Table | None:
    """Return the climate models' own rates, the fastest first; None without any."""
    annual = trends.of_models(region, "annual", period)
    if annual.empty:
        return None
    columns = {}
    for season in names.SEASONS:
        rows = trends.of_models(region, season, period)
        columns[season] = {row.source_id: row for row in rows.itertuples()}
    order = annual.sort_values("slope", ascending=False)["source_id"]
    return Table(
        caption=f"Rates of the climate models' upper 10 cm, {labels.region_title(region)}, "
        f"{labels.years_title(period)} ({labels.RATE_UNIT})",
        head=["Climate model", *map(labels.season_title, names.SEASONS)],
        rows=[
            [model, *(_of_model(columns[s].get(model)) for s in names.SEASONS)] for model in order
        ],
        note="* significant trend (Mann-Kendall test). Neither corrected nor smoothed.",
    )


def _of_model(row: Any) -> str:
    return labels.MISSING if row is None else labels.starred(row.slope, bool(row.significant))


def period_means(trends: Trends, region: str) -> Table:
    """Return period means with their change: a row a season and period, a column a layer."""
    rows = []
    for season in names.SEASONS:
        for period in trends.mean_periods:
            cells = []
            for layer in trends.layers:
                mean = labels.plain(trends.mean(region, season, period, layer), 3)
                change = trends.change(region, season, period, layer)
                shown = period != trends.reference_period and math.isfinite(change)
                cells.append(f"{mean} ({labels.signed(change, 1)} %)" if shown else mean)
            rows.append([f"{labels.season_title(season)}, {labels.years_title(period)}", *cells])
    reference = labels.years_title(trends.reference_period)
    future = trends.future_period is not None
    return Table(
        caption=f"Mean soil moisture, {labels.region_title(region)} ({labels.UNIT})",
        head=["Season and years", *layer_heads(trends.layers)],
        rows=rows,
        note=f"In brackets: change against {reference}." if future else "",
    )


def scenario_rates(all_trends: Sequence[Trends]) -> Table:
    """Return annual rates of all regions together: a row an experiment, a column a layer."""
    layers, whole = all_trends[0].layers, all_trends[0].whole
    return Table(
        caption=f"Annual rate, {labels.region_title(whole)} ({labels.RATE_UNIT})",
        head=["Experiment", *layer_heads(layers)],
        rows=[
            [
                f"{labels.experiment_title(trends.experiment)}, "
                f"{labels.years_title(trends.main_period)}",
                *_rates(trends, whole, "annual", trends.main_period),
            ]
            for trends in all_trends
        ],
        note=labels.MARKS,
    )


def scenario_changes(all_trends: Sequence[Trends]) -> Table | None:
    """Return changes by the last period: a row a scenario, a column a layer; None without one."""
    scenarios = [trends for trends in all_trends if trends.future_period is not None]
    if not scenarios:
        return None
    first = scenarios[0]
    future = str(first.future_period)
    return Table(
        caption=(
            f"Change of the annual mean, {labels.years_title(future)} against "
            f"{labels.years_title(first.reference_period)} (%)"
        ),
        head=["Scenario", *layer_heads(first.layers)],
        rows=[
            [
                labels.experiment_title(trends.experiment),
                *(
                    labels.signed(trends.change(trends.whole, "annual", future, layer), 1)
                    for layer in trends.layers
                ),
            ]
            for trends in scenarios
        ],
    )
