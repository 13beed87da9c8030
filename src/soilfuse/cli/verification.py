"""`soilfuse verify`: a product against dvc.lock, its champion, the gate, its origin and numbers."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from soilfuse import config, layout
from soilfuse.checks import Check
from soilfuse.grids.regions import regions_of
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.inputs import files_of, inputs_of, model_batches
from soilfuse.inference.leaving_out import leaving_out
from soilfuse.inference.manifests import shared_manifest
from soilfuse.product.attributes import params_hash
from soilfuse.product.checks import Limits
from soilfuse.product.readable import require_readable
from soilfuse.product.verify import Origin, verify_product
from soilfuse.tracking.lineage import content_hash
from soilfuse.tracking.locked import locked_steps


def verify_file(product: Path, params: config.Params) -> list[Check]:
    """Return every check of one product; some of its months are computed again.

    Raises UserError as `locked_steps` does of dvc.lock, and as `verify_product` does.
    """
    # The file itself is not resolved: one of DVC's cache that it links to is still this product,
    # and another product is not.
    product = product.parent.resolve() / product.name
    if product.is_relative_to(Path.cwd()):
        product = product.relative_to(Path.cwd())  # as dvc.lock names it
    limits = Limits(params.promote.min_coverage, params.promote.max_soil_moisture)

    def origin_of(experiment: str) -> Origin:
        return origin(experiment, params)

    steps = locked_steps(Path.cwd()).values()
    outs = {path: made.md5 for step in steps for path, made in step.made.items()}
    return verify_product(product, layout.CHAMPION, limits, outs, origin_of, require_readable)


def origin(experiment: str, params: config.Params) -> Origin:
    """Return what the project would make a product from today, read from the files themselves."""
    manifest = shared_manifest(layout.CHAMPION)
    asked = params.infer.leave_one_out
    models = files_of(experiment, manifest, asked)
    crops, regions = inputs_of(experiment, manifest), regions_of(params.domain)

    def recompute(months: np.ndarray, part: str = "mean") -> np.ndarray:
        # in float32, whatever the product is in
        ensemble = Ensemble.load(layout.CHAMPION, params.compute.device, params.compute.threads)
        if part == "leave_one_out":
            ensemble = replace(ensemble, leaving_out=leaving_out(ensemble, crops, regions))
        batches = model_batches(crops, ensemble, params.infer.batch, months)
        return np.concatenate([getattr(each, part) for each in ensemble.stream(batches)])

    # Not params.yaml as a whole: most of it has no part in a product, whose own part is hashed.
    used = {path.as_posix(): content_hash(path) for path in (*models, layout.CHAMPION)}
    hashes = (
        params_hash(params),
        str(crops.attrs["inputs_sha256"]),
        regions.sha256,
    )
    respread = partial(recompute, part="leave_one_out") if asked else None
    return Origin(*hashes, used, recompute, respread)
