"""The figures of the first page: scenarios side by side."""

from collections.abc import Sequence

from soilfuse.report import labels, series, trend_maps
from soilfuse.report.figures import DOTS, SAME_SCALE, SEN
from soilfuse.report.maps import Place
from soilfuse.report.pictures import Folder, Picture
from soilfuse.report.records import Trends
from soilfuse.report.words import joined, season_words


def scenario_pictures(folder: Folder, place: Place, all_trends: Sequence[Trends]) -> list[Picture]:
    """Draw the scenarios side by side: layer 1 slopes and changes, and overlaid series."""
    scenarios = [trends for trends in all_trends if trends.future_period is not None]
    overlaid = _scenario_series(folder, all_trends, "annual")
    if not scenarios:
        return [overlaid]
    changes = _scenario_changes(folder, place, scenarios)
    return [_scenario_slopes(folder, place, scenarios), *changes, overlaid]


def season_pictures(folder: Folder, all_trends: Sequence[Trends]) -> list[Picture]:
    """Draw the overlaid series of each season."""
    return [_scenario_series(folder, all_trends, season) for season in labels.QUARTERS]


def _scenario_series(folder: Folder, all_trends: Sequence[Trends], season: str) -> Picture:
    over = joined([labels.years_title(p) for p in dict.fromkeys(t.main_period for t in all_trends)])
    return folder.draw(
        "scenario_series" if season == "annual" else f"scenario_series_{season}",
        lambda: series.scenario_series(all_trends, 1, season),
        f"{_beginning(season)} soil moisture at {labels.layer_title(1)} by region",
        f"Trends over {over}. {SEN}{series.shown_regions(all_trends[0])}",
        f"Line charts of soil moisture at {labels.layer_title(1)} by region, "
        f"{season_words(season)}, with every experiment overlaid.",
    )


def _beginning(season: str) -> str:
    """Return what the title of a season's figure begins with."""
    return "Annual" if season == "annual" else labels.season_title(season)


def _titles(scenarios: Sequence[Trends]) -> str:
    return joined([labels.experiment_title(trends.experiment) for trends in scenarios])


def _scenario_slopes(folder: Folder, place: Place, scenarios: Sequence[Trends]) -> Picture:
    panels = [
        trend_maps.slope_panel(
            trends, "annual", trends.main_period, 1, labels.experiment_title(trends.experiment)
        )
        for trends in scenarios
    ]
    depth, years = labels.layer_title(1), labels.years_title(scenarios[0].main_period)
    return folder.draw(
        "scenario_slopes",
        lambda: trend_maps.scenario_maps(place, panels),
        f"Annual trend at {depth}, {years}",
        f"Sen slope. {DOTS} {SAME_SCALE}",
        f"Maps of annual Sen slopes at {depth} under {_titles(scenarios)}.",
    )


def _scenario_changes(folder: Folder, place: Place, scenarios: Sequence[Trends]) -> list[Picture]:
    shown = [trends for trends in scenarios if "change_percent" in trends.maps]
    if not shown:
        return []
    panels = [
        trend_maps.change_panel(
            trends,
            "annual",
            str(trends.future_period),
            1,
            labels.experiment_title(trends.experiment),
        )
        for trends in shown
    ]
    future, reference = str(shown[0].future_period), shown[0].reference_period
    spell = f"{labels.years_title(future)} against {labels.years_title(reference)}"
    picture = folder.draw(
        "scenario_changes",
        lambda: trend_maps.scenario_maps(place, panels),
        f"Annual change at {labels.layer_title(1)}, {spell}",
        f"In percent of the reference mean. White: outside the regions. {SAME_SCALE}",
        f"Maps of the percent change at {labels.layer_title(1)}, {spell}, under {_titles(shown)}.",
    )
    return [picture]
