"""The simple methods by name, those that params.yaml may use.

They are names.BASELINES, and `model:<source_id>` of every climate model.
"""

from collections.abc import Callable, Sequence

import numpy as np

from soilfuse.baselines.methods import (
    Baseline,
    BiasCorrectedMean,
    Climatology,
    DeltaChange,
    EnsembleMean,
)
from soilfuse.baselines.quantile_delta_mapping import QuantileDeltaMapping
from soilfuse.baselines.ridge import Ridge
from soilfuse.baselines.single_model import SingleModel
from soilfuse.errors import UserError, unknown
from soilfuse.names import MODEL

METHODS: dict[str, Callable[[], Baseline]] = {
    "climatology": Climatology,
    "ensemble_mean": EnsembleMean,
    "bias_corrected_mean": BiasCorrectedMean,
    "delta_change": DeltaChange,
    "quantile_delta_mapping": QuantileDeltaMapping,
    "ridge": Ridge,
}


def build(
    name: str,
    source_ids: Sequence[str] = (),
    inside: np.ndarray | None = None,
    asked_by: str = "params.yaml:evaluate.baselines",
) -> Baseline:
    """Return an unfitted baseline.

    source_ids: the climate models in the order of the inputs; inside: (H, W) bool, the cells that
    count where a method chooses one number for all, None where all do; asked_by: where its name
    stands. Raises UserError naming the choices.
    """
    models = [f"{MODEL}{source_id}" for source_id in source_ids]
    if name in models:
        return SingleModel(models.index(name))
    if name not in METHODS:
        allowed = [*METHODS, *models]
        raise UserError(unknown("baseline", name, allowed, asked_by))
    return Ridge(inside=inside) if METHODS[name] is Ridge else METHODS[name]()
