"""The one place where a network is built from its name."""

import importlib

from torch import nn

from soilfuse import names
from soilfuse.errors import UserError, unknown
from soilfuse.networks.sizes import Sizes


def core(name: str, sizes: Sizes) -> nn.Module:
    """Build the network called `name`: (B, C, H, W) channels -> (B, D, H, W) unbounded maps.

    (B, T, C, H, W) channels with the oldest month first where sizes.months is more than one. Each
    module `soilfuse.networks.<name>` has one class `Network(sizes)`, whose attribute `head` is its
    last 1x1 convolution. Weights are drawn from torch's global generator: seed it first.
    Raises UserError for a name that is not in names.NETWORKS, and where months are given to a
    network that looks at one.
    """
    if name not in names.NETWORKS:
        raise UserError(unknown("network", name, names.NETWORKS, "params.yaml:network.name"))
    if sizes.months > 1 and name not in names.TRAILING:
        raise UserError(
            f"network '{name}' looks at one month, got months {sizes.months}; more than one is for "
            f"{', '.join(names.TRAILING)}: edit params.yaml:network.months"
        )
    module = importlib.import_module(f"soilfuse.networks.{name}")
    network: nn.Module = module.Network(sizes)
    return network


def parameter_count(network: nn.Module) -> int:
    """Return the number of weights of a network."""
    return sum(weight.numel() for weight in network.parameters())
