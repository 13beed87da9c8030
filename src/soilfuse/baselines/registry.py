"""The simple methods by name; names.BASELINES holds the names that params.yaml may use."""

from collections.abc import Callable

from soilfuse.baselines.methods import (
    Baseline,
    BiasCorrectedMean,
    Climatology,
    DeltaChange,
    EnsembleMean,
)
from soilfuse.baselines.quantile_delta_mapping import QuantileDeltaMapping
from soilfuse.baselines.ridge import Ridge
from soilfuse.errors import UserError, unknown

METHODS: dict[str, Callable[[], Baseline]] = {
    "climatology": Climatology,
    "ensemble_mean": EnsembleMean,
    "bias_corrected_mean": BiasCorrectedMean,
    "delta_change": DeltaChange,
    "quantile_delta_mapping": QuantileDeltaMapping,
    "ridge": Ridge,
}


def build(name: str) -> Baseline:
    """Return an unfitted baseline; raises UserError naming the choices."""
    if name not in METHODS:
        raise UserError(unknown("baseline", name, METHODS, "params.yaml:evaluate.baselines"))
    return METHODS[name]()
