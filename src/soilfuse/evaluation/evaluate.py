"""The whole evaluation of a candidate beside the baselines, in one pass an experiment."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from soilfuse import config
from soilfuse.baselines.statistics import multi_model_mean
from soilfuse.evaluation.bootstrap import INTERVAL_COLUMNS, paired_intervals
from soilfuse.evaluation.caveats import caveats
from soilfuse.evaluation.fields import region_weights
from soilfuse.evaluation.future import FUTURE_COLUMNS, SlopeOf, all_maps, future_errors
from soilfuse.evaluation.judging import Scored, final_months_of, score_method, target_stations
from soilfuse.evaluation.material import TARGET, Material, Method
from soilfuse.evaluation.outputs import (
    Evaluation,
    nested_future,
    nested_scores,
    nested_stations,
)
from soilfuse.evaluation.stations import station_medians
from soilfuse.evaluation.taylor import cross_statistics, target_rows, taylor_rows
from soilfuse.evaluation.yardsticks import ClimateModels, baseline_method
from soilfuse.names import FINAL_TEST, GATE_BASELINE, HISTORICAL
from soilfuse.progress import progress


def _scenarios(material: Material) -> list[str]:
    """Return the experiments whose future can be judged: none without a truth."""
    if material.truth is None:
        return []
    return [name for name in material.experiments if name != HISTORICAL]


def _climate_models(material: Material, final_months: np.ndarray | None) -> ClimateModels:
    kept = {HISTORICAL: material.outer_months}
    if final_months is not None:
        kept[FINAL_TEST] = final_months
    return ClimateModels(material.inputs, kept)


def _taylor(fields: np.ndarray, material: Material, scored: Sequence[Scored]) -> pd.DataFrame:
    weight = region_weights(material.grid.area, material.regions)[material.whole]
    truth = material.target.at(material.outer_months, "the target")
    place = list(material.regions).index(material.whole)
    of_methods = [(method.name, method.outer[:, :, place].sum(axis=0)) for method in scored]
    of_models = cross_statistics(fields, truth, weight)
    rows = [target_rows(TARGET, of_methods[0][1])]
    rows += [taylor_rows(name, sums) for name, sums in of_methods]
    rows += [
        taylor_rows(name, sums) for name, sums in zip(material.source_ids, of_models, strict=True)
    ]
    if GATE_BASELINE not in (method.name for method in scored):
        mean = multi_model_mean(fields)[:, None]
        rows.append(taylor_rows(GATE_BASELINE, cross_statistics(mean, truth, weight)[0]))
    return pd.concat(rows, ignore_index=True)


def _intervals(
    scored: Sequence[Scored], material: Material, settings: config.Evaluate, seed: int
) -> pd.DataFrame:
    place = list(material.regions).index(material.whole)
    candidate, *others = scored
    parts = [
        paired_intervals(
            candidate.outer[:, :, place],
            other.outer[:, :, place],
            settings.bootstrap_samples,
            settings.bootstrap_block_months,
            seed,
        ).assign(method=other.name)
        for other in others
    ]
    columns = ["method", *INTERVAL_COLUMNS]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _future(methods: Sequence[Method], material: Material, sens_slope: SlopeOf) -> pd.DataFrame:
    scenarios = _scenarios(material)
    if material.truth is None or not scenarios:
        return pd.DataFrame(columns=FUTURE_COLUMNS)
    weight = region_weights(material.grid.area, material.regions)[material.whole].ravel()
    cells = np.flatnonzero(weight > 0)
    truth = all_maps(material.truth, scenarios, cells, sens_slope, "the truth")
    parts = []
    for method in progress(methods, "changes and trends"):
        maps = all_maps(method.future, scenarios, cells, sens_slope, method.name)
        parts.append(future_errors(method.name, maps, truth, weight[cells]))
    return pd.concat(parts, ignore_index=True)


def evaluate(
    candidate: Method,
    material: Material,
    settings: config.Evaluate,
    seed: int,
    sens_slope: SlopeOf,
) -> Evaluation:
    """Score the candidate and every baseline of the settings on the same months and cells.

    sens_slope: (Y, N) annual values -> (N,) slopes per year. The final test needs the inputs of
    ssp245, a target that reaches 2021 and candidate.final; it is left out otherwise. Raises
    UserError where months are missing or nothing overlaps.
    """
    final_months = final_months_of(candidate, material)
    models = _climate_models(material, final_months)
    baselines = [
        baseline_method(name, material, models, final_months) for name in settings.baselines
    ]
    methods = [candidate, *baselines]
    scored = [score_method(method, material, final_months) for method in methods]
    return _assemble(
        scored,
        taylor=_taylor(models.kept(HISTORICAL).values, material, scored),
        intervals=_intervals(scored, material, settings, seed),
        future=_future(methods, material, sens_slope),
        of_target=target_stations(material, final_months),
        material=material,
        smoothing_years=candidate.smoothing_years,
    )


def _assemble(
    scored: Sequence[Scored],
    taylor: pd.DataFrame,
    intervals: pd.DataFrame,
    future: pd.DataFrame,
    of_target: pd.DataFrame,
    material: Material,
    smoothing_years: int,
) -> Evaluation:
    name = scored[0].name
    scores = pd.concat([method.scores for method in scored], ignore_index=True)
    stations = pd.concat([*(method.stations for method in scored), of_target], ignore_index=True)
    of_whole = scores[scores["region"] == material.whole]
    medians = station_medians(stations)
    nested = {
        "world": material.world,
        **nested_scores(of_whole, name),
        **nested_future(future, name),
        **nested_stations(medians, name),
    }
    tables = {
        "scores": scores,
        "intervals": intervals,
        "stations": stations,
        "station_medians": medians,
        "taylor": taylor,
        "future": future,
    }
    place = list(material.regions).index(material.whole)
    return Evaluation(
        metrics=nested,
        tables=tables,
        caveats=caveats(name, of_whole, intervals, future, smoothing_years),
        months=material.outer_months,
        monthly=scored[0].outer[:, :, place],
    )
