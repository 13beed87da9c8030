"""How a sweep proposes values and gives trials up: Optuna's samplers and pruners by name.

Those of Optuna that count trials count places here, and look at no failed trial, so that a search
in one process goes on as if it had not been interrupted.
"""

import warnings
from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from soilfuse import config, names
from soilfuse.seeding import derive_seed
from soilfuse.training.space import Value, distributions

if TYPE_CHECKING:
    import optuna

PLACE = "place"
WILCOXON_P = 0.2  # reached when three folds in a row are worse than the best trial's


def sampler_of(
    params: config.Params, place: int, fixed: Mapping[str, Value]
) -> "optuna.samplers.BaseSampler":
    """Return the sampler of one place, seeded by it; `fixed` values are taken as they are."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = _free_sampler(params, place)
        if fixed:
            sampler = optuna.samplers.PartialFixedSampler(dict(fixed), sampler)
    return sampler


def _free_sampler(params: config.Params, place: int) -> "optuna.samplers.BaseSampler":
    from optuna import samplers

    seed = derive_seed(params.seed, "sweep", place)
    startup = max(2, min(10, params.sweep.trials // 2))
    match params.sweep.sampler:
        case "random":
            return samplers.RandomSampler(seed=seed)
        case "gp":
            return samplers.GPSampler(seed=seed, n_startup_trials=startup)
        case "cmaes":
            return _cmaes(seed)
        case "qmc":
            return _qmc(params, place)
        case _:
            return samplers.TPESampler(seed=seed, n_startup_trials=startup)


def _cmaes(seed: int) -> "optuna.samplers.BaseSampler":
    from optuna.samplers import CmaEsSampler

    class Placed(CmaEsSampler):
        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return super().sample_relative(study, _numbered(trial), search_space)

    return Placed(seed=seed, warn_independent_sampling=False)


def _qmc(params: config.Params, place: int) -> "optuna.samplers.BaseSampler":
    from optuna.samplers import QMCSampler

    class Placed(QMCSampler):
        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return distributions(params)

        def _find_sample_id(self, study: Any, search_space: Any) -> int:
            return place

    # One sequence for all places: its points, not its seeds, differ.
    return Placed(scramble=True, seed=derive_seed(params.seed, "sweep"))


def pruner_of(study: "optuna.Study", params: config.Params) -> "optuna.pruners.BasePruner":
    """Return the pruner by name: `wilcoxon` is told folds, `hyperband` the epochs of all folds."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if params.sweep.pruner == names.WILCOXON:
            return optuna.pruners.WilcoxonPruner(p_threshold=WILCOXON_P)
        if params.sweep.pruner == names.HYPERBAND:
            return _hyperband(study, params.sweep.folds * params.sweep.epochs)
    return optuna.pruners.NopPruner()


def _hyperband(study: "optuna.Study", epochs: int) -> "optuna.pruners.BasePruner":
    from optuna.pruners import HyperbandPruner
    from optuna.trial import TrialState

    class Placed(HyperbandPruner):
        def _get_bracket_id(self, study: Any, trial: Any) -> int:
            if trial.state == TrialState.FAIL:
                return -1  # no bracket's: the trial that takes its place is
            return super()._get_bracket_id(study, _numbered(trial))

    pruner = Placed(min_resource=1, max_resource=epochs)
    pruner._try_initialization(study)  # else a resumed search would propose without brackets
    return pruner


def _numbered(trial: Any) -> Any:
    """Return a trial with its place for its number."""
    placed = copy(trial)
    placed.number = trial.user_attrs.get(PLACE, trial.number)
    return placed
