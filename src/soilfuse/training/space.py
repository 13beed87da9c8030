"""The space that a sweep searches, and the paper's settings as points of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from soilfuse import config
from soilfuse.config.searching import DROPOUT, NETWORK, WHOLE, WIDTH, SearchRange

if TYPE_CHECKING:
    import optuna

Value = float | int | str
Values = dict[str, Value]
NETWORK_SECTION = "network."
HAND = "hand"  # the origin of a trial that the paper tried, beside the samplers' names
# Li et al. 2024 searched by hand and tell of these alone: section 2.3.5 with equation 19, its
# MBConv U-Net, and the scripts that they released (whose in-situ and TV terms are as good as off).
PAPER: Values = {
    "learning_rate": 5e-4,
    "discriminator_learning_rate": 1e-6,
    "loss.content": 1.0,
    "loss.mse": 1.0,
    "loss.perceptual": 0.006,
    "loss.adversarial": 0.001,
    "loss.insitu": 0.01,
    "loss.total_variation": 4e-8,
    "batch": 100,
    WIDTH: 64,
    NETWORK: "unet",
}
SCRIPTS: Values = {
    "learning_rate": 3.5e-4,
    "discriminator_learning_rate": 7e-7,
    "loss.insitu": 0.0,
    "loss.total_variation": 0.0,
    "batch": 50,
}
HAND_TRIED: tuple[Values, ...] = (
    PAPER,
    {**PAPER, NETWORK: "mbconv_unet"},
    {**PAPER, **SCRIPTS},
)


def distributions(params: config.Params) -> "dict[str, optuna.distributions.BaseDistribution]":
    """Return what params.sweep.search says, sorted by name: a log scale but for dropout."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    space: dict[str, optuna.distributions.BaseDistribution] = {}
    for name, values in sorted(params.sweep.search.items()):
        if not isinstance(values, SearchRange):
            space[name] = CategoricalDistribution(values)
        elif name in WHOLE:
            space[name] = IntDistribution(int(values.low), int(values.high), log=True)
        else:
            space[name] = FloatDistribution(values.low, values.high, log=name != DROPOUT)
    return space


def suggest(
    trial: "optuna.Trial", name: str, space: "optuna.distributions.BaseDistribution"
) -> Value:
    """Return the value that the study's sampler proposes for one parameter of a trial."""
    from optuna import distributions

    if isinstance(space, distributions.CategoricalDistribution):
        return trial.suggest_categorical(name, space.choices)  # type: ignore[return-value]
    if isinstance(space, distributions.IntDistribution):
        return trial.suggest_int(name, space.low, space.high, log=space.log)
    assert isinstance(space, distributions.FloatDistribution)
    return trial.suggest_float(name, space.low, space.high, log=space.log)


def hand_tried(params: config.Params) -> list[Values]:
    """Return the paper's settings that lie within the space, each once; none where not asked for.

    A setting has the searched parameters that it knows; a sampler proposes the others.
    """
    space = distributions(params)
    found: list[Values] = []
    for setting in HAND_TRIED if params.sweep.hand_search else ():
        known = {name: value for name, value in setting.items() if name in space}
        inside = all(_holds(space[name], value) for name, value in known.items())
        if inside and known and known not in found:
            found.append(known)
    return found


def origin_of(params: config.Params, place: int) -> str:
    """Return where the values of a place come from: the paper's hand search, or the sampler."""
    return HAND if place < len(hand_tried(params)) else params.sweep.sampler


def searches_architecture(params: config.Params) -> bool:
    """Return whether trials differ in what pre-trained weights belong to."""
    return bool({NETWORK, WIDTH} & set(params.sweep.search))


def with_network(params: config.Params, values: Mapping[str, Value]) -> config.Params:
    """Return params with the network that these values ask for.

    Raises UserError where such a network cannot be, as params.yaml would be refused.
    """
    asked = {
        name.removeprefix(NETWORK_SECTION): value
        for name, value in values.items()
        if name.startswith(NETWORK_SECTION)
    }
    if not asked:
        return params
    content = params.model_dump(mode="json")
    content["network"] |= asked
    return config.validate(content)


def refuse_impossible_networks(params: config.Params) -> None:
    """Raise UserError where a network is searched that params.yaml would be refused with."""
    searched = params.sweep.search.get(NETWORK)
    if isinstance(searched, list):
        for name in searched:  # before hours of the others are trained
            with_network(params, {NETWORK: name})


def _holds(distribution: "optuna.distributions.BaseDistribution", value: Value) -> bool:
    try:
        return distribution._contains(distribution.to_internal_repr(value))
    except ValueError:  # no number for a number, or none of the choices
        return False
