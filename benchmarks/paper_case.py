"""What the training benchmarks train: the paper's networks, settings and shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from soilfuse import config, seeding
from soilfuse.networks.generator import Generator
from soilfuse.networks.vgg import PUBLISHED
from soilfuse.training.data import Monthly
from soilfuse.training.fields import Fields

PROFILE = Path(__file__).parent.parent / "profiles" / "paper.yaml"
MODELS, LAYERS, SHAPE = 17, 5, (71, 151)
Changes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """Which settings train, on which device and grid (H, W)."""

    params: config.Params
    device: torch.device
    shape: tuple[int, int] = SHAPE

    def with_sections(self, changes: Changes) -> "Case":
        """Return the case with some keys of some sections changed: section -> {key: value}."""
        return replace(self, params=with_sections(self.params, changes))


def paper(changes: Changes | None = None) -> config.Params:
    """Return the paper's profile with VGG16 as it is at hand, and some sections changed.

    changes: section -> {key: value}. The published weights of VGG16 are taken where torch has them
    already; else random ones, which take as long and need no download.
    """
    at_hand = Path(torch.hub.get_dir(), "checkpoints", Path(PUBLISHED).name).is_file()
    weights = {"weights": "imagenet" if at_hand else "random"}
    sections = {"perceptual": weights, **(changes or {})}
    return with_sections(config.load(PROFILE), sections)


def with_sections(params: config.Params, changes: Changes) -> config.Params:
    """Return the parameters with some keys of some sections changed: section -> {key: value}."""
    update = {
        name: getattr(params, name).model_copy(update=dict(keys)) for name, keys in changes.items()
    }
    return params.model_copy(update=update)


def smooth_fields(months: np.ndarray, shape: tuple[int, int]) -> Fields:
    """Return (T,) months of smooth random soil moisture in m3 m-3 on a grid, a third of it inside.

    Channels as the paper's: 17 climate models, five layers; the label density is drawn alike.
    """
    rng = seeding.generator(1, "benchmark", "training")

    def field(name: str, channels: int) -> Monthly:
        coarse = torch.from_numpy(rng.normal(0.25, 0.08, (len(months), channels, 8, 16)))
        fine = functional.interpolate(coarse, shape, mode="bicubic").clamp(0.01, 0.6)
        return Monthly(name, fine.numpy().astype(np.float32), months)

    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    inputs, target = field("inputs", MODELS), field("target", LAYERS)
    stations = field("insitu", LAYERS), field("probability", LAYERS)
    return Fields(inputs, target, (y**2 + x**2) < 0.4, *stations)


def untrained(params: config.Params, fields: Fields) -> dict[str, Tensor]:
    """Return seeded weights of the generator, to stand for those of a pre-training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)
        return Generator(**fields.architecture(params.network)).state_dict()
