"""The figures of the first page: scenarios side by side, and the evaluation."""

from collections.abc import Sequence

from soilfuse.report import labels, series, trend_maps
from soilfuse.report.comparison import BLOCK_TITLES, HELD_OUT, headline
from soilfuse.report.evaluation_figures import future_bars, methods_of, score_bars, station_boxes
from soilfuse.report.figures import DOTS, SEN
from soilfuse.report.maps import Place
from soilfuse.report.pictures import Folder, Picture
from soilfuse.report.records import Evaluation, Trends, pick
from soilfuse.report.taylor_figure import taylor_diagram
from soilfuse.report.words import joined


def scenario_pictures(folder: Folder, place: Place, all_trends: Sequence[Trends]) -> list[Picture]:
    """Draw the scenarios side by side: layer 1 slopes and changes, and overlaid series."""
    scenarios = [trends for trends in all_trends if trends.future_period is not None]
    overlaid = folder.draw(
        "scenario_series",
        lambda: series.scenario_series(all_trends, 1),
        f"Annual soil moisture at {labels.layer_title(1)} by region",
        SEN + series.shown_regions(all_trends[0]),
        "Line charts of annual soil moisture by region with every experiment overlaid.",
    )
    if not scenarios:
        return [overlaid]
    changes = _scenario_changes(folder, place, scenarios)
    return [_scenario_slopes(folder, place, scenarios), *changes, overlaid]


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
        f"Sen slope. {DOTS}",
        f"Maps of annual Sen slopes at {depth} under {_titles(scenarios)}.",
    )


def _scenario_changes(folder: Folder, place: Place, scenarios: Sequence[Trends]) -> list[Picture]:
    shown = [trends for trends in scenarios if "change_percent" in trends.maps]
    if not shown:
        return []
    panels = [
        trend_maps.change_panel(trends, "annual", 1, labels.experiment_title(trends.experiment))
        for trends in shown
    ]
    future, reference = str(shown[0].future_period), shown[0].reference_period
    spell = f"{labels.years_title(future)} against {labels.years_title(reference)}"
    picture = folder.draw(
        "scenario_changes",
        lambda: trend_maps.scenario_maps(place, panels),
        f"Annual change at {labels.layer_title(1)}, {spell}",
        "White: outside the regions.",
        f"Maps of the percent change at {labels.layer_title(1)}, {spell}, under {_titles(shown)}.",
    )
    return [picture]


def evaluation_pictures(folder: Folder, evaluation: Evaluation) -> list[Picture]:
    """Draw scores, Taylor diagram, stations and future errors, as far as their tables exist."""
    pictures = [_scores(folder, evaluation)]
    if evaluation.taylor is not None and len(evaluation.taylor):
        pictures.append(_taylor(folder, evaluation))
    if evaluation.stations is not None and len(evaluation.stations):
        pictures.append(_stations(folder, evaluation))
    if evaluation.future is not None and len(evaluation.future):
        pictures.append(_future(folder, evaluation))
    return pictures


def _scores(folder: Folder, evaluation: Evaluation) -> Picture:
    rows = headline(evaluation, HELD_OUT)
    methods = joined([labels.method_title(method) for method in methods_of(rows)])
    return folder.draw(
        "scores",
        lambda: score_bars(rows, evaluation.intervals, "rmse"),
        f"Error of every method, {BLOCK_TITLES[HELD_OUT]}",
        "Left: RMSE by layer. Right: paired differences with 95 % intervals from months "
        "resampled in blocks.",
        f"Bar chart of RMSE by layer of {methods}, and differences with intervals.",
    )


def _taylor(folder: Folder, evaluation: Evaluation) -> Picture:
    first = pick(evaluation.taylor, layer=1)  # type: ignore[arg-type]
    return folder.draw(
        "taylor",
        lambda: taylor_diagram(first),
        f"Taylor diagram, {labels.layer_title(1)}",
        "Nearer to the star is better. Angle: correlation; radius: standard deviation; dotted "
        "circles: centred root-mean-square difference.",
        f"Taylor diagram of {len(first)} models and methods against the target.",
    )


def _stations(folder: Folder, evaluation: Evaluation) -> Picture:
    stations = pick(evaluation.stations, block=HELD_OUT)  # type: ignore[arg-type]
    return folder.draw(
        "stations",
        lambda: station_boxes(stations),
        f"Beside the stations, {BLOCK_TITLES[HELD_OUT]}",
        "Each box holds the middle half of the station series, whiskers 5 to 95 %. The target "
        "was itself made from such stations, so its agreement is no independent proof.",
        "Box plots of correlation and RMSE against station series by layer and method.",
    )


def _future(folder: Folder, evaluation: Evaluation) -> Picture:
    return folder.draw(
        "future",
        lambda: future_bars(evaluation.future),  # type: ignore[arg-type]
        "Error of the projected future, where its truth is known",
        "Bars: mean over scenarios; dots: single scenarios.",
        "Bar charts of the errors of projected changes and trends by layer and method.",
    )
