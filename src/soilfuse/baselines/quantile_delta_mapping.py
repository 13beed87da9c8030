"""Quantile delta mapping (Cannon, Sobie and Murdock 2015, doi:10.1175/JCLI-D-14-00754.1)."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from soilfuse.baselines.methods import Baseline
from soilfuse.baselines.statistics import multi_model_mean
from soilfuse.grids.climatology import monthly_climatology
from soilfuse.grids.months import month_of

REACH_YEARS = 15  # to each side: the 31 years that are a value's own climate


def window_places(values: np.ndarray) -> np.ndarray:
    """Return the (Y, N) float32 non-exceedance of each value among the years around it.

    values: (Y, N) of one calendar month in order of time. 0 is the window's least value, 1 its
    greatest; equal values share the mean of their ranks, and a value without company is the median.
    Towards the ends of the series the window narrows on both sides alike: one that reached further
    into the past would take a trend for a high rank. NaN gets any place.
    """
    places = np.empty(values.shape, dtype=np.float32)
    for row, own in enumerate(values):
        reach = min(REACH_YEARS, row, len(values) - 1 - row)
        around = values[row - reach : row + reach + 1]
        below = np.count_nonzero(around < own, axis=0)
        equal = np.count_nonzero(around == own, axis=0)
        others = np.count_nonzero(np.isfinite(around), axis=0) - 1
        rank = (below + (equal - 1) / 2).clip(min=0)
        places[row] = np.where(others > 0, rank / others.clip(min=1), 0.5)
    return places


def sample_quantiles(values: np.ndarray) -> np.ndarray:
    """Return the (Y, ...) quantiles of (Y, ...) at Y even steps from 0 to 1, NaN left out.

    With straight lines between the steps this is the whole empirical quantile function (Hyndman
    and Fan 1996, type 7).
    """
    quantiles = np.sort(values, axis=0)
    missing = np.isnan(values)
    broken = missing.any(axis=0) & ~missing.all(axis=0)
    if broken.any():
        steps = np.linspace(0, 1, len(values))
        quantiles[:, broken] = np.nanquantile(values[:, broken], steps, axis=0)
    return quantiles


def at_places(steps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the (K, N) values at places (K, N) from 0 to 1 between the (Y, N) even steps."""
    if len(steps) == 1:
        return np.broadcast_to(steps[0], places.shape)
    position = places * np.float32(len(steps) - 1)
    low = np.minimum(position.astype(np.intp), len(steps) - 2)
    position -= low
    below = np.take_along_axis(steps, low, axis=0)
    above = np.take_along_axis(steps, low + 1, axis=0)
    return below + position * (above - below)


@dataclass
class QuantileDeltaMapping(Baseline):
    """Quantile delta mapping of the multi-model mean, for absolute changes, not below 0.

    Per calendar month, layer and cell: t is the non-exceedance of the value x among the years
    around it, delta = x - F_models^-1(t), y = F_target^-1(t) + delta, both quantile functions those
    of the training months. It takes the multi-model mean as the other simple methods do: models
    mapped one by one and then averaged would lose the target's spread again, for each has a weather
    of its own. The delta of the models' upper 10 cm is added to every layer as it is.
    """

    context_years: ClassVar[int] = REACH_YEARS
    correction: list[np.ndarray] = field(default_factory=list)  # 12 of (Y, D, H, W)

    def fit(
        self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray
    ) -> "QuantileDeltaMapping":
        """Learn F_target^-1 - F_models^-1 of each calendar month at the steps of its years."""
        mean, calendar = multi_model_mean(inputs), month_of(months)
        monthly_climatology(mean[:, :1, :1], months)  # refuses less than a whole year
        self.correction = []
        for number in range(1, 13):
            here = calendar == number
            correction = sample_quantiles(target[here])
            correction -= sample_quantiles(mean[here])[:, None]
            self.correction.append(correction)
        return self

    def prepare(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Return (T, 2, H, W): the multi-model mean, and its place among the years around it.

        months: in order of time.
        """
        mean, calendar = multi_model_mean(inputs), month_of(months)
        prepared = np.empty((len(mean), 2, *mean.shape[1:]), dtype=np.float32)
        prepared[:, 0] = mean
        for number in np.unique(calendar):
            here = calendar == number
            values = mean[here].reshape(here.sum(), -1)
            prepared[here, 1] = window_places(values).reshape(-1, *mean.shape[1:])
        return prepared

    def predict_prepared(self, prepared: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Correct each value at its place."""
        calendar, shape = month_of(months), prepared.shape[2:]
        layers = self.correction[0].shape[1]
        predicted = np.empty((len(prepared), layers, *shape), dtype=np.float32)
        for number in np.unique(calendar):
            here = calendar == number
            values, places = prepared[here].reshape(here.sum(), 2, -1).swapaxes(0, 1)
            correction = self.correction[number - 1]
            for layer in range(layers):
                steps = correction[:, layer].reshape(len(correction), -1)
                mapped = np.maximum(values + at_places(steps, places), 0)
                predicted[here, layer] = mapped.reshape(-1, *shape)
        return predicted

    def predict(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Correct each value at its place among the years around it; months in order of time."""
        return self.predict_prepared(self.prepare(inputs, months), months)
