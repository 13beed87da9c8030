"""torch.compile for the two networks that cost the most, on GPUs only.

On a CPU compiling takes 20 s and gains little (measured). The discriminator is left as it is: its
graph is walked back twice, for the generator and for its own weights, and a compiled graph would
compute both gradients each time.
"""

import logging

import torch
from torch import nn

from soilfuse.training.data import TrainingData
from soilfuse.training.device import autocast
from soilfuse.training.players import Players

log = logging.getLogger(__name__)
TRIAL = slice(0, 2)  # a batch of one would be compiled for batches of one


def compile_where_it_pays(players: Players, train: TrainingData, precision: str) -> bool:
    """Compile the generator and VGG16 in place on a GPU; return whether they are compiled now.

    Weights and their names stay as they are. Where compiling fails (no Triton, an operation that
    it does not know) both run as they are, and the reason is logged as a warning.
    """
    device = train.mask.device
    if not pays(device):
        return False
    networks = [players.generator, *([players.perceptual.vgg] if players.perceptual else [])]
    torch._dynamo.config.suppress_errors = True  # a later shape that fails runs as it is
    try:
        for network in networks:
            network.compile()
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            _try(players, train, precision)
    except Exception as error:  # a compiler raises nearly anything
        for network in networks:
            network._compiled_call_impl = None  # what Module.compile sets; torch has no undo
        log.warning("training goes on without torch.compile: %s", str(error).split("\n")[0])
        return False
    return True


def pays(device: torch.device) -> bool:
    """Return whether compiling is worth its time on a device."""
    return device.type == "cuda"


def _try(players: Players, train: TrainingData, precision: str) -> None:
    """Run both networks forwards and backwards once, as a step does; leave no trace of it."""
    generator: nn.Module = players.generator
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    generator.train()
    with autocast(train.mask.device, precision):
        made = generator(train.inputs_at(TRIAL), train.calendar[TRIAL])
        if players.perceptual is not None:
            seen = train.target[TRIAL].clone().requires_grad_()
            players.perceptual.features(seen).float().sum().backward()
    made.float().sum().backward()
    generator.zero_grad(set_to_none=True)
    generator.load_state_dict(before)  # batch normalisation remembers what it saw
