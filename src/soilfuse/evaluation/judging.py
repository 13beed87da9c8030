"""One method under every measure: gridded scores by block and fold, and the stations."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from soilfuse import names
from soilfuse.evaluation.fields import field_statistics, region_weights
from soilfuse.evaluation.material import Material, Method, Series
from soilfuse.evaluation.metrics import require_overlap
from soilfuse.evaluation.scores import score_table
from soilfuse.evaluation.stations import station_scores
from soilfuse.training.folds import final_test


@dataclass(frozen=True)
class Scored:
    """One method's sums (T, D, G, S), out of fold and of the final test, and score rows."""

    name: str
    outer: np.ndarray
    scores: pd.DataFrame
    stations: pd.DataFrame
    final: np.ndarray | None = None


def final_months_of(candidate: Method, material: Material) -> np.ndarray | None:
    """Return the final test's months, None where inputs, target or prediction lack them."""
    months = final_test()
    if names.FINAL_TEST not in material.experiments or candidate.final is None:
        return None
    return months if material.target.covers(months) else None


def block_statistics(
    method: str, series: Series, months: np.ndarray, material: Material, block: str
) -> np.ndarray:
    """Return the (T, D, G, S) sums of a method over the months of a block."""
    prediction = series.at(months, f"the {block} prediction of {method}")
    truth = material.target.at(months, "the target")
    weights = region_weights(material.grid.area, material.regions)
    statistics = field_statistics(prediction, truth, months, weights)
    require_overlap(statistics, f"{method}, {block}")
    return statistics


def score_method(method: Method, material: Material, final_months: np.ndarray | None) -> Scored:
    """Score one method out of fold, by fold, in the final test and at the stations."""
    regions = list(material.regions)
    months = material.outer_months
    outer = block_statistics(method.name, method.outer, months, material, "out_of_fold")
    tables = [score_table(method.name, "out_of_fold", outer, months, regions)]
    for fold in material.folds:
        here = np.isin(months, fold.outer)
        part, block = outer[here], f"fold_{fold.index}"
        tables.append(score_table(method.name, block, part, months[here], regions, ("annual",)))
    blocks, final = [("out_of_fold", method.outer)], None
    if final_months is not None and method.final is not None:
        final = block_statistics(method.name, method.final, final_months, material, "final_test")
        tables.append(score_table(method.name, "final_test", final, final_months, regions))
        blocks.append(("final_test", method.final))
    stations = [
        station_scores(
            method.name, block, series.values, series.time, material.stations, material.grid
        )
        for block, series in blocks
    ]
    return Scored(method.name, outer, pd.concat(tables), pd.concat(stations), final)


def reference_stations(material: Material, final_months: np.ndarray | None) -> pd.DataFrame:
    """Hold the target itself, and ERA5-Land, against the stations (Li et al. 2024, figure 5).

    ERA5-Land has no rows in a block whose months it does not cover.
    """
    blocks = {"out_of_fold": material.outer_months}
    if final_months is not None:
        blocks["final_test"] = final_months
    references = {names.TARGET: material.target}
    if material.reanalysis is not None:
        references[names.ERA5_LAND] = material.reanalysis
    parts = [
        station_scores(
            name, block, series.at(months, name), months, material.stations, material.grid
        )
        for name, series in references.items()
        for block, months in blocks.items()
        if name == names.TARGET or series.covers(months)
    ]
    return pd.concat(parts)
