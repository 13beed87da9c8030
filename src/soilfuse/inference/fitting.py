"""Fitting a simple method on the months of trained folds, so that it can take their place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from soilfuse import layout, names
from soilfuse.baselines import storing
from soilfuse.baselines.registry import build
from soilfuse.errors import UserError
from soilfuse.files import mending, sha256_of_file, write_json
from soilfuse.grids.months import label_of
from soilfuse.grids.regions import Regions
from soilfuse.inference.fitted import CONTEXT, NO_NETWORK, WHOLE, WHOLE_HASH
from soilfuse.inference.record import places_of
from soilfuse.sources.processed import read_field, read_models

OF_THE_FOLDS = (
    *("protocol", "seed", "source_ids", "depth_bnds", "domain", "regions_sha256", "world"),
)
ASKED_BY = "params.yaml:promote.method"
MONTHS = ("train_months", "inner_months", "outer_months")


def fit_folds(
    method: str, manifests: Mapping[Path, Mapping[str, Any]], regions: Regions, folder: Path
) -> None:
    """Fit a method to each fold's training months and to all folds' months; write them to a folder.

    manifests: of the trained folds, by path. The folder then holds fold_<k>.json, fold_<k> and
    fold_all .safetensors. Raises UserError where a climate model or a month is missing, and for a
    method that there is not.
    """
    from soilfuse.training.finetune import ensemble_hash_of

    shared = next(iter(manifests.values()))
    historical = layout.climate_models(names.HISTORICAL)
    crops, field = read_models(historical), read_field(layout.AMSMQTP)
    months = np.unique(np.concatenate([_months(m, "outer_months") for m in manifests.values()]))
    order = places_of(shared, crops.source_ids, str(crops.path))
    inputs = crops.interpolated(regions.grid, _places(crops.time, months, historical))[:, order]
    of_target = _places(field["time"].values, months, layout.AMSMQTP)
    target = field[names.SOIL_MOISTURE].values[of_target]

    def fitted(of: np.ndarray, file: Path) -> str:
        here = np.searchsorted(months, of)
        baseline = build(method, shared["source_ids"], regions.inside, asked_by=ASKED_BY)
        storing.save(file, baseline.fit(inputs[here], target[here], of))
        return sha256_of_file(file)

    told = {
        **{name: shared[name] for name in OF_THE_FOLDS if name in shared},
        "method": method,
        "network": NO_NETWORK,
        "smoothing_years": 1,
        CONTEXT: build(method, shared["source_ids"], asked_by=ASKED_BY).context_years,
        WHOLE_HASH: fitted(months, folder / WHOLE),
        "inputs": {path.as_posix(): sha256_of_file(path) for path in (historical, layout.AMSMQTP)},
    }
    told["ensemble_hash"] = ensemble_hash_of(told)
    for path, manifest in manifests.items():
        file = folder / path.with_suffix(".safetensors").name
        digest = fitted(_months(manifest, "train_months"), file)
        own = {name: manifest[name] for name in ("fold", *MONTHS)}
        write_json(folder / path.name, {**told, **own, "weights_sha256": digest})


def _months(manifest: Mapping[str, Any], part: str) -> np.ndarray:
    return np.array(manifest[part], dtype="datetime64[M]").astype("datetime64[ns]")


def _places(time: np.ndarray, months: np.ndarray, path: Path) -> np.ndarray:
    """Return the places of months in a file's increasing axis; raise UserError where it lacks one.

    Without that, a month that is missing would be fitted as the one after it.
    """
    lacking = np.setdiff1d(months, time)
    if lacking.size:
        raise UserError(
            f"{lacking.size} months missing in {path}, the first {label_of(lacking[0])}; expected "
            f"all that the folds were trained on: {mending(path)}"
        )
    return np.searchsorted(time, months)
