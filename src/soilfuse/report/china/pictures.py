"""The figures of Feng et al. (2022), 3 to 8, from the study's own results."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.evaluation.china.evaluate import Evaluation
from soilfuse.inference.china.fields import ENSEMBLE_MEAN, TRUTH, YNET
from soilfuse.report import labels, style
from soilfuse.report.china import looks
from soilfuse.report.china.rates import rates_figure
from soilfuse.report.china.taylor import taylor_figure
from soilfuse.report.maps import Panel, Place, map_grid
from soilfuse.report.pictures import Folder, Picture
from soilfuse.trends.china import Changes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Scenarios = Mapping[str, Changes]


def score_pictures(folder: Folder, place: Place, found: Evaluation) -> list[Picture]:
    """Draw figures 3, 4 and 5."""
    return [
        folder.draw(
            "mae",
            lambda: mae_figure(place, found),
            "Mean absolute error of every cell",
            "After figure 3: test years, against ERA5-Land's 0–7 cm.",
            "Four maps of the mean absolute error, one a method.",
        ),
        folder.draw(
            "zones",
            lambda: zone_figure(found.tables["zones"]),
            "One pixel a zone",
            "After figure 4: monthly soil moisture in the test years. The paper does not print "
            "where its pixels lie; these are params.yaml:analysis.pixels.",
            "Four panels of monthly series of ERA5-Land, YNet and the ensemble mean.",
        ),
        folder.draw(
            "taylor",
            lambda: taylor_figure(found.tables["taylor"]),
            "Normalised Taylor diagram",
            "After figure 5: all cells and months of the test years; radius is the standard "
            "deviation and dotted circles are the ubRMSD, both over ERA5-Land's.",
            "Taylor diagram of the climate models and four methods.",
        ),
    ]


def slope_pictures(folder: Folder, place: Place, scenarios: Scenarios) -> list[Picture]:
    """Draw figures 6 and 7, and what the truth says to figure 7 where there is one."""
    seasonal = [method for method in (YNET, TRUTH) if _has(scenarios, method)]
    return [
        folder.draw(
            "slopes_annual",
            lambda: annual_figure(place, scenarios),
            "Trend of the yearly index",
            "After figure 6: Sen slope of the yearly mean of SSMI, 2015–2100, per decade. Delta "
            "change has the ensemble mean's index and so its slopes.",
            "Maps of slopes by method and scenario.",
        ),
        *(
            folder.draw(
                f"slopes_seasonal_{method}",
                partial(seasonal_figure, place, scenarios, method),
                f"Trend by season: {looks.TITLES[method]}",
                "After figure 7: Sen slope of the seasonal mean of SSMI, 2015–2100, per decade.",
                "Maps of slopes by season and scenario.",
            )
            for method in seasonal
        ),
    ]


def rate_pictures(folder: Folder, scenarios: Scenarios, titles: Mapping[str, str]) -> list[Picture]:
    """Draw figure 8 of YNet, and of the truth where there is one; titles: of north and south."""
    tables = {name: found.tables["change"] for name, found in scenarios.items()}
    return [
        folder.draw(
            f"change_{method}",
            partial(rates_figure, tables, method, titles),
            f"Change in the east: {looks.TITLES[method]}",
            "After figure 8: change of the area's mean against 1995–2014 (the paper does not print "
            "its reference period), north and south with a scale each.",
            "Two coloured tables of percent changes by month, season and year.",
        )
        for method in (YNET, TRUTH)
        if _has(scenarios, method)
    ]


def mae_figure(place: Place, found: Evaluation) -> "Figure":
    """Draw the MAE map of each method."""
    panels = [
        Panel(found.maps["mae"].sel({"method": name}).values, looks.MAE_SCALE, looks.TITLES[name])
        for name in map(str, found.maps["method"].values)
    ]
    return map_grid(place, [panels[:2], panels[2:]])


def zone_figure(zones: "pd.DataFrame") -> "Figure":
    """Draw the monthly series at each zone's pixel."""
    found = list(dict.fromkeys(zones["zone"]))
    rows = -(-len(found) // 2)
    height = 2.3 * rows + 0.7
    figure = style.new_figure(style.PAGE_WIDTH, height)
    axes = figure.subplots(rows, 2, squeeze=False, sharex=True)
    figure.subplots_adjust(0.055, 0.75 / height, 0.99, 1 - 0.3 / height, wspace=0.12, hspace=0.28)
    for axis, zone in zip(axes.flat, found, strict=False):
        part = zones[zones["zone"] == zone]
        time = np.array(part["time"], dtype="datetime64[M]").astype("datetime64[D]")
        for name in (ENSEMBLE_MEAN, looks.ERA5_LAND, YNET):
            axis.plot(
                time, part[name], color=looks.COLOURS[name], linewidth=1.4, label=looks.TITLES[name]
            )
        where = f"{part['lat'].iloc[0]:g}°N {part['lon'].iloc[0]:g}°E"
        axis.set_title(f"{looks.zone_title(zone)}, {where}", fontweight="bold")
        axis.grid(axis="y")
        axis.margins(x=0.01)
    for axis in axes.flat[len(found) :]:
        axis.axis("off")
    for axis in axes[:, 0]:
        axis.set_ylabel(labels.UNIT)
    handles, titles = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, titles, loc="lower center", ncols=3, bbox_to_anchor=(0.5, 0.2 / height))
    return figure


def annual_figure(place: Place, scenarios: Scenarios) -> "Figure":
    """Draw yearly slopes, a row a method and a column a scenario; methods side by side of one."""
    shown = [method for method in (YNET, ENSEMBLE_MEAN, TRUTH) if _has(scenarios, method)]
    if len(scenarios) == 1:
        ((scenario, found),) = scenarios.items()
        row = names.EXPERIMENT_TITLES[scenario]
        panels = [_slope_panel(found, name, "annual", looks.SHORT[name], row) for name in shown]
        return map_grid(place, [panels])
    rows = [
        [
            _slope_panel(found, method, "annual", _heading(name, i), looks.SHORT[method])
            for name, found in scenarios.items()
        ]
        for i, method in enumerate(shown)
    ]
    return map_grid(place, rows)


def seasonal_figure(place: Place, scenarios: Scenarios, method: str) -> "Figure":
    """Draw seasonal slopes of a method, a row a season and a column a scenario.

    Of one scenario the seasons stand two to a row.
    """
    seasons = ("MAM", "JJA", "SON", "DJF")
    if len(scenarios) == 1:
        ((scenario, found),) = scenarios.items()
        row = names.EXPERIMENT_TITLES[scenario]
        panels = [
            _slope_panel(found, method, one, labels.season_title(one), row) for one in seasons
        ]
        return map_grid(place, [panels[:2], panels[2:]])
    rows = [
        [
            _slope_panel(found, method, season, _heading(name, i), labels.season_title(season))
            for name, found in scenarios.items()
        ]
        for i, season in enumerate(seasons)
    ]
    return map_grid(place, rows)


def _heading(scenario: str, row: int) -> str:
    return names.EXPERIMENT_TITLES[scenario] if row == 0 else ""


def _slope_panel(found: Changes, method: str, season: str, title: str, row: str) -> Panel:
    values = found.slopes["slope"].sel({"method": method, "season": season}).values
    return Panel(values, looks.SLOPE_SCALE, title, row)


def _has(scenarios: Scenarios, method: str) -> bool:
    return all(method in found.slopes["method"].values for found in scenarios.values())
