"""Stage infer@experiment: the champion's five-layer product of one experiment."""

import sys
from pathlib import Path

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.inference.inputs import files_of, model_batches
from soilfuse.inference.jackknife import Tally
from soilfuse.inference.opening import opened
from soilfuse.product.attributes import params_hash, product_attributes
from soilfuse.product.checks import Limits
from soilfuse.product.provenance import RunRecord, sources, write_prov
from soilfuse.product.writer import write_product
from soilfuse.progress import progress
from soilfuse.tracking.lineage import git_state, hash_of
from soilfuse.tracking.prov import upstream
from soilfuse.tracking.registry import require_champion
from soilfuse.tracking.stages import declared_run


def main(experiment: str) -> None:
    """Write products/<experiment>.nc and products/<experiment>.prov.json."""
    params = config.load()
    config.item_of(experiment, params.experiments, "experiment", "params.yaml:experiments")
    product = layout.product(experiment)
    with declared_run("infer", params, experiment) as run:
        version = require_champion(layout.CHAMPION, params.promote.registered_model, run.run_id)
        ensemble, crops, regions = opened(experiment, params)
        hashes = params_hash(params), str(crops.attrs["inputs_sha256"]), regions.sha256
        domain, manifest = params.domain.name, ensemble.manifest
        attributes = product_attributes(
            experiment, ensemble.champion, manifest, crops.source_ids, domain, *hashes
        )
        attributes["precision"] = ensemble.precision
        tally, batches = Tally(), model_batches(crops, ensemble, params.infer.batch)
        write_product(
            product,
            experiment,
            regions,
            crops.time,
            ensemble.depth_bounds,
            tally.watched(ensemble.stream(progress(batches, experiment))),
            attributes,
            params.infer.significant_digits,
            Limits(params.promote.min_coverage, params.promote.max_soil_moisture),
            ensemble.left_out,
        )
        tally.tell(ensemble.source_ids, run.log_metrics, run.log_text)
        models = files_of(experiment, manifest, params.infer.leave_one_out)
        used = {str(path): hash_of(path) for path in sources(models)}
        name, code = params.promote.registered_model, git_state(Path.cwd())
        record = RunRecord(run.run_id, name, str(version), *code)
        write_prov(layout.provenance(experiment), product, experiment, used, record, upstream(used))


if __name__ == "__main__":
    with one_line_errors():
        main(config.given_item(sys.argv, "experiment"))
