"""The one place where a network is built from its name."""

import importlib

from torch import nn

from soilfuse import names
from soilfuse.errors import UserError, unknown


def core(
    name: str,
    models: int,
    extra: int,
    layers: int,
    width: int,
    depth: int,
    dropout: float,
    months: int,
) -> nn.Module:
    """Build the network called `name`: (B, C, H, W) channels -> (B, D, H, W) unbounded maps.

    models, extra: the first channels are climate models, the last ones season, static and mask
    channels, C = models + extra; layers: D; dropout: share in [0, 1) of the channels dropped in
    training; months: of trailing input, (B, T, C, H, W) with the oldest first where there are
    more than one. Each module `soilfuse.networks.<name>` has one class `Network` of these
    arguments, whose attribute `head` is its last 1x1 convolution. Weights are drawn from torch's
    global generator: seed it first.
    Raises UserError for a name that is not in names.NETWORKS, and where months are given to a
    network that looks at one.
    """
    if name not in names.NETWORKS:
        raise UserError(unknown("network", name, names.NETWORKS, "params.yaml:network.name"))
    if months > 1 and name not in names.TRAILING:
        raise UserError(
            f"network '{name}' looks at one month, got months {months}; more than one is for "
            f"{', '.join(names.TRAILING)}: edit params.yaml:network.months"
        )
    module = importlib.import_module(f"soilfuse.networks.{name}")
    network: nn.Module = module.Network(models, extra, layers, width, depth, dropout, months)
    return network


def parameter_count(network: nn.Module) -> int:
    """Return the number of weights of a network."""
    return sum(weight.numel() for weight in network.parameters())
