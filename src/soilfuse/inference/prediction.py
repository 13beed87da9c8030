"""What the ensemble says of some months, and where its inputs leave what it was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from soilfuse.errors import UserError

Range = Sequence[float]


@dataclass(frozen=True)
class Prediction:
    """Predicted soil moisture of B months, all float32 in m3 m-3 but the flag.

    mean, fold_spread: (B, D, H, W), mean and sample standard deviation over the fold models;
    model_spread: (B, H, W), sample standard deviation over the climate models' inputs, layer 1, NaN
    where there is one model only;
    outside: (B, H, W) boolean, whether any climate model is there outside the range of its
    historical values (1950-2014) over the grid. Where climate models were left out one by one, else
    None: leave_one_out: (B, D, H, W), the jackknife standard error of the mean; model_changes:
    (B, M, D), mean over the regions of the absolute change without each model.
    """

    mean: np.ndarray
    fold_spread: np.ndarray
    model_spread: np.ndarray
    outside: np.ndarray
    leave_one_out: np.ndarray | None = None
    model_changes: np.ndarray | None = None


def outside_range(
    inputs: np.ndarray, source_ids: Sequence[str], input_range: Mapping[str, Range]
) -> np.ndarray:
    """Return (B, H, W) booleans: any of (B, M, H, W) inputs beyond its model's [least, greatest].

    Raises UserError naming the models that have no range.
    """
    lacking = [source_id for source_id in source_ids if source_id not in input_range]
    if lacking:
        raise UserError(
            f"champion.json has no input_range for {', '.join(lacking)}; expected one for each "
            "climate model of the ensemble: run `dvc repro promote`"
        )
    low, high = np.array([input_range[source_id] for source_id in source_ids], np.float32).T
    beyond = (inputs < low[:, None, None]) | (inputs > high[:, None, None])
    return beyond.any(axis=1)


def model_spread(inputs: np.ndarray) -> np.ndarray:
    """Return the (B, H, W) sample standard deviation over the M models of (B, M, H, W).

    Models that are NaN throughout are missing and do not count; NaN where one is alone.
    """
    present = inputs[:, ~np.isnan(inputs).all(axis=(0, 2, 3))]
    if present.shape[1] < 2:
        return np.full_like(inputs[:, 0], np.nan)
    return present.std(axis=1, ddof=1)
