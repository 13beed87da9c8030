"""Where and how precisely to compute."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from soilfuse import config
from soilfuse.errors import UserError, unknown
from soilfuse.training import ranks

FP32, BF16, AUTO = "fp32", "bf16", "auto"
PRECISIONS = (FP32, BF16, AUTO)
CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
log = logging.getLogger(__name__)


def computing(compute: config.Compute, together: bool = True) -> torch.device:
    """Begin to compute as params.yaml:compute says, and return this process's device.

    Sets the number of threads and the kind of kernels. together: with compute.devices above 1, or
    under a launcher, the same command is started once a device (see `ranks.start`).
    """
    device = device_of(compute.device)
    if together:
        ranks.start(device.type, compute.devices)  # which sets a number of threads of its own
    torch.set_num_threads(compute.threads)
    if compute.deterministic:
        deterministic()
    return device


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


def precision_of(word: str, device: torch.device) -> str:
    """Return `fp32` or `bf16` for a word; `auto` is bf16 where the device multiplies it natively.

    bf16 on a device that has to emulate it is slow, which is logged as a warning.
    Raises UserError for an unknown word.
    """
    if word not in PRECISIONS:
        raise UserError(unknown("precision", word, PRECISIONS, "the training's precision"))
    if word == AUTO:
        return BF16 if native_bf16(device) else FP32
    if word == BF16 and not native_bf16(device):
        log.warning(
            "precision bf16 is emulated on this %s and slower than fp32; auto would take fp32",
            device.type,
        )
    return word


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context of the forward passes: plain float32, or bfloat16 for `bf16`.

    Where bfloat16 is native it is two to four times as fast; it changes results in the third
    digit. Raises UserError for what is neither.
    """
    if precision not in (FP32, BF16):
        raise UserError(unknown("precision", precision, (FP32, BF16), "the training's precision"))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == BF16)


def native_bf16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def deterministic() -> None:
    """Let this process use no kernel whose result changes from run to run.

    On the CPU that is so anyway: one seed and one number of threads give the same bytes. On a GPU
    cuDNN's convolutions are chosen that way by `reproducible`, but sums in atomic order (poolings,
    interpolation) round differently each time; after this call they are replaced by slower ones,
    and an operation without any raises RuntimeError. Call it before anything runs on a GPU.
    """
    os.environ.setdefault(CUBLAS, ":4096:8")  # what makes cuBLAS deterministic
    torch.use_deterministic_algorithms(True)


@contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch and choose deterministic convolutions inside the block; restore both after it."""
    cards = [torch.cuda.current_device()] if device.type == "cuda" else []
    with (
        torch.random.fork_rng(devices=cards),
        # enabled, because the default of this context is without cuDNN
        torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ),
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
