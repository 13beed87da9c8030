"""The baselines as methods: out of fold for each fold, and on all training years beyond them."""

from collections.abc import Mapping

import numpy as np

from soilfuse.baselines.methods import Baseline
from soilfuse.baselines.registry import build
from soilfuse.baselines.statistics import multi_model_mean
from soilfuse.evaluation.material import Material, Method, Series
from soilfuse.names import FINAL_TEST, HISTORICAL


def ensemble_series(models: Series) -> Series:
    """Return the multi-model mean as (T, 1, H, W): all that a baseline needs of the models."""
    return Series(models.time, multi_model_mean(models.values)[:, None])


def _fitted(name: str, mean: Series, target: Series, months: np.ndarray) -> Baseline:
    inputs = mean.at(months, f"the climate models of {HISTORICAL}")
    return build(name).fit(inputs, target.at(months, "the target"), months)


def _out_of_fold(name: str, material: Material, mean: Series) -> Series:
    months = material.outer_months
    values = np.empty((months.size, *material.target.values.shape[1:]), dtype=np.float32)
    for fold in material.folds:
        fitted = _fitted(name, mean, material.target, fold.train)
        inputs = mean.at(fold.outer, f"the climate models of {HISTORICAL}")
        values[np.searchsorted(months, fold.outer)] = fitted.predict(inputs, fold.outer)
    return Series(months, values)


def baseline_method(
    name: str, material: Material, means: Mapping[str, Series], final_months: np.ndarray | None
) -> Method:
    """Fit a baseline fold by fold and once on all outer months, and predict with it.

    means: ensemble_series of each experiment; final_months: None where there is no final test.
    """
    months = material.outer_months
    whole = _fitted(name, means[HISTORICAL], material.target, months)
    final = None
    if final_months is not None:
        inputs = means[FINAL_TEST].at(final_months, f"the inputs of {FINAL_TEST}")
        final = Series(final_months, whole.predict(inputs, final_months))

    def future(experiment: str) -> Series:
        mean = means[experiment]
        return Series(mean.time, whole.predict(mean.values, mean.time))

    return Method(name, _out_of_fold(name, material, means[HISTORICAL]), final, future)
