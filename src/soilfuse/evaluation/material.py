"""What an evaluation is made from: methods, target, inputs, truth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from soilfuse.errors import UserError
from soilfuse.evaluation.prediction_range import PredictionRange
from soilfuse.grids.grid import Grid
from soilfuse.training.folds import Fold


@dataclass(frozen=True)
class Series:
    """Monthly fields: time (T,) month keys, values (T, D or M, H, W) float32 in m3 m-3.

    spread: standard deviations in the shape of values, None where there are none.
    """

    time: np.ndarray
    values: np.ndarray
    spread: np.ndarray | None = None

    def places(self, months: np.ndarray, what: str) -> np.ndarray:
        """Return where the (N,) months stand; raises UserError naming the first missing one."""
        own = self.time.astype("datetime64[M]").astype(int)
        wanted = np.asarray(months).astype("datetime64[M]").astype(int)
        order = np.argsort(own)
        places = order[np.searchsorted(own, wanted, sorter=order).clip(max=own.size - 1)]
        missing = own[places] != wanted
        if missing.any():
            first = np.asarray(months)[missing][0].astype("datetime64[M]")
            raise UserError(
                f"{int(missing.sum())} months missing in {what}, the first {first}; expected all "
                f"{wanted.size}: make it again for the months it lacks"
            )
        return places

    def at(self, months: np.ndarray, what: str) -> np.ndarray:
        """Return the fields of the (N,) months; an exact join."""
        return self.values[self.places(months, what)]

    def covers(self, months: np.ndarray) -> bool:
        """Tell whether every one of the (N,) months is there."""
        return bool(np.isin(months, self.time).all())


ByExperiment = Callable[[str], Series]


@dataclass(frozen=True)
class Method:
    """One method's predictions (T, D, H, W).

    outer: every month of the folds' outer blocks, predicted out of fold; final: the final test's
    months, None where there are none; future: gives the prediction of an experiment, with its
    spread if the method has one, called once each, so that no two need be in memory;
    smoothing_years: over how many years the climate models that it sees are smoothed, 1 for none;
    spread: standard deviations of `final`, None where the method has none; seen: the
    range of all that it has predicted so far, None where none is kept.
    """

    name: str
    outer: Series
    final: Series | None
    future: ByExperiment
    smoothing_years: int = 1
    spread: Series | None = None
    seen: PredictionRange | None = None


@dataclass(frozen=True)
class Material:
    """What methods are judged by.

    regions: (H, W) masks, that of all regions together first; target: (T, D, H, W), 2000-2014 at
    least; inputs: gives the climate models of an experiment on the grid, (T, M, H, W) in the order
    of source_ids; truth: the pseudo-reality's (T, D, H, W), None with real data; both are called
    once an experiment; world: whose target it is, a version and seed or `real`; reanalysis:
    ERA5-Land in the target's layers, as far as it goes in time and depth, None without it.
    """

    grid: Grid
    regions: Mapping[str, np.ndarray]
    target: Series
    source_ids: Sequence[str]
    experiments: Sequence[str]
    inputs: ByExperiment
    truth: ByExperiment | None
    folds: Sequence[Fold]
    stations: pd.DataFrame
    world: str
    reanalysis: Series | None = None

    @property
    def whole(self) -> str:
        """The name of all regions together."""
        return next(iter(self.regions))

    @property
    def outer_months(self) -> np.ndarray:
        """(T,) months of all outer blocks in order of time."""
        return np.sort(np.concatenate([fold.outer for fold in self.folds]))
