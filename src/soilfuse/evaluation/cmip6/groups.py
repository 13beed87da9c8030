"""Multi-model means in two steps, and the groups of models that are compared.

First the submodels of one parent, then the parents (Qiao et al. 2022): a parent with three
submodels counts once. Letters: T months, H, W cells.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from soilfuse.config.evaluated_models import EVALUATED_MODELS

ALL, FINE, COARSE = "MMEM", "MMEM-high", "MMEM-low"
GROUPS: dict[str, Callable[[str], bool]] = {
    ALL: lambda _: True,
    FINE: lambda source_id: EVALUATED_MODELS[source_id].fine,
    COARSE: lambda source_id: not EVALUATED_MODELS[source_id].fine,
}


def families(source_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the models by their parent, in the order given."""
    found: dict[str, list[str]] = {}
    for source_id in source_ids:
        found.setdefault(EVALUATED_MODELS[source_id].parent, []).append(source_id)
    return found


def two_step_mean(fields: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the mean (T, H, W) over parents of the means over their submodels.

    fields: source_id -> (T, H, W), members averaged before. A missing value is left out, so that a
    cell is empty only where all models are.
    """
    parents = (
        _mean(fields[source_id] for source_id in submodels)
        for submodels in families(list(fields)).values()
    )
    return _mean(parents)


def weights(source_ids: Sequence[str]) -> dict[str, float]:
    """Return each model's weight in `two_step_mean` where nothing is missing; they sum to 1."""
    by_parent = families(source_ids)
    return {
        source_id: 1 / len(by_parent) / len(submodels)
        for submodels in by_parent.values()
        for source_id in submodels
    }


def group_means(fields: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the two-step mean of each of GROUPS that has a model."""
    chosen = {
        group: {source_id: one for source_id, one in fields.items() if belongs(source_id)}
        for group, belongs in GROUPS.items()
    }
    return {group: two_step_mean(members) for group, members in chosen.items() if members}


def _mean(fields: Iterable[np.ndarray]) -> np.ndarray:
    total, count = np.zeros(1), np.zeros(1)
    for field in fields:
        total = total + np.nan_to_num(field.astype(np.float64))
        count = count + np.isfinite(field)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0, total / count, np.nan), np.float32)
