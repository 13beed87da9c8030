"""Several processes that train one network, each on a part of every batch.

`launching` starts the processes, Lightning Fabric joins them and gives each its device; what they
tell each other stands here. Where there is one process, every function returns what it was given,
and nothing is sent.

One step of R ranks is the step that one process would do on the whole batch, but for rounding:
gradients are added up with each rank's share, the means of the relativistic loss and of batch
normalisation run over the images of all ranks. Dropout draws other numbers on each rank.

Every rank must call these functions in the same order, or all of them wait for ever.
"""

import logging
import os
from collections.abc import Iterable

import torch
from torch import Tensor, distributed, nn

from soilfuse.errors import UserError
from soilfuse.training import launching


def start(device: str, devices: int) -> None:
    """Start the other processes and join them; do nothing for one device without a launcher.

    device: the type, `cpu` or `cuda`; devices: processes on this machine. The same command runs in
    each of them from its beginning, so only `is_first` may write. A launcher's own numbers
    (torchrun: WORLD_SIZE, LOCAL_WORLD_SIZE) win. Raises UserError for more GPUs than there are.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if devices == 1 and world == 1:
        return
    here = int(os.environ.get("LOCAL_WORLD_SIZE", devices))
    if device == "cuda" and here > torch.cuda.device_count():
        raise UserError(
            f"compute.devices is {here} but torch sees {torch.cuda.device_count()} GPUs; expected "
            "no more than there are: edit params.yaml:compute.devices"
        )
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # its import sets INFO
    # What a scheduler says of its job (SLURM_NTASKS) is about its own processes, not about ours.
    own = LightningEnvironment() if launching.start_others(here) else None
    nodes = max(1, world // here)
    Fabric(accelerator=device, devices=here, num_nodes=nodes, strategy="ddp", plugins=own).launch()


def size() -> int:
    """Return R, the number of processes that train together."""
    return distributed.get_world_size() if _together() else 1


def rank() -> int:
    """Return the place of this process among them, 0 for the first."""
    return distributed.get_rank() if _together() else 0


def is_first() -> bool:
    """Return whether this is the process that writes checkpoints, records and results."""
    return rank() == 0


def own_part(count: int) -> slice:
    """Return this rank's part of `count` images; the parts differ by one image at most."""
    base, longer = divmod(count, size())
    begin = rank() * base + min(rank(), longer)
    return slice(begin, begin + base + (rank() < longer))


def wait_for_all() -> None:
    """Go on when every rank has come here."""
    if _together():
        own = [torch.cuda.current_device()] if distributed.get_backend() == "nccl" else None
        distributed.barrier(device_ids=own)


def total(values: Tensor) -> Tensor:
    """Return the sum over ranks of a tensor of one shape, without gradient."""
    if not _together():
        return values
    summed = values.detach().clone()
    distributed.all_reduce(summed)
    return summed


def from_first(values: Tensor) -> Tensor:
    """Return the first rank's tensor; the others give one of its shape."""
    if _together():
        distributed.broadcast(values, src=0)
    return values


def agree(number: int, device: torch.device) -> bool:
    """Return whether this rank's number is the first one's."""
    return int(from_first(torch.tensor(number, device=device)).item()) == number


def everyones(logits: Tensor) -> Tensor:
    """Return the (B,) logits of all ranks from this one's (b,), with gradient for its own alone.

    Each rank then takes the loss of all images and sends back what belongs to its own.
    """
    if not _together():
        return logits
    counts = torch.zeros(size(), dtype=torch.int64, device=logits.device)
    counts[rank()] = len(logits)
    sizes = total(counts).tolist()
    longest = logits.new_zeros(max(sizes))
    longest[: len(logits)] = logits.detach()
    found = [torch.empty_like(longest) for _ in sizes]
    distributed.all_gather(found, longest)
    parts = [part[:count] for part, count in zip(found, sizes, strict=True)]
    parts[rank()] = logits
    return torch.cat(parts)


def add_up_gradients(network: nn.Module) -> None:
    """Replace each weight's gradient by its sum over ranks, in one message."""
    if not _together():
        return
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    flat = total(torch.cat([gradient.flatten() for gradient in gradients]))
    sizes = [gradient.numel() for gradient in gradients]
    for gradient, part in zip(gradients, flat.split(sizes), strict=True):
        gradient.copy_(part.view(gradient.shape))


def synchronise_norms(networks: Iterable[nn.Module | None]) -> None:
    """Let batch normalisation take its means over the images of all ranks."""
    if not _together():
        return
    for network in networks:
        for module in [] if network is None else network.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = SharedNorm  # weights and names stay as they are


class SharedNorm(nn.BatchNorm2d):
    """Batch normalisation over all ranks; torch's own (SyncBatchNorm) is for GPUs alone."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, H, W) by the mean and variance of the B of all ranks."""
        if not self.training:
            return super().forward(input)
        values = input.float()
        axes, shape = (0, 2, 3), (1, -1, 1, 1)
        count = total(values.new_tensor(float(values.numel() // values.shape[1])))
        mean = _sum_of_all(values.sum(axes)) / count
        centred = values - mean.view(shape)
        variance = _sum_of_all(centred.square().sum(axes)) / count
        with torch.no_grad():
            self._remember(mean, variance * count / (count - 1))
        made = centred * torch.rsqrt(variance + self.eps).view(shape)
        return (made * self.weight.view(shape) + self.bias.view(shape)).to(input.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


class _SumOfAll(torch.autograd.Function):
    """The sum over ranks; each rank's gradient is the sum of what all of them send back."""

    @staticmethod
    def forward(_context: torch.autograd.function.FunctionCtx, values: Tensor) -> Tensor:
        return total(values)

    @staticmethod
    def backward(_context: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        return total(gradient)


def _sum_of_all(values: Tensor) -> Tensor:
    summed: Tensor = _SumOfAll.apply(values)
    return summed


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
