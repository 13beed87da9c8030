"""In which way an ensemble's climate models are left out one by one, with what that needs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from soilfuse import names
from soilfuse.config.leaving_out import refusal
from soilfuse.errors import UserError
from soilfuse.grids.climatology import monthly_climatology
from soilfuse.grids.regions import Regions
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.fitted import method_of
from soilfuse.inference.inputs import batches, inputs_of, needs_climatologies
from soilfuse.inference.jackknife import LeavingOut
from soilfuse.sources.processed import ModelCrops

MISSING = "given to the networks as missing, which they were trained with (model dropout)"
REPLACED = (
    "its departure from its own climatology of the training months replaced by the mean departure "
    "of the other models; "
)
ENDINGS = {
    names.ENSEMBLE: "no network was trained again",
    "delta_change": "the same as delta change fitted without it",
    "bias_corrected_mean": "the ratio of the spreads was not fitted again",
    "ridge": "the weights were not fitted again",
}
BATCH = 12  # months


def leaving_out(ensemble: Ensemble, crops: ModelCrops, regions: Regions) -> LeavingOut:
    """Return how the models of an experiment's crops are left out of the ensemble's product.

    Reads the historical climate models where neither networks nor model dropout know what takes
    their place. Raises UserError for a method that none can be left out of, and for fewer than two.
    """
    method = method_of(ensemble.manifest)
    channels = ensemble.channels(crops.source_ids, str(crops.path))
    there = sum(place is not None for place in channels)
    if told := refusal(method, "the champion's method", there):
        raise UserError(told)
    weights = np.where(regions.inside, regions.grid.area, 0.0)
    weights = (weights / weights.sum()).astype(np.float32)
    if ensemble.spares_models:
        return LeavingOut(MISSING, weights, missing=True)
    way = REPLACED + ENDINGS[method]
    if not needs_climatologies(ensemble.manifest):
        return LeavingOut(way, weights)
    return LeavingOut(way, weights, climatology=_climatologies(ensemble))


def _climatologies(ensemble: Ensemble) -> np.ndarray:
    """Return (12, M, H, W) m3 m-3 of each climate model in the months of all folds together."""
    crops = inputs_of(names.HISTORICAL, ensemble.manifest)
    alone = replace(crops, months=1)
    months = np.unique(np.concatenate([_months(member.manifest) for member in ensemble.members]))
    places = np.flatnonzero(np.isin(alone.time, months))
    channels = ensemble.channels(alone.source_ids, str(alone.path))
    given = batches(alone, ensemble.grid, channels, BATCH, places)
    values = np.concatenate([inputs for inputs, _ in given])
    return monthly_climatology(values, alone.time[places])


def _months(manifest: Mapping[str, Any]) -> np.ndarray:
    return np.array(manifest["outer_months"], "datetime64[M]").astype("datetime64[ns]")
