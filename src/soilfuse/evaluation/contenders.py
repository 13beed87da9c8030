"""What the gate must know of every method beside the candidate: any of them may be promoted."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from soilfuse.evaluation.caveats import method_caveats
from soilfuse.evaluation.fields import field_statistics, region_weights
from soilfuse.evaluation.prediction_range import Contender
from soilfuse.evaluation.scores import score_table
from soilfuse.names import FINAL_TEST, HISTORICAL, MODEL

if TYPE_CHECKING:
    from soilfuse.evaluation.tables import Judged, Made

ALONE = ("n", "mae", "rmse", "r", "anomaly_r", "bias", "ubrmse")


def climate_models(judged: "Judged") -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Score every climate model alone in all regions together, its one field in each layer.

    Returns scores as `score_table` does, of methods `model:<source_id>`, and the (T, D, S) sums out
    of fold of each.
    """
    material, whole = judged.material, judged.material.whole
    weights = {whole: region_weights(material.grid.area, material.regions)[whole]}
    blocks = {"out_of_fold": (HISTORICAL, material.outer_months)}
    if judged.final_months is not None:
        blocks["final_test"] = FINAL_TEST, judged.final_months
    scores: list[pd.DataFrame] = []
    sums: dict[str, np.ndarray] = {}
    for block, (experiment, months) in blocks.items():
        truth, fields = material.target.at(months, "the target"), judged.models.kept(experiment)
        for place, source_id in enumerate(material.source_ids):
            field = np.broadcast_to(fields.values[:, [place]], truth.shape)
            name, own = f"{MODEL}{source_id}", field_statistics(field, truth, months, weights)
            sums.setdefault(name, own[:, :, 0])
            scores.append(score_table(name, block, own, months, [whole], ("annual",)))
    return pd.concat(scores, ignore_index=True), sums


def models_table(scores: pd.DataFrame) -> "Made":
    """Return the scores of climate models with a column for each metric of ALONE."""
    rows = scores[scores["metric"].isin(ALONE)]
    keys = ["block", "method", "layer"]
    table = rows.pivot(index=keys, columns="metric", values="value")[list(ALONE)].reset_index()
    # Blocks and models as they were scored: pivot sorts them.
    for key in ("layer", "method", "block"):
        order = {name: place for place, name in enumerate(dict.fromkeys(scores[key]))}
        table = table.sort_values(key, key=lambda given, o=order: given.map(o), kind="stable")
    return {"climate_models": table.astype({"n": int})}


def contenders(
    judged: "Judged", of_whole: pd.DataFrame, future: pd.DataFrame
) -> tuple[dict[str, Contender], "Made"]:
    """Return every method beside the candidate by name, and the table of climate models alone.

    of_whole: the scores of all regions together; future: as `tables.future` makes it.
    """
    scores, sums = climate_models(judged)
    ranges = dict(zip(sums, judged.models.seen, strict=True))
    for method, scored in zip(judged.methods[1:], judged.scored[1:], strict=True):
        if method.seen is not None:
            ranges[method.name] = method.seen
            sums[method.name] = scored.outer[:, :, judged.place]
    listed = scores[~scores["method"].isin(of_whole["method"])]
    every = pd.concat([of_whole, listed], ignore_index=True)
    found = {
        name: Contender(ranges[name], sums[name], method_caveats(name, every, future))
        for name in sums
    }
    return found, models_table(scores)
