"""Plain sentences over all scenarios: direction, rates, changes, and how many models agree."""

import math
from collections.abc import Sequence

import numpy as np

from soilfuse import names
from soilfuse.report import labels
from soilfuse.report.records import Test, Trends
from soilfuse.report.words import counted, joined

Tested = list[tuple[Trends, Test]]


def scenarios_summary(all_trends: Sequence[Trends]) -> list[str]:
    """Compare the scenarios: trends of the top layer, changes of every layer, the models' signs."""
    scenarios = [trends for trends in all_trends if trends.experiment != names.HISTORICAL]
    tested = [(trends, trends.test(*_key(trends))) for trends in scenarios]
    tested = [(trends, test) for trends, test in tested if math.isfinite(test.slope)]
    return [
        *_directions(tested),
        *_rates(tested),
        *_change_ranges(scenarios),
        *_models_beside(tested),
    ]


def _key(trends: Trends) -> tuple[str, str, str, int]:
    return trends.whole, "annual", trends.main_period, trends.layers[0]


def _directions(tested: Tested) -> list[str]:
    """Say in how many scenarios the soil gets wetter, drier or neither."""
    if not tested:
        return []
    wetter = sum(test.significant and test.slope > 0 for _, test in tested)
    drier = sum(test.significant and test.slope < 0 for _, test in tested)
    neither = len(tested) - wetter - drier
    first, number = tested[0][0], len(tested)
    what = (
        f"the soil of {labels.region_words(first.whole)} at {labels.layer_title(first.layers[0])}"
    )
    years = f"from {' to '.join(map(str, labels.years_of(first.main_period)))}"
    for some, word in ((wetter, "wetter"), (drier, "drier")):
        if some == number:
            return [f"{_all(number)} {what} gets significantly {word} {years}{_held(tested)}."]
    if neither == number:
        return [f"{_all(number)} {what} shows no significant trend {years}."]
    parts = [
        f"gets significantly {word} in {counted(some)}"
        for some, word in ((wetter, "wetter"), (drier, "drier"))
        if some
    ]
    if neither:
        parts.append(f"shows no significant trend in {counted(neither)}")
    return [f"Of {counted(number)} scenarios {what} {joined(parts)} {years}."]


def _all(number: int) -> str:
    if number < 3:
        return ("In the one scenario", "In both scenarios")[number - 1]
    return f"In all {counted(number)} scenarios"


def _held(tested: Tested) -> str:
    """Say in how many scenarios the trend also holds where years are not independent."""
    held = sum(test.significant_hamed_rao for _, test in tested)
    if not any(math.isfinite(test.p_hamed_rao) for _, test in tested):
        return ""
    number = len(tested)
    of = "in all of them" if held == number > 1 else f"in {counted(held)} of {counted(number)}"
    return f"; {of} this holds where the memory of the years is taken into account too"


def _rates(tested: Tested) -> list[str]:
    said = [
        f"{labels.starred(test.slope, test.significant)} under "
        f"{labels.experiment_title(trends.experiment)}"
        for trends, test in tested
    ]
    if not said:
        return []
    return [f"Its rates are {joined(said)} ({labels.RATE_UNIT}; a star marks a significant trend)."]


def _change_ranges(scenarios: Sequence[Trends]) -> list[str]:
    first = scenarios[0] if scenarios else None
    if first is None or first.future_period is None:
        return []
    parts = []
    for layer in first.layers:
        changes = [
            trends.change(trends.whole, "annual", first.future_period, layer)
            for trends in scenarios
        ]
        known = [value for value in changes if math.isfinite(value)]
        if known:
            ends = dict.fromkeys(labels.signed(end(known), 1) for end in (min, max))
            parts.append(f"{' to '.join(ends)} % at {labels.layer_title(layer)}")
    if not parts:
        return []
    return [
        f"Change of the annual mean, {labels.years_title(first.future_period)} against "
        f"{labels.years_title(first.reference_period)}, across {counted(len(scenarios))} "
        f"scenario{'s' if len(scenarios) > 1 else ''}: {joined(parts)}."
    ]


def _models_beside(tested: Tested) -> list[str]:
    """Say how many climate models have the sign of each scenario's trend."""
    said = []
    for trends, test in tested:
        region, season, period, _ = _key(trends)
        own = trends.of_models(region, season, period)["slope"]
        if len(own):
            same = int((np.sign(own) == np.sign(test.slope)).sum())
            title = labels.experiment_title(trends.experiment)
            said.append(f"{same} of {len(own)} under {title}")
    if not said:
        return []
    return [
        f"So many climate models have the same sign in their own upper 10 cm: {joined(said)}. The "
        "product is made of them, so this is no second witness."
    ]
