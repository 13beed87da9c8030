"""The baselines as methods: out of fold for each fold, and on all training years beyond them."""

from collections.abc import Mapping

import numpy as np

from soilfuse.baselines.context import experiments_around, within_reach
from soilfuse.baselines.methods import Baseline
from soilfuse.baselines.registry import build
from soilfuse.baselines.statistics import multi_model_mean
from soilfuse.evaluation.material import ByExperiment, Material, Method, Series
from soilfuse.evaluation.prediction_range import PredictionRange
from soilfuse.names import FINAL_TEST, HISTORICAL


def _what(experiment: str) -> str:
    return f"the climate models of {experiment}"


class ClimateModels:
    """The climate models of every experiment, as much of them as a baseline needs.

    The means are remembered. All models of an experiment, 0.75 GB at 0.1 degree, are read anew each
    time and never remembered but for a few months, those of `kept` by experiment. `seen` grows:
    the range of each model in the experiments that were read, over the cells `inside` (all if
    None).
    """

    def __init__(
        self,
        inputs: ByExperiment,
        kept: Mapping[str, np.ndarray],
        inside: np.ndarray | None = None,
    ) -> None:
        self._inputs, self._months, self._inside = inputs, kept, inside
        self._means: dict[str, Series] = {}
        self._kept: dict[str, Series] = {}
        self.seen: list[PredictionRange] = []

    def whole(self, experiment: str) -> Series:
        """Return all models (T, M, H, W) of all months."""
        models = self._inputs(experiment)
        if experiment not in self._means:
            mean = multi_model_mean(models.values)[:, None]
            self._means[experiment] = Series(models.time, mean)
            self._see(models.values)
            if experiment in self._months:
                months = self._months[experiment]
                self._kept[experiment] = Series(months, models.at(months, _what(experiment)))
        return models

    def _see(self, values: np.ndarray) -> None:
        inside = np.full(values.shape[2:], True) if self._inside is None else self._inside
        self.seen = self.seen or [PredictionRange(inside) for _ in range(values.shape[1])]
        for place, seen in enumerate(self.seen):
            seen.take(values[:, [place]])

    def mean(self, experiment: str) -> Series:
        """Return the multi-model mean (T, 1, H, W) of all months."""
        if experiment not in self._means:
            self.whole(experiment)
        return self._means[experiment]

    def kept(self, experiment: str) -> Series:
        """Return all models (N, M, H, W) of the kept months."""
        self.mean(experiment)
        return self._kept[experiment]

    def around(self, experiment: str, months: np.ndarray, years: int) -> Series:
        """Return the mean from so many years before the months to as many after, as far as it goes.

        Historical stands before a scenario, and that of the final test, if kept, after historical.
        """
        there = {experiment, HISTORICAL, *self._months}
        parts = [self.mean(name) for name in experiments_around(experiment) if name in there]
        time = np.concatenate([part.time for part in parts])
        near = within_reach(time, months, years)
        return Series(time[near], np.concatenate([part.values for part in parts])[near])


def _fitted(name: str, material: Material, models: ClimateModels, months: np.ndarray) -> Baseline:
    baseline = build(name, material.source_ids, material.regions[material.whole])
    own = models.kept(HISTORICAL) if baseline.needs == "models" else models.mean(HISTORICAL)
    inputs = own.at(months, _what(HISTORICAL))
    return baseline.fit(inputs, material.target.at(months, "the target"), months)


def _given(
    baseline: Baseline, models: ClimateModels, experiment: str, months: np.ndarray | None
) -> Series:
    """Return what the baseline predicts the months from; None: all months of the experiment."""
    if baseline.needs == "models":
        series = models.whole(experiment) if months is None else models.kept(experiment)
    else:
        series = models.mean(experiment)
    if months is None:
        months = series.time
    if baseline.context_years:
        return models.around(experiment, months, baseline.context_years)
    return series if months is series.time else Series(months, series.at(months, _what(experiment)))


def predicted(
    baseline: Baseline,
    models: ClimateModels,
    experiment: str,
    months: np.ndarray | None = None,
) -> Series:
    """Return what a fitted baseline predicts for the (N,) months of an experiment, or all of it."""
    given = _given(baseline, models, experiment, months)
    prepared = baseline.prepare(given.values, given.time)
    wanted = models.mean(experiment).time if months is None else months
    if not np.array_equal(wanted, given.time):
        prepared = Series(given.time, prepared).at(wanted, _what(experiment))
    return Series(wanted, baseline.predict_prepared(prepared, wanted))


def _out_of_fold(name: str, material: Material, models: ClimateModels) -> Series:
    months = material.outer_months
    values = np.empty((months.size, *material.target.values.shape[1:]), dtype=np.float32)
    for fold in material.folds:
        fitted = _fitted(name, material, models, fold.train)
        outer = predicted(fitted, models, HISTORICAL, fold.outer)
        values[np.searchsorted(months, fold.outer)] = outer.values
    return Series(months, values)


def baseline_method(
    name: str, material: Material, models: ClimateModels, final_months: np.ndarray | None
) -> Method:
    """Fit a baseline fold by fold and once on all outer months, and predict with it.

    models: keeps the outer months of historical and the final test's of its scenario;
    final_months: None where there is no final test.
    """
    whole = _fitted(name, material, models, material.outer_months)
    seen = PredictionRange(material.regions[material.whole])
    final = None
    if final_months is not None:
        final = predicted(whole, models, FINAL_TEST, final_months)
        seen.take(final.values)

    def future(experiment: str) -> Series:
        series = predicted(whole, models, experiment)
        seen.take(series.values)
        return series

    outer = _out_of_fold(name, material, models)
    seen.take(outer.values)
    return Method(name, outer, final, future, seen=seen)
