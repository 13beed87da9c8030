"""How much of a GPU's memory one way takes by itself."""

import gc

import torch

GIB = 2**30


def forget(device: torch.device) -> None:
    """Free what nothing holds any more, and count the peak from here on; nothing on a CPU."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_gib(device: torch.device) -> float | None:
    """Return the most that tensors have held since `forget`, in GiB; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) / GIB if device.type == "cuda" else None
