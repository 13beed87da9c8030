"""Compact tables from the long tables of the results; a star marks a significant trend."""

import math
from collections.abc import Sequence
from typing import Any

from soilfuse import names
from soilfuse.report import labels
from soilfuse.report.records import Test, Trends, pick
from soilfuse.report.table import Table


def layer_heads(layers: Sequence[int]) -> list[str]:
    """Return the column headings of layers."""
    return [labels.layer_title(layer) for layer in layers]


def rates_by_region(trends: Trends, period: str) -> Table:
    """Return annual rates: a row a region, a column a layer."""
    return Table(
        caption=f"Annual rate, {labels.years_title(period)} ({labels.RATE_UNIT})",
        head=["Region", *layer_heads(trends.layers)],
        rows=[
            [labels.region_title(region), *rates(trends, region, "annual", period)]
            for region in trends.region_names
        ],
        note=labels.MARKS,
        data=pick(trends.regions, season="annual", period=period),
    )


def rates_by_region_and_season(trends: Trends, period: str) -> Table:
    """Return seasonal rates of each region but the whole: a row a season, a column a layer."""
    regions = trends.region_names[1:]
    rows = pick(trends.regions, period=period)
    return Table(
        caption=f"Rate by region and season, {labels.years_title(period)} ({labels.RATE_UNIT})",
        head=["Region and season", *layer_heads(trends.layers)],
        rows=[
            [
                f"{labels.region_title(region)}, {labels.season_title(season)}",
                *rates(trends, region, season, period),
            ]
            for region in regions
            for season in labels.QUARTERS
        ],
        note=labels.MARKS,
        data=rows[rows["region"].isin(regions) & rows["season"].isin(labels.QUARTERS)],
    )


def rates_by_season(trends: Trends, region: str, periods: Sequence[str]) -> Table:
    """Return rates of one region: a row a season and period, a column a layer."""
    rows = pick(trends.regions, region=region)
    return Table(
        caption=f"Rate by season, {labels.region_title(region)} ({labels.RATE_UNIT})",
        head=["Season and years", *layer_heads(trends.layers)],
        rows=[
            [
                f"{labels.season_title(season)}, {labels.years_title(period)}",
                *rates(trends, region, season, period),
            ]
            for season in names.SEASONS
            for period in periods
        ],
        note=labels.MARKS,
        data=rows[rows["period"].isin(periods)],
    )


def rates(trends: Trends, region: str, season: str, period: str) -> list[str]:
    """Return the written rates of a region, season and period, one a layer."""
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
        data=pick(trends.regions, region=region, period=period),
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
        data=None
        if trends.agreement is None
        else pick(trends.agreement, region=region, period=period),
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
        data=pick(trends.periods, region=region),
    )
