"""One hash of all that decides what a training ends in; a checkpoint belongs to one of them."""

import hashlib
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import soilfuse
from soilfuse import networks, training
from soilfuse.files import sha256_of_content, sha256_of_files
from soilfuse.training import ranks, weights
from soilfuse.training.data import TrainingData
from soilfuse.training.plan import Plan
from soilfuse.training.players import Players

CODE = tuple(Path(room.__path__[0]) for room in (networks, training))


def fingerprint(players: Players, train: TrainingData, validation: TrainingData, plan: Plan) -> str:
    """Hash code, versions, settings, seed, number of ranks, networks as they begin, and data."""
    parts = (players.generator, players.discriminator, players.perceptual)
    return sha256_of_content(
        {
            "code": code_hashes(),
            "versions": [soilfuse.__version__, torch.__version__, train.mask.device.type],
            "ranks": ranks.size(),
            "plan": {**asdict(plan), "loss": plan.loss.model_dump()},
            "networks": [None if part is None else _network(part) for part in parts],
            "data": [_data(train), _data(validation)],
        }
    )


@cache
def code_hashes() -> dict[str, str]:
    """Return a hash of the code of each room that computes weights, as this process began."""
    return {room.name: sha256_of_files(room.rglob("*.py")) for room in CODE}


def _network(network: nn.Module) -> list[object]:
    """Return a hash of all weights and buffers, and the settings that stand in no weight."""
    values = dict([*network.named_parameters(), *network.named_buffers()])
    plain = (bool, int, float, str, tuple)
    settings = {
        name: [type(module).__name__, *sorted((k, repr(v)) for k, v in _own(module, plain))]
        for name, module in network.named_modules()
    }
    return [weights.sha256(values), settings]


def _own(module: nn.Module, kinds: tuple[type, ...]) -> list[tuple[str, object]]:
    mode = "training"  # changes while a network is used, and is set anew by who uses it
    return [(k, v) for k, v in vars(module).items() if isinstance(v, kinds) and k != mode]


def _data(data: TrainingData) -> str:
    digest = hashlib.blake2b()
    for field in fields(data):
        value = getattr(data, field.name)
        if isinstance(value, Tensor):
            value = value.detach().cpu().numpy()
        if isinstance(value, np.ndarray):
            digest.update(f"{field.name} {value.dtype} {value.shape} ".encode())
            digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
        else:
            digest.update(f"{field.name} {value!r} ".encode())
    return digest.hexdigest()
