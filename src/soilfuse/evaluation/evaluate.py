"""The whole evaluation of a candidate beside the baselines, in one pass an experiment."""

import numpy as np
import pandas as pd

from soilfuse import config
from soilfuse.evaluation.blocks import FINAL
from soilfuse.evaluation.caveats import caveats
from soilfuse.evaluation.contenders import contenders
from soilfuse.evaluation.future import SlopeOf
from soilfuse.evaluation.intervals import headline
from soilfuse.evaluation.judging import final_months_of, score_method
from soilfuse.evaluation.material import Material, Method
from soilfuse.evaluation.outputs import (
    Evaluation,
    nested_future,
    nested_scores,
    nested_stations,
)
from soilfuse.evaluation.tables import Judged, made_tables
from soilfuse.evaluation.yardsticks import ClimateModels, baseline_method
from soilfuse.names import FINAL_TEST, HISTORICAL


def _climate_models(material: Material, final_months: np.ndarray | None) -> ClimateModels:
    kept = {HISTORICAL: material.outer_months}
    if FINAL_TEST in material.experiments:
        # Of historical's last years it is the years after, also where it is no test.
        kept[FINAL_TEST] = material.outer_months[:0] if final_months is None else final_months
    return ClimateModels(material.inputs, kept, material.regions[material.whole])


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
    given = settings, seed, sens_slope
    return _assembled(Judged(methods, scored, material, models, final_months, *given))


def _assembled(judged: Judged) -> Evaluation:
    scored, material = judged.scored, judged.material
    name = scored[0].name
    made = made_tables(judged)
    scores = pd.concat([method.scores for method in scored], ignore_index=True)
    of_whole = scores[scores["region"] == material.whole]
    of_intervals = headline(made["intervals"], material.whole)
    of_spread = made["spread"][
        (made["spread"]["region"] == material.whole) & (made["spread"]["block"] == FINAL)
    ]
    others, of_models = contenders(judged, of_whole, made["future"])
    nested = {
        "world": material.world,
        **nested_scores(of_whole, name),
        **nested_future(made["future"], name),
        **nested_stations(made["station_medians"], name),
    }
    years = judged.methods[0].smoothing_years
    return Evaluation(
        metrics=nested,
        tables={"scores": scores, **made, **of_models},
        caveats=caveats(name, of_whole, of_intervals, made["future"], years, of_spread),
        months=material.outer_months,
        monthly=scored[0].outer[:, :, judged.place],
        contenders=others,
    )
