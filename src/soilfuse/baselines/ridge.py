"""Ridge regression of the target's anomalies on those of every climate model, cell by cell.

Letters: N cells, T months, M climate models, D layers, P penalties.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from soilfuse.baselines.methods import SMALLEST_SPREAD, UNFITTED, Baseline
from soilfuse.grids.climatology import monthly_climatology
from soilfuse.grids.months import month_of, year_of

# As a share of the training months, the size of the Gram matrix's diagonal. From one that leaves
# the climatology to one that nearly leaves least squares: where two are equal, the first is taken.
PENALTIES = np.logspace(4, -3, 15)
CHOOSING_CELLS = 600  # spread evenly; enough for one penalty a layer
GAP_YEARS = 1  # on both sides of a year left out
CELLS_AT_ONCE = 1024
MONTHS_AT_ONCE = 24


def _spectrum(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what every penalty shares: (N, M, 1) eigenvalues, (N, M, M) vectors, (N, M, D)."""
    values, vectors = np.linalg.eigh(x.mT @ x)
    return values.clip(min=0)[..., None], vectors, vectors.mT @ (x.mT @ y)


def coefficients(x: np.ndarray, y: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return the (N, M, D) b that make |y - x b|^2 + penalty |b|^2 least in each cell and layer.

    x: (N, T, M); y: (N, T, D); penalties: (D,). Hoerl and Kennard 1970,
    doi:10.1080/00401706.1970.10488634.
    """
    values, vectors, along = _spectrum(x, y)
    return vectors @ (along / (values + penalties))


def held_out_errors(
    x: np.ndarray, y: np.ndarray, months: np.ndarray, penalties: np.ndarray
) -> np.ndarray:
    """Return (P, D) sums of squared errors of each year predicted without it and its neighbours.

    x: (N, T, M), y: (N, T, D), departures from the means of the calendar months, which are taken
    anew without those years; months: (T,) keys. Weather lasts for months, deep down for more than a
    year: a month left out by itself, as generalized cross-validation does, would be told by its
    neighbours, hence the gap (Burman et al. 1994, doi:10.1093/biomet/81.2.351).
    """
    calendar, years = month_of(months) - 1, year_of(months)
    errors = np.zeros((len(penalties), y.shape[2]))
    for year in np.unique(years):
        kept, here = np.abs(years - year) > GAP_YEARS, years == year
        if not kept.any():
            continue
        averaging = ((calendar == np.arange(12)[:, None]) & kept).astype(np.float64)
        averaging /= averaging.sum(axis=1, keepdims=True).clip(min=1)
        own_x, own_y = (side - (averaging @ side)[:, calendar] for side in (x, y))
        values, vectors, along = _spectrum(own_x[:, kept], own_y[:, kept])
        turned = own_x[:, here] @ vectors
        for place, penalty in enumerate(penalties):
            told = turned @ (along / (values + penalty))
            errors[place] += ((own_y[:, here] - told) ** 2).sum(axis=(0, 1))
    return errors


@dataclass
class Ridge(Baseline):
    """The climatology plus a weighted sum of every model's departure from its own climatology.

    One weight a model, layer and cell for all calendar months, by ridge regression on anomalies in
    units of each model's own spread over all training months: the spread of one calendar month has
    too few years, and is next to 0 in frozen ground that will thaw. One penalty a layer, the same
    in all cells, which a cell's few years cannot choose: that with the least error in years left
    out. A missing value counts as the climatology; it needs all models, not their mean.

    inside: (H, W) bool, the cells that the penalties are chosen at; None is all.
    """

    needs: ClassVar[str] = "models"
    inside: np.ndarray | None = None
    target: np.ndarray = field(default_factory=lambda: UNFITTED)  # (12, D, H, W)
    models: np.ndarray = field(default_factory=lambda: UNFITTED)  # (12, M, H, W)
    weights: np.ndarray = field(default_factory=lambda: UNFITTED)  # (M, D, H, W) per unit anomaly
    penalties: np.ndarray = field(default_factory=lambda: UNFITTED)  # (D,)

    def fit(self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray) -> "Ridge":
        """Learn both climatologies, the penalty of each layer and the weights."""
        self.target = monthly_climatology(target, months)
        self.models = monthly_climatology(inputs, months)
        self.penalties = self._least_error(inputs, target, months)
        size = self.target[0, 0].size
        self.weights = np.empty((inputs.shape[1], *target.shape[1:]), dtype=np.float32)
        weights = self.weights.reshape(*self.weights.shape[:2], size)
        for start in range(0, size, CELLS_AT_ONCE):
            cells = np.arange(start, min(start + CELLS_AT_ONCE, size))
            x, y, scale = self._anomalies(inputs, target, months, cells)
            found = coefficients(x, y, self.penalties) * scale[..., None]
            weights[..., cells] = found.transpose(1, 2, 0)
        return self

    def predict(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Add the weighted anomalies to the target's climatology, a few months at a time."""
        predicted = self.target[month_of(months) - 1]
        for start in range(0, len(months), MONTHS_AT_ONCE):
            here = slice(start, start + MONTHS_AT_ONCE)
            anomalies = inputs[here] - self.models[month_of(months[here]) - 1]
            np.nan_to_num(anomalies, copy=False)
            predicted[here] += np.einsum("tmhw,mdhw->tdhw", anomalies, self.weights)
        return predicted

    def _least_error(
        self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray
    ) -> np.ndarray:
        """Return the (D,) penalties, chosen at some cells for all."""
        valid = np.isfinite(self.target).any(axis=(0, 1))
        seen = np.flatnonzero(valid if self.inside is None else valid & self.inside)
        cells = seen[:: max(seen.size // CHOOSING_CELLS, 1)]
        x, y, _ = self._anomalies(inputs, target, months, cells)
        penalties = PENALTIES * len(months)
        return penalties[held_out_errors(x, y, months, penalties).argmin(axis=0)]

    def _anomalies(
        self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray, cells: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (N, T, M) standardised, (N, T, D) plain and the (N, M) inverse spreads."""
        x = _departures(inputs, self.models, months, cells)
        y = _departures(target, self.target, months, cells)
        spread = np.sqrt((x**2).mean(axis=1))
        scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > SMALLEST_SPREAD)
        return x * scale[:, None], y, scale


def _departures(
    values: np.ndarray, normal: np.ndarray, months: np.ndarray, cells: np.ndarray
) -> np.ndarray:
    """Return the (N, T, C) float64 of (T, C, H, W) less its climatology; 0 where it is missing."""
    here = values.reshape(*values.shape[:2], -1)[..., cells].astype(np.float64)
    here -= normal.reshape(*normal.shape[:2], -1)[..., cells][month_of(months) - 1]
    return np.ascontiguousarray(np.nan_to_num(here, copy=False).transpose(2, 0, 1))
