"""`soilfuse verify`: a product against dvc.lock, its champion, the gate, and its own numbers."""

from pathlib import Path

import numpy as np

from soilfuse import config, layout, names
from soilfuse.checks import Check
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.inputs import model_batches
from soilfuse.product.checks import Limits
from soilfuse.product.verify import verify_product
from soilfuse.sources.processed import read_models
from soilfuse.tracking.lineage import dvc_outs


def verify_file(product: Path, params: config.Params) -> list[Check]:
    """Return every check of one product; some of its months are computed again."""
    product = product.resolve()
    if product.is_relative_to(Path.cwd()):
        product = product.relative_to(Path.cwd())  # as dvc.lock names it
    limits = Limits(params.promote.min_coverage, params.promote.max_soil_moisture)

    def recompute(months: np.ndarray) -> np.ndarray:
        ensemble = Ensemble.load(layout.CHAMPION, params.compute.device, params.compute.threads)
        crops = read_models(layout.climate_models(product.stem))
        batches = model_batches(crops, ensemble, params.infer.batch, months)
        return np.concatenate([part.mean for part in ensemble.stream(batches)])

    known = product.stem in names.EXPERIMENT_YEARS
    return verify_product(
        product, layout.CHAMPION, limits, dvc_outs(Path.cwd()), recompute if known else None
    )
