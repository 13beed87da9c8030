"""Plain sentences of scores: skill beside the baselines, errors of the future, verdict."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from soilfuse import names
from soilfuse.report import labels
from soilfuse.report.evaluation_figures import methods_of
from soilfuse.report.records import Evaluation, pick, value_of
from soilfuse.report.words import counted, joined

if TYPE_CHECKING:
    import pandas as pd

HELD_OUT = "out_of_fold"
BLOCK_TITLES = {
    HELD_OUT: "held-out years of 2000–2014",
    "final_test": "final test, 2016–2021",
}


def headline(evaluation: Evaluation, block: str) -> "pd.DataFrame":
    """Return the annual scores of one block over all regions; empty where there are none."""
    return pick(evaluation.scores, block=block, season="annual", region=evaluation.whole)


def intervals_of(evaluation: Evaluation, block: str) -> "pd.DataFrame | None":
    """Return the annual intervals of one block over all regions; None where none were made."""
    table = evaluation.table("intervals")
    if table is None:
        return None
    return pick(table, block=block, season="annual", region=evaluation.whole)


def skill_sentences(evaluation: Evaluation) -> list[str]:
    """Say how the ensemble's error compares with every baseline, better or worse."""
    rows = pick(headline(evaluation, HELD_OUT), metric="rmse")
    own, *others = methods_of(rows) or [""]
    if not others:
        return ["The scores hold no baseline to compare the ensemble with."]
    layers = sorted(int(layer) for layer in rows["layer"].unique() if layer > 0)
    table = {
        method: {layer: value_of(rows, "value", method=method, layer=layer) for layer in layers}
        for method in (own, *others)
    }
    first = layers[0]
    error = table[own][first]
    if not math.isfinite(error):
        return [f"The error of {_named(own)} at {labels.layer_title(first)} is missing."]
    beside = [_beside(error, table[other][first], other) for other in others]
    best = sum(
        all(table[own][layer] <= table[other][layer] for other in others) for layer in layers
    )
    return [
        f"In {BLOCK_TITLES[HELD_OUT]}, the RMSE of {_named(own)} at {labels.layer_title(first)} is "
        f"{labels.plain(error, 4)} {labels.UNIT}: {joined(beside)}.",
        f"{_named(own).capitalize()} has the lowest RMSE of all methods in {counted(best)} of "
        f"{counted(len(layers))} layers.",
        *_anomaly_sentence(evaluation, own, first),
    ]


def _named(own: str) -> str:
    return "the candidate ensemble" if own == labels.CANDIDATE else "the ensemble"


def _beside(error: float, other: float, method: str) -> str:
    title = labels.method_words(method)
    if not math.isfinite(other) or other == 0:
        return f"not comparable with {title}"
    percent = 100 * (error / other - 1)
    if round(abs(percent), 1) == 0:
        return f"equal to {title}"
    return f"{abs(percent):.1f} % {'below' if percent < 0 else 'above'} {title}"


def _anomaly_sentence(evaluation: Evaluation, own: str, layer: int) -> list[str]:
    rows = pick(headline(evaluation, HELD_OUT), metric="anomaly_r", method=own)
    correlation = value_of(rows, "value", layer=layer)
    if not math.isfinite(correlation):
        return []
    return [
        "The correlation of its monthly anomalies with the target's at "
        f"{labels.layer_title(layer)} is {labels.plain(correlation, 2)}; free-running climate "
        "models do not share the weather of the observed years, so a value near 0 is expected of "
        "any method."
    ]


def future_sentence(evaluation: Evaluation) -> list[str]:
    """Compare the methods' errors of the projected change where the true future is known."""
    future = evaluation.table("future")
    if future is None:
        return []
    changes = future[
        future["quantity"].astype(str).str.match(r"change_\d") & (future["layer"] == 1)
    ]
    errors = {
        method: float(pick(changes, method=method)["rmse"].mean()) for method in methods_of(future)
    }
    known = {method: error for method, error in errors.items() if math.isfinite(error)}
    if len(known) < 2:
        return []
    said = [
        f"{labels.method_words(method)} {labels.plain(error, 5)}"
        for method, error in sorted(known.items(), key=lambda item: item[1])
    ]
    return [
        "Where the true future is known, the error of the projected change at "
        f"{labels.layer_title(1)}, over all scenarios, is, best first: {joined(said)} "
        f"({labels.UNIT})."
    ]


def candidate_caveat(verdict: Mapping[str, Any]) -> list[str]:
    """Say whose the scores are, where they are not those of the champion behind the products."""
    behind = "the champion"
    if _simple(verdict) and verdict.get("promoted"):
        return []  # method_caveat names it
    if _simple(verdict):
        # The networks whose scores are shown may be the champion: the verdict does not tell.
        behind = "the champion, which may be another"
        why = (
            f"{_simple(verdict)} was not promoted, and the networks that were trained last were "
            "not judged"
        )
    elif verdict.get("pin") is not None:
        why = f"registered version {verdict['pin']} is kept as champion by params.yaml:promote.pin"
    elif not verdict.get("promoted"):
        why = "the ensemble that was trained last was not promoted"
    else:
        return []
    return [
        f"The scores on this page are those of the candidate, the ensemble that was trained last; "
        f"the maps and trends are made by {behind}: {why}."
    ]


def method_caveat(champion: Mapping[str, Any]) -> list[str]:
    """Say where a simple method made the maps, in the place of the networks."""
    method = str(champion.get("method", names.ENSEMBLE))
    if method == names.ENSEMBLE:
        return []
    return [
        f"The maps and trends are made by {names.method_title(method)}, which was promoted in the "
        "place of the networks (params.yaml:promote.method)."
    ]


def champion_caveats(
    champion: Mapping[str, Any], world: str | None = None, besides: Sequence[str] = ()
) -> list[str]:
    """Return what stands before any number that the champion made.

    world: that of the product, of the champion's record where None; besides: sentences that come
    before those that the champion was promoted with.
    """
    return [
        *world_caveat(str(champion.get("world", "")) if world is None else world),
        *method_caveat(champion),
        *besides,
        *map(str, champion.get("caveats", [])),
    ]


def _simple(verdict: Mapping[str, Any]) -> str:
    """Return the title of the simple method that was judged, "" where the networks were."""
    method = str(verdict.get("method", names.ENSEMBLE))
    judged = method != names.ENSEMBLE and verdict.get("pin") is None
    return names.method_title(method) if judged else ""


def verdict_sentence(verdict: Mapping[str, Any]) -> str:
    """Say whether the ensemble was promoted and which checks failed."""
    whose = _simple(verdict) or "the latest ensemble"
    whose = whose[0].upper() + whose[1:]
    checks = verdict.get("checks", [])
    failed = [str(check.get("name")) for check in checks if not check.get("passed")]
    if verdict.get("pin") is not None:
        return (
            f"Registered version {verdict['pin']} is champion because params.yaml:promote.pin says "
            "so; the ensemble that was trained last was not judged."
        )
    if verdict.get("promoted"):
        ending = "" if len(checks) == 1 else "s"
        passed = f"{counted(len(checks))} check{ending}" if checks else "its checks"
        but = f", although it failed {joined(failed)}" if failed else ""
        return f"{whose} was promoted after {passed}{but}."
    why = f": it failed {joined(failed)}" if failed else ""
    return (
        f"{whose} was not promoted{why}; the maps and trends are those of the champion before it."
    )


def world_caveat(world: str) -> list[str]:
    """Return the sentence that no page of a pseudo-reality may lack."""
    if world in ("", "real"):
        return []
    return [
        f"All numbers come from the built-in pseudo-reality ({world}), a test world whose truth "
        "is known. They say how well the method works, not how wet the real region is or will be."
    ]
