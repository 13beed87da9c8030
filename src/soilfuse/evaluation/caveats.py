"""Sentences that a reader of the product must see, made from the scores themselves."""

from collections.abc import Iterator, Sequence

import pandas as pd

from soilfuse import names
from soilfuse.evaluation.future import CHANGE
from soilfuse.evaluation.probabilistic import SPREAD

BLOCK_TITLES = {"out_of_fold": "Out of fold (2000-2014)", "final_test": "In the final test"}
NO_SKILL = 0.1  # R of anomalies that inputs without any skill reach (blocked folds)
# The raw mean's change is that of delta change, and its bias correction scales it by the spread of
# the weather: neither is a method that anybody would use for a change.
FUTURE_BASELINES = ("climatology", "delta_change", "quantile_delta_mapping", "ridge")
SPREAD_LEVEL, SPREAD_HOLDS = 0.9, 0.8  # an interval of the first that holds less is told
UNTESTED_FUTURE = (
    "No truth of the future exists for these data: the error of changes and trends after 2014 is "
    "unknown."
)
UNJUDGED_FUTURE = (
    "The changes and trends of this method were not held against the pseudo-reality's truth: "
    "params.yaml:evaluate.baselines does not name it."
)
SPREAD_OF_FITS = (
    "The fold spread is that of five fits to overlapping years, 0 where nothing is learned: it is "
    "no range of uncertainty."
)


def _layers(numbers: Sequence[int], of_all: str = "any") -> str:
    """Name layers; of_all: the word where they are all of them, "any" after a not."""
    shown = ", ".join(str(number) for number in sorted(numbers))
    if len(numbers) == len(names.PRODUCT_LAYERS):
        return f"{of_all} layer"
    return f"layer {shown}" if len(numbers) == 1 else f"layers {shown}"


def _by_layer(scores: pd.DataFrame, metric: str, block: str) -> pd.DataFrame:
    rows = scores[
        (scores["metric"] == metric) & (scores["block"] == block) & (scores["season"] == "annual")
    ]
    return rows.pivot(index="layer", columns="method", values="value")


def _either(titles: Sequence[str]) -> str:
    *most, last = titles
    return f"{', '.join(most)} or {last}" if most else last


def _told(method: str) -> str:
    return method if method == names.ENSEMBLE else names.method_title(method)


def _no_better(scores: pd.DataFrame, candidate: str) -> Iterator[tuple[str, str, list[int]]]:
    """Yield a block's title, another method, and the layers in which it is as good or better."""
    for block, title in BLOCK_TITLES.items():
        table = _by_layer(scores, "rmse", block)
        others = (n for n in (names.ENSEMBLE, *names.BASELINES) if n in table and n != candidate)
        for other in others if candidate in table else ():
            # A score that is missing is no lower one.
            if layers := table.index[~(table[candidate] < table[other])].tolist():
                yield title, names.method_title(other), layers


def _worse_than_others(scores: pd.DataFrame, candidate: str) -> list[str]:
    return [
        f"{title}, {candidate} has no lower RMSE than {other} in {_layers(layers)}."
        for title, other, layers in _no_better(scores, candidate)
    ]


def _worse_in_short(scores: pd.DataFrame, method: str) -> list[str]:
    """Return the same with one sentence a block and set of layers: a poor method has many."""
    found: dict[tuple[str, str], list[str]] = {}
    for title, other, layers in _no_better(scores, method):
        found.setdefault((title, _layers(layers)), []).append(other)
    return [
        f"{title}, {_told(method)} has no lower RMSE than {_either(others)} in {layers}."
        for (title, layers), others in found.items()
    ]


def _undecided(intervals: pd.DataFrame) -> list[str]:
    rows = intervals[
        (intervals["metric"] == "rmse") & (intervals["difference"] < 0) & ~(intervals["high"] < 0)
    ]
    return [
        f"The advantage in RMSE over {names.method_title(str(baseline))} in "
        f"{_layers(here['layer'].tolist(), 'every')} may be chance: its 95 % interval holds 0."
        for baseline, here in rows.groupby("method", sort=False)
    ]


def _without_weather(scores: pd.DataFrame, candidate: str) -> list[str]:
    table = _by_layer(scores, "anomaly_r", "out_of_fold")
    layers = table.index[~(table[candidate] > NO_SKILL)].tolist()
    if not layers:
        return []
    name = _told(candidate)
    name = name if name == candidate else name[0].upper() + name[1:]
    return [
        f"{name} does not reproduce the departures of single months from the climatology in "
        f"{_layers(layers)} (R of anomalies not above {NO_SKILL}); free-running climate models do "
        "not share the observed weather."
    ]


def _worse_future(future: pd.DataFrame, candidate: str) -> list[str]:
    if future.empty:
        return [UNTESTED_FUTURE]
    if candidate not in set(future["method"]):
        return [UNJUDGED_FUTURE]
    rows = future[future["quantity"] == CHANGE]
    table = rows.pivot(index=["experiment", "layer"], columns="method", values="rmse")
    sentences = []
    for baseline in (name for name in FUTURE_BASELINES if name in table and name != candidate):
        worse = table.index[~(table[candidate] < table[baseline])].to_frame(index=False)
        if len(worse):
            where = "; ".join(
                f"{names.EXPERIMENT_TITLES[experiment]} in {_layers(here['layer'].tolist())}"
                for experiment, here in worse.groupby("experiment", sort=True)
            )
            sentences.append(
                f"The change by 2071-2100 of {_told(candidate)} is no nearer to the "
                f"pseudo-reality's truth than that of {names.BASELINE_TITLES[baseline]} under "
                f"{where}."
            )
    return sentences


def _narrow_spread(spread: pd.DataFrame, candidate: str) -> list[str]:
    rows = spread[
        (spread["method"] == candidate)
        & (spread["interval"] == SPREAD)
        & (spread["level"] == SPREAD_LEVEL)
    ]
    narrow = rows[rows["coverage"] < SPREAD_HOLDS]
    if narrow.empty:
        return []
    ends = dict.fromkeys(f"{100 * end:.0f}" for end in narrow["coverage"].agg(["min", "max"]))
    return [
        f"The spread over the networks is no range of uncertainty: in the final test a "
        f"{100 * SPREAD_LEVEL:.0f} % interval made of it holds {' to '.join(ends)} % of the "
        f"observed values in {_layers(narrow['layer'].tolist(), 'every')}."
    ]


def _smoothed(candidate: str, years: int) -> list[str]:
    if years == 1:
        return []
    return [
        f"{candidate} sees climate models smoothed over {years} years: it has the seasonal cycle "
        "and the forced change, but hardly any weather from year to year. Nearly every trend of it "
        "passes a test of significance; take the size of a trend from it, not its p."
    ]


def caveats(
    candidate: str,
    scores: pd.DataFrame,
    intervals: pd.DataFrame,
    future: pd.DataFrame,
    smoothing_years: int,
    spread: pd.DataFrame,
) -> list[str]:
    """Return the sentences, the gravest first: worse than a baseline, by chance, no test at all.

    scores: those of all regions together; intervals: those of intervals.headline;
    smoothing_years: as of evaluation.material.Method; spread: coverage of all regions together.
    """
    return [
        *_worse_than_others(scores, candidate),
        *_worse_future(future, candidate),
        *_smoothed(candidate, smoothing_years),
        *_narrow_spread(spread, candidate),
        *_undecided(intervals),
        *_without_weather(scores, candidate),
        names.STATIONS_CAVEAT,
    ]


def method_caveats(method: str, scores: pd.DataFrame, future: pd.DataFrame) -> list[str]:
    """Return the same of a method beside the candidate, whose spread nobody has scored."""
    return [
        *_worse_in_short(scores, method),
        *_worse_future(future, method),
        SPREAD_OF_FITS,
        *_without_weather(scores, method),
        names.STATIONS_CAVEAT,
    ]
