"""The one place where a generator is built from its name."""

import importlib

from torch import nn

from soilfuse import names
from soilfuse.errors import UserError, unknown


def build(name: str, in_channels: int, out_channels: int, width: int, depth: int) -> nn.Module:
    """Build the generator called `name`; (B, M, H, W) m3 m-3 -> (B, D, H, W) m3 m-3.

    Each module `soilfuse.networks.<name>` has one class `Network` with the methods `load_body`
    and `reset_head`. Weights are drawn from torch's global generator: seed it first.
    Raises UserError with the list of names for a name that is not in names.NETWORKS.
    """
    if name not in names.NETWORKS:
        raise UserError(unknown("network", name, names.NETWORKS, "params.yaml:network.name"))
    module = importlib.import_module(f"soilfuse.networks.{name}")
    network: nn.Module = module.Network(in_channels, out_channels, width, depth)
    return network


def parameter_count(network: nn.Module) -> int:
    """Return the number of weights of a network."""
    return sum(weight.numel() for weight in network.parameters())
