"""The figures of an experiment's page, each with its title, caption and description in words."""

from collections.abc import Sequence
from functools import partial

from soilfuse.report import bars, labels, series, style, trend_maps
from soilfuse.report.maps import Place
from soilfuse.report.pictures import Folder, Picture
from soilfuse.report.records import Moisture, Trends
from soilfuse.report.words import joined

DOTS = "Dots: significant trend (Mann-Kendall test). White: outside the regions."
SAME_SCALE = (
    "Colours are the same in every layer, season and scenario, with finer steps near 0; values "
    "beyond the ends take the end colour."
)
SEN = (
    "Thin: yearly means; thick: Sen's line, dashed where the trend is not significant. Numbers: "
    f"rate in {labels.RATE_UNIT}, with a star where it is significant."
)
SHORT = " Rates over so few years have a wider scale than those over a century."
MOST_REGIONS = 7  # whose seasons are drawn; tables and the map have all


def _layer_list(layers: Sequence[int]) -> str:
    return joined([labels.layer_title(layer) for layer in layers])


def moisture_picture(
    folder: Folder, place: Place, moisture: Moisture, layers: Sequence[int], title: str
) -> Picture:
    """Draw the maps of mean moisture."""
    years = labels.years_title(moisture.period)
    return folder.draw(
        "moisture",
        lambda: trend_maps.moisture_maps(place, moisture, layers),
        f"Mean soil moisture, {years}",
        "One scale for all layers and scenarios. White: outside the regions.",
        f"Maps of mean soil moisture at {_layer_list(layers)}, {title}, {years}.",
    )


def spread_pictures(
    folder: Folder, place: Place, moisture: Moisture, layers: Sequence[int], title: str
) -> list[Picture]:
    """Draw the maps of the spread over the fold models; none where the product has none."""
    spread, years = moisture.spread, labels.years_title(moisture.period)
    if spread is None:
        return []
    picture = folder.draw(
        "spread",
        lambda: trend_maps.spread_maps(place, spread, layers),
        f"Disagreement of the folds, {years}",
        "Mean standard deviation of five folds, each blind to other years: a lower bound of the "
        "uncertainty, since all of them learn from the same target and the same climate models.",
        f"Maps of the spread over the fold models at {_layer_list(layers)}, {title}, {years}.",
    )
    return [picture]


def slope_pictures(
    folder: Folder, place: Place, trends: Trends, layers: Sequence[int]
) -> list[Picture]:
    """Draw the maps of annual and of seasonal Sen slopes over the main period."""
    period, title = trends.main_period, labels.experiment_title(trends.experiment)
    years = labels.years_title(period)
    pictures = []
    for name, seasons, what in (
        ("slope_annual", ("annual",), "annual"),
        ("slope_seasons", labels.QUARTERS, "seasonal"),
    ):
        shares = [
            trend_maps.significant_share(trends, place, season, period, layers[0])
            for season in seasons
        ]
        said = joined(
            [
                f"{labels.season_title(season)} {wetter:.0f} % wetter and {drier:.0f} % drier"
                for season, (wetter, drier) in zip(seasons, shares, strict=True)
            ]
        )
        pictures.append(
            folder.draw(
                name,
                partial(trend_maps.slope_maps, place, trends, period, layers, seasons),
                f"Trend of {what} soil moisture, {years}",
                f"Sen slope. {DOTS} {SAME_SCALE}{SHORT if style.is_short(period) else ''}",
                f"Maps of {what} Sen slopes at {_layer_list(layers)}, {title}, {years}. Area with "
                f"a significant trend at {labels.layer_title(layers[0])}: {said}.",
            )
        )
    return pictures


def change_pictures(
    folder: Folder, place: Place, trends: Trends, layers: Sequence[int]
) -> list[Picture]:
    """Draw the maps of annual changes by period and of seasonal ones by the end of the century.

    None where there is no future.
    """
    future = trends.future_period
    if future is None or "change_percent" not in trends.maps:
        return []
    title = labels.experiment_title(trends.experiment)
    reference = labels.years_title(trends.reference_period)
    periods = [str(period) for period in trends.maps["future_period"].values]
    pictures = []
    for name, seasons, parts, what in (
        ("change_annual", ("annual",), periods, "annual"),
        ("change_seasons", labels.QUARTERS, [future], "seasonal"),
    ):
        spell = f"{joined(list(map(labels.years_title, parts)))} against {reference}"
        pictures.append(
            folder.draw(
                name,
                partial(trend_maps.change_maps, place, trends, layers, seasons, parts),
                f"Change of {what} soil moisture, {spell}",
                f"In percent of the reference mean. {SAME_SCALE}",
                f"Maps of the percent change of {what} soil moisture at {_layer_list(layers)}, "
                f"{title}, {spell}.",
            )
        )
    return pictures


def series_pictures(folder: Folder, trends: Trends) -> list[Picture]:
    """Draw the annual series of every region and the seasonal ones of all together."""
    period, title = trends.main_period, labels.experiment_title(trends.experiment)
    years = labels.years_title(period)
    slope = labels.rate(trends.slope(trends.whole, "annual", period, trends.layers[0]))
    return [
        folder.draw(
            "series_annual",
            lambda: series.regional_series(trends, period),
            "Annual soil moisture by region",
            f"Trends over {years}. {SEN}{series.shown_regions(trends)}",
            f"Line charts of annual soil moisture by region and layer, {title}; the rate of the "
            f"whole at {labels.layer_title(trends.layers[0])} is {slope} "
            f"{labels.RATE_UNIT}.",
        ),
        folder.draw(
            "series_seasons",
            lambda: series.seasonal_series(trends, period, trends.whole),
            f"Seasonal soil moisture of {labels.region_words(trends.whole)}",
            f"Trends over {years}. {SEN}",
            f"Line charts of soil moisture by season and layer, {title}.",
        ),
    ]


def region_season_pictures(folder: Folder, trends: Trends) -> list[Picture]:
    """Draw the seasonal series of each region, as far as regions have panels."""
    period, title = trends.main_period, labels.experiment_title(trends.experiment)
    return [
        folder.draw(
            f"series_seasons_{number}",
            partial(series.seasonal_series, trends, period, region),
            f"Seasonal soil moisture of {labels.region_words(region)}",
            f"Trends over {labels.years_title(period)}. {SEN}",
            f"Line charts of soil moisture of {labels.region_words(region)} by season and layer, "
            f"{title}.",
        )
        for number, region in enumerate(trends.region_names[1:MOST_REGIONS], start=1)
    ]


def period_pictures(folder: Folder, trends: Trends) -> list[Picture]:
    """Draw rates and changes by period, season and layer, as far as there are such periods."""
    title, region = labels.experiment_title(trends.experiment), labels.region_title(trends.whole)
    pictures = [
        folder.draw(
            "period_rates",
            lambda: bars.period_rates(trends, trends.whole),
            f"Rate by period, {region}",
            "Sen slope within each period, by season and layer; hollow bars are not significant. "
            "Rates of 20 or 30 years swing with the weather far more than those of a century.",
            f"Bar charts of Sen slopes by layer, season and period, {title}.",
        )
    ]
    if trends.future_period is not None:
        pictures.append(
            folder.draw(
                "period_means",
                lambda: bars.period_means(trends, trends.whole),
                f"Mean by period, {region}",
                "By season and layer.",
                f"Charts of mean soil moisture by layer, season and period, {title}.",
            )
        )
        pictures.append(
            folder.draw(
                "period_changes",
                lambda: bars.period_changes(trends, trends.whole),
                f"Change by period, {region}",
                f"Against {labels.years_title(trends.reference_period)}, by season and layer.",
                f"Bar charts of percent changes by season, period and layer, {title}.",
            )
        )
    return pictures
