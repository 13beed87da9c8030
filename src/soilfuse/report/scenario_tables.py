"""Tables of all experiments side by side."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from soilfuse.report import labels
from soilfuse.report.records import Trends, pick
from soilfuse.report.table import Table
from soilfuse.report.tables import layer_heads, rates

if TYPE_CHECKING:
    import pandas as pd


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
                *rates(trends, whole, "annual", trends.main_period),
            ]
            for trends in all_trends
        ],
        note=labels.MARKS,
        data=_together(
            (trends, pick(trends.regions, season="annual", period=trends.main_period))
            for trends in all_trends
        ),
    )


def scenario_seasons(all_trends: Sequence[Trends]) -> Table:
    """Return seasonal rates of all regions together: a row a season and experiment."""
    layers, whole = all_trends[0].layers, all_trends[0].whole
    return Table(
        caption=f"Rate by season, {labels.region_title(whole)} ({labels.RATE_UNIT})",
        head=["Season and experiment", *layer_heads(layers)],
        rows=[
            [
                f"{labels.season_title(season)}, {labels.experiment_title(trends.experiment)}",
                *rates(trends, whole, season, trends.main_period),
            ]
            for season in labels.QUARTERS
            for trends in all_trends
        ],
        note=labels.MARKS,
        data=_together(
            (trends, pick(trends.regions, period=trends.main_period)) for trends in all_trends
        ),
    )


def scenario_periods(all_trends: Sequence[Trends]) -> Table:
    """Return annual rates within the parts of the century: a row an experiment and a part."""
    layers, whole = all_trends[0].layers, all_trends[0].whole
    return Table(
        caption=f"Annual rate by period, {labels.region_title(whole)} ({labels.RATE_UNIT})",
        head=["Experiment and years", *layer_heads(layers)],
        rows=[
            [
                f"{labels.experiment_title(trends.experiment)}, {labels.years_title(period)}",
                *rates(trends, whole, "annual", period),
            ]
            for trends in all_trends
            for period in trends.part_periods
        ],
        note=labels.MARKS,
        data=_together(
            (trends, trends.regions[trends.regions["period"].isin(trends.part_periods)])
            for trends in all_trends
        ),
    )


def _together(parts: "Iterable[tuple[Trends, pd.DataFrame]]") -> "pd.DataFrame":
    """Return the rows of several experiments, each named."""
    import pandas as pd

    named = [(trends.experiment, rows) for trends, rows in parts]
    tables = [rows.assign(experiment=experiment) for experiment, rows in named]
    columns = ["experiment", *named[0][1].columns]
    return pd.concat(tables, ignore_index=True)[columns]


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
        data=_together((trends, trends.periods) for trends in scenarios),
    )
