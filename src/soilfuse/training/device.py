"""Where and how precisely to compute."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from soilfuse.errors import UserError, unknown

FP32, BF16 = "fp32", "bf16"
PRECISIONS = (FP32, BF16)


def device_of(word: str) -> torch.device:
    """Return the device that `auto`, `cpu` or `cuda` stands for; auto is cuda where there is one.

    Raises UserError for cuda where there is none.
    """
    available = torch.cuda.is_available()
    if word == "cuda" and not available:
        raise UserError(
            "compute.device is cuda but torch sees no GPU; allowed here auto, cpu: edit "
            "params.yaml:compute.device or install the CUDA build of torch"
        )
    return torch.device("cuda" if word == "cuda" or (word == "auto" and available) else "cpu")


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context of the forward passes: plain float32, or bfloat16 where it is native.

    bfloat16 is twice as fast and changes results in the third digit. Raises UserError for an
    unknown precision, and for bf16 on hardware that would only emulate it.
    """
    if precision not in PRECISIONS:
        raise UserError(unknown("precision", precision, PRECISIONS, "the training's precision"))
    if precision == BF16 and not native_bf16(device):
        raise UserError(
            f"precision bf16 is not native on this {device.type}; allowed here {FP32}: "
            "train in fp32, or on hardware that has it"
        )
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == BF16)


def native_bf16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


@contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch and choose deterministic kernels inside the block; restore both after it."""
    cards = [torch.cuda.current_device()] if device.type == "cuda" else []
    with (
        torch.random.fork_rng(devices=cards),
        torch.backends.cudnn.flags(benchmark=False, deterministic=True),
    ):
        torch.manual_seed(seed)
        yield


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """Return the state of torch's random generators that training draws from."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def restore_random_state(state: dict[str, torch.Tensor]) -> None:
    """Set torch's random generators to a state from random_state."""
    torch.set_rng_state(state["cpu"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])
