"""What every network of the registry is built for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Numbers of channels, and what a network makes of width and depth (docs/training.md).

    models, extra: the first channels are climate models, the last ones static maps, season and
    marks of presence, C = models + extra; layers: D; dropout: share in [0, 1) of the channels that
    are dropped in training; months: T, trailing months of input.
    """

    models: int
    extra: int
    layers: int
    width: int
    depth: int
    dropout: float
    months: int
