"""The tables of an evaluation beyond the scores, each made from the same judged methods."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from soilfuse import config
from soilfuse.baselines.statistics import multi_model_mean
from soilfuse.evaluation.curves import curves
from soilfuse.evaluation.density import density_table, joint_histogram
from soilfuse.evaluation.fields import region_weights
from soilfuse.evaluation.future import (
    FUTURE_COLUMNS,
    Maps,
    SlopeOf,
    future_errors,
    future_maps,
    reference_mean,
)
from soilfuse.evaluation.future_spread import LEVELS, future_rows
from soilfuse.evaluation.intervals import intervals
from soilfuse.evaluation.judging import Scored, reference_stations
from soilfuse.evaluation.material import Material, Method, Series
from soilfuse.evaluation.parts_of_r import parts
from soilfuse.evaluation.probabilistic import conformal_half_widths
from soilfuse.evaluation.spectrum import spectra
from soilfuse.evaluation.spread_tables import inside_of, residuals_of, spread_tables
from soilfuse.evaluation.stations import station_medians, station_quartiles
from soilfuse.evaluation.taylor import cross_statistics, target_rows, taylor_rows
from soilfuse.evaluation.yardsticks import ClimateModels
from soilfuse.names import (
    BASELINES,
    ERA5_LAND,
    ERA5_LAND_LAYERS,
    GATE_BASELINE,
    HISTORICAL,
    PRODUCT_LAYERS,
    TARGET,
)
from soilfuse.progress import progress
from soilfuse.sources.depths import covered_shares


@dataclass(frozen=True)
class Judged:
    """Methods with their sums and scores, the candidate first, and what they were judged by.

    final_months: (T,) of the final test, None where there is none; sens_slope: (Y, N) annual values
    -> (N,) slopes per year.
    """

    methods: Sequence[Method]
    scored: Sequence[Scored]
    material: Material
    models: ClimateModels
    final_months: np.ndarray | None
    settings: config.Evaluate
    seed: int
    sens_slope: SlopeOf

    @property
    def place(self) -> int:
        """The index of all regions together along the sums' third axis."""
        return list(self.material.regions).index(self.material.whole)


Made = Mapping[str, pd.DataFrame]


def taylor(judged: Judged) -> Made:
    """Return the Taylor statistics of target, methods and climate models by layer."""
    material = judged.material
    fields = judged.models.kept(HISTORICAL).values
    weight = region_weights(material.grid.area, material.regions)[material.whole]
    truth = material.target.at(material.outer_months, "the target")
    of_methods = [(m.name, m.outer[:, :, judged.place].sum(axis=0)) for m in judged.scored]
    of_models = cross_statistics(fields, truth, weight)
    rows = [target_rows(TARGET, of_methods[0][1])]
    rows += [taylor_rows(name, sums) for name, sums in of_methods]
    rows += [
        taylor_rows(name, sums) for name, sums in zip(material.source_ids, of_models, strict=True)
    ]
    if GATE_BASELINE not in (method.name for method in judged.scored):
        mean = multi_model_mean(fields)[:, None]
        rows.append(taylor_rows(GATE_BASELINE, cross_statistics(mean, truth, weight)[0]))
    return {"taylor": pd.concat(rows, ignore_index=True)}


def future(judged: Judged) -> Made:
    """Return the errors of change and slope against the truth, and what the spread is worth there.

    Without rows where no truth is known. A scenario at a time, so that its truth is read once and
    no two predictions are in memory.
    """
    material = judged.material
    scenarios = [name for name in material.experiments if name != HISTORICAL]
    if material.truth is None or not scenarios:
        return {"future": pd.DataFrame(columns=FUTURE_COLUMNS)}
    inside = inside_of(judged)
    widths = [conformal_half_widths(own, LEVELS) for own in residuals_of(judged, inside)]
    weight = region_weights(material.grid.area, material.regions)[material.whole].ravel()
    cells = np.flatnonzero(weight > 0)
    sources = {"the truth": material.truth, **{own.name: own.future for own in judged.methods}}
    before = {name: reference_mean(source, cells, name) for name, source in sources.items()}

    def maps_of(name: str, scenario: str, series: Series) -> Maps:
        what = f"{name} of {scenario}"
        return future_maps(series, before[name], cells, judged.sens_slope, what)

    parts: dict[str, list[pd.DataFrame]] = {"future": [], "spread": [], "crps": []}
    for scenario in progress(scenarios, "changes, trends and spread"):
        truth = material.truth(scenario)
        true_maps = maps_of("the truth", scenario, truth)
        for method, half_widths in zip(judged.methods, widths, strict=True):
            series, name = method.future(scenario), method.name
            own = maps_of(name, scenario, series)
            parts["future"].append(future_errors(name, scenario, own, true_maps, weight[cells]))
            rows = future_rows(name, scenario, series, truth, half_widths, inside)
            for stem, table in rows.items():
                parts[stem].append(table)
    return {stem: pd.concat(tables, ignore_index=True) for stem, tables in parts.items()}


def stations(judged: Judged) -> Made:
    """Return the scores of methods, target and ERA5-Land by station series, and their quartiles."""
    references = reference_stations(judged.material, judged.final_months)
    of_methods = (method.stations for method in judged.scored)
    scores = pd.concat([*of_methods, references], ignore_index=True)
    bounds = (np.array(layers) for layers in (ERA5_LAND_LAYERS, PRODUCT_LAYERS))
    covered = {ERA5_LAND: covered_shares(*bounds)}
    return {
        "stations": scores,
        "station_medians": station_medians(scores),
        "station_quartiles": station_quartiles(scores, covered),
    }


def density(judged: Judged) -> Made:
    """Return how often the target and the candidate's out-of-fold prediction meet, by class."""
    material, months = judged.material, judged.material.outer_months
    candidate = judged.methods[0]
    prediction = candidate.outer.at(months, f"the out-of-fold prediction of {candidate.name}")
    weight = region_weights(material.grid.area, material.regions)[material.whole]
    sums = joint_histogram(prediction, material.target.at(months, "the target"), weight)
    return {"density": density_table(sums)}


def scores_by_layer(judged: Judged) -> Made:
    """Return each method's out-of-fold RMSE as a column, what `dvc plots show` draws by layer.

    Baselines that were not scored have their column too, empty, so that plots find it.
    """
    scores = pd.concat([method.scores for method in judged.scored])
    where = {"block": "out_of_fold", "season": "annual", "region": judged.material.whole}
    for column, wanted in {**where, "metric": "rmse"}.items():
        scores = scores[scores[column] == wanted]
    table = scores.pivot(index="layer", columns="method", values="value")
    columns = [judged.methods[0].name, *BASELINES]
    return {"scores_by_layer": table.reindex(columns=columns).reset_index()}


MAKERS: tuple[Callable[[Judged], Made], ...] = (
    taylor,
    intervals,
    spread_tables,
    future,
    parts,
    spectra,
    stations,
    density,
    scores_by_layer,
)


def made_tables(judged: Judged) -> dict[str, pd.DataFrame]:
    """Return every table by the stem of its file in results/evaluate.

    Tables of one stem by several makers are joined, in the order of MAKERS.
    """
    made: dict[str, pd.DataFrame] = {}
    for make in MAKERS:
        for stem, table in make(judged).items():
            before = made.get(stem)
            joined = before is not None and len(before)
            made[stem] = pd.concat([before, table], ignore_index=True) if joined else table
    return made | curves(made, judged.methods[0].name, judged.material.whole)
