"""The champion with the inputs of one experiment, checked to fit each other, at its precision."""

from dataclasses import replace

import numpy as np

from soilfuse import config, layout, names
from soilfuse.errors import UserError
from soilfuse.grids.regions import Regions, regions_of
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.fitted import method_of
from soilfuse.inference.inputs import inputs_of, model_batches, require_whole_years
from soilfuse.inference.leaving_out import leaving_out
from soilfuse.progress import note
from soilfuse.sources.processed import ModelCrops

WITHIN = 1e-4  # m3 m-3 that bfloat16 may differ from float32
TRIED = 12  # months on which that is tried, spread over an experiment


def opened(experiment: str, params: config.Params) -> tuple[Ensemble, ModelCrops, Regions]:
    """Return the champion, the experiment's climate models and the regions of params.yaml:domain.

    Raises UserError where one is missing or does not fit the others.
    """
    ensemble = Ensemble.load(layout.CHAMPION, params.compute.device, params.compute.threads)
    crops = inputs_of(experiment, ensemble.manifest)
    require_whole_years(crops, *names.EXPERIMENT_YEARS[experiment])
    regions = regions_of(params.domain)
    ensemble.require_domain(regions)
    if params.infer.leave_one_out:
        ensemble = replace(ensemble, leaving_out=leaving_out(ensemble, crops, regions))
    return of_champion(ensemble, params.infer.precision, experiment, crops), crops, regions


def of_champion(ensemble: Ensemble, word: str, experiment: str, crops: ModelCrops) -> Ensemble:
    """Return the ensemble at one precision for all experiments, which auto decides on historical.

    Else a change between two products could hold the difference. Raises UserError as `at_precision`
    does, also where historical said bf16 and this experiment differs by more.
    """
    from soilfuse.training.device import AUTO

    if word == AUTO and experiment != names.HISTORICAL and _shortens(ensemble, word):
        historical = inputs_of(names.HISTORICAL, ensemble.manifest)
        word = at_precision(ensemble, word, historical).precision
    return at_precision(ensemble, word, crops)


def at_precision(ensemble: Ensemble, word: str, crops: ModelCrops) -> Ensemble:
    """Return the ensemble at the precision that `fp32`, `bf16` or `auto` stands for.

    auto is bf16 where the device multiplies it natively and mean and spread of the folds, and the
    leave-one-out spread where it is asked for, differ from float32 by no more than 1e-4 m3 m-3 in
    twelve months from the experiment's first to its last. A simple method has no convolutions to
    shorten, and stays in float32. Raises UserError for bf16 where it differs by more.
    """
    from soilfuse.training.device import AUTO, BF16

    if not _shortens(ensemble, word):
        return ensemble
    shortened = replace(ensemble, precision=BF16)
    tried = np.unique(np.linspace(0, crops.time.size - 1, TRIED).round().astype(int))
    inputs = next(model_batches(crops, ensemble, TRIED, tried))
    short, exact = shortened.predict(*inputs), ensemble.predict(*inputs)
    pairs = [(short.mean, exact.mean), (short.fold_spread, exact.fold_spread)]
    if short.leave_one_out is not None and exact.leave_one_out is not None:
        pairs.append((short.leave_one_out, exact.leave_one_out))
    apart = max(float(np.abs(one - other).max()) for one, other in pairs)
    if apart <= WITHIN:
        return shortened
    told = (
        f"bf16 differs from fp32 by up to {apart:.1e} m3 m-3 in {len(tried)} months of "
        f"{crops.path}, more than {WITHIN:g}"
    )
    if word == AUTO:
        note(f"{told}: fp32 is used")
        return ensemble
    raise UserError(f"{told}: write fp32 into params.yaml:infer.precision")


def _shortens(ensemble: Ensemble, word: str) -> bool:
    from soilfuse.training.device import BF16, precision_of

    chosen = precision_of(word, ensemble.device)
    return chosen == BF16 and method_of(ensemble.manifest) == names.ENSEMBLE
