"""Plain sentences made from the numbers, and from nothing else.

A trend that is not significant is said to be none, a falling one is said to fall, and a number
that is missing is said to be missing.
"""

import math

import numpy as np

from soilfuse.report import labels
from soilfuse.report.records import PART_YEARS, Test, Trends
from soilfuse.report.shares import area_sentence, outside_sentence
from soilfuse.report.words import amount, counted, joined, p_words, season_words, verb


def trend_sentence(trends: Trends, region: str, season: str, period: str, layer: int) -> str:
    """Say direction, rate, significance, place, depth and years of one trend."""
    what = f"{season_words(season)} soil moisture at {labels.layer_title(layer)}"
    where = f"of {labels.region_words(region)} in {labels.years_title(period)}"
    test = trends.test(region, season, period, layer)
    if not math.isfinite(test.slope):
        return f"No trend could be computed for the {what} {where}: too few valid years."
    p = p_words(test.p)
    if not test.significant:
        chance = f", {p}" if p else ""
        return (
            f"The {what} {where} shows no significant trend ({labels.signed(test.slope * 10, 5)} "
            f"{labels.UNIT} per decade{chance})."
        )
    chance = f" ({p})" if p else ""
    said = f"The {what} {where} {verb(test.slope)} significantly, by {amount(test.slope)}{chance}"
    return f"{said}{_with_memory(test, period)}."


def _with_memory(test: Test, period: str) -> str:
    """Say whether a significant trend stays so where years are not taken for independent.

    Nothing of periods that are too short to tell (docs/trends.md).
    """
    p = p_words(test.p_hamed_rao)
    first, last = labels.years_of(period)
    if not p or last - first + 1 < PART_YEARS:
        return ""
    stays = "stays so" if test.significant_hamed_rao else "does not stay so"
    return f"; it {stays} where the memory of the years is taken into account ({p})"


def layers_sentence(trends: Trends, region: str, season: str, period: str) -> str:
    """Say how many layers get wetter, drier or neither, and which is fastest."""
    slopes = {layer: trends.slope(region, season, period, layer) for layer in trends.layers}
    known = {layer: slope for layer, slope in slopes.items() if math.isfinite(slope)}
    if not known:
        return "No layer has enough valid years for a trend."
    sure = {
        layer: slope
        for layer, slope in known.items()
        if trends.significant(region, season, period, layer)
    }
    sentence = _count_sentence(len(slopes), known, sure)
    if len(sure) > 1:
        fastest = max(sure, key=lambda layer: abs(sure[layer]))
        slowest = min(sure, key=lambda layer: abs(sure[layer]))
        sentence += (
            f"; the fastest significant change is at {labels.layer_title(fastest)} "
            f"({labels.rate(sure[fastest])} × {labels.RATE_UNIT}), the slowest at "
            f"{labels.layer_title(slowest)} ({labels.rate(sure[slowest])})"
        )
    return sentence + "."


def _count_sentence(layers: int, known: dict[int, float], sure: dict[int, float]) -> str:
    wetter = sum(slope > 0 for slope in sure.values())
    drier = len(sure) - wetter
    neither, untested = len(known) - len(sure), layers - len(known)
    if neither == layers > 1:
        return f"None of the {counted(layers)} layers shows a significant trend"
    for number, what in ((wetter, "wetter"), (drier, "drier")):
        if number == layers > 1:
            return f"All {counted(layers)} layers get significantly {what}"
    parts = []
    if wetter:
        parts.append(f"{counted(wetter)} {_get(wetter)} significantly wetter")
    if drier:
        parts.append(f"{counted(drier)} {_get(drier)} significantly drier")
    if neither:
        shows = "shows" if neither == 1 else "show"
        parts.append(f"{counted(neither)} {shows} no significant trend")
    if untested:
        parts.append(f"{counted(untested)} could not be tested")
    return f"Of the {counted(layers)} layers {joined(parts)}"


def _get(number: int) -> str:
    return "gets" if number == 1 else "get"


def seasons_sentence(trends: Trends, region: str, period: str, layer: int) -> str:
    """Name the seasons of the highest and of the lowest rate."""
    slopes = {season: trends.slope(region, season, period, layer) for season in labels.QUARTERS}
    known = {season: slope for season, slope in slopes.items() if math.isfinite(slope)}
    if len(known) < 2:
        return "Seasons cannot be compared: too few of them have a trend."

    def said(season: str) -> str:
        sure = trends.significant(region, season, period, layer)
        return (
            f"{season_words(season).split()[0]} "
            f"({labels.rate(known[season])}{'' if sure else ', not significant'})"
        )

    highest, lowest = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    return (
        f"By season, the rate at {labels.layer_title(layer)} is highest in {said(highest)} and "
        f"lowest in {said(lowest)}, in {labels.RATE_UNIT}."
    )


def regions_sentence(trends: Trends, period: str, layer: int) -> str:
    """Give the annual rate of each region with its significance."""
    parts = []
    for region in trends.region_names[1:]:
        slope = trends.slope(region, "annual", period, layer)
        sure = trends.significant(region, "annual", period, layer)
        if not math.isfinite(slope):
            parts.append(f"unknown in {labels.region_words(region)}")
            continue
        note = "" if sure else ", not significant"
        parts.append(f"{labels.rate(slope)} in {labels.region_words(region)}{note}")
    if not parts:
        return ""
    return (
        f"Annual rates at {labels.layer_title(layer)} by region are {joined(parts)} "
        f"({labels.RATE_UNIT})."
    )


def models_sentence(trends: Trends, region: str, period: str) -> str:
    """Say how many climate models have the sign of the uppermost layer's trend, and their range."""
    models = trends.of_models(region, "annual", period)
    slope = trends.slope(region, "annual", period, trends.layers[0])
    if models.empty or not math.isfinite(slope):
        return ""
    own = models["slope"]
    alike = np.sign(own) == np.sign(slope)
    same, sure = int(alike.sum()), int((models["significant"] & alike).sum())
    low, middle, high = (labels.rate(value) for value in (own.min(), own.median(), own.max()))
    return (
        f"Of {len(models)} climate models {same} have the sign of that rate in their upper 10 cm, "
        f"{sure} of them significantly; their rates run from {low} to {high}, half of them below "
        f"{middle} ({labels.RATE_UNIT}). The product is made of these models, so this is no second "
        "witness."
    )


def periods_sentence(trends: Trends, region: str, layer: int) -> str:
    """Say in which parts of the century the annual trend is significant."""
    parts = [period for period in trends.part_periods if period != trends.main_period]
    sure = [period for period in parts if trends.significant(region, "annual", period, layer)]
    unsure = [period for period in parts if period not in sure]
    if not parts:
        return ""
    lead = f"The annual trend at {labels.layer_title(layer)} is "
    if not sure:
        return f"{lead}significant in none of {joined(list(map(labels.years_title, parts)))}."
    said = [
        f"{labels.years_title(period)} "
        f"({labels.rate(trends.slope(region, 'annual', period, layer))})"
        for period in sure
    ]
    rest = f", but not in {joined(list(map(labels.years_title, unsure)))}" if unsure else ""
    return f"{lead}significant in {joined(said)}{rest}; rates in {labels.RATE_UNIT}."


def change_sentence(trends: Trends, region: str, season: str) -> str:
    """Give the range of changes over the layers between the reference and the last period."""
    future = trends.future_period
    if future is None:
        return ""
    changes = {layer: trends.change(region, season, future, layer) for layer in trends.layers}
    known = {layer: value for layer, value in changes.items() if math.isfinite(value)}
    spell = f"{labels.years_title(future)} against {labels.years_title(trends.reference_period)}"
    if not known:
        return f"The change of {spell} could not be computed."
    low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    lead = f"Change of the {season_words(season)}, {spell}: "
    if low == high:
        return f"{lead}{labels.signed(known[low], 1)} % at {labels.layer_title(low)}."
    return (
        f"{lead}from {labels.signed(known[low], 1)} % at {labels.layer_title(low)} to "
        f"{labels.signed(known[high], 1)} % at {labels.layer_title(high)}."
    )


def page_summary(
    trends: Trends, shares: tuple[float, float], outside: float, outside_period: str
) -> list[str]:
    """Return the sentences at the top of an experiment's page, without empty ones.

    shares: percent of the area with significant wetting and drying; outside: percent of cells and
    months of `outside_period` with an input outside its model's historical range.
    """
    period, layer, whole = trends.main_period, trends.layers[0], trends.whole
    sentences = [
        trend_sentence(trends, whole, "annual", period, layer),
        models_sentence(trends, whole, period),
        layers_sentence(trends, whole, "annual", period),
        seasons_sentence(trends, whole, period, layer),
        regions_sentence(trends, period, layer),
        periods_sentence(trends, whole, layer),
        change_sentence(trends, whole, "annual"),
        area_sentence(*shares, layer),
        outside_sentence(outside, outside_period),
    ]
    return [sentence for sentence in sentences if sentence]
