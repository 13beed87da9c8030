"""One training step of the paper's networks against the same maths plainly written.

U-Net of width 64, 17 climate models to five layers of 71 x 151 cells, VGG16 with random weights,
discriminator of width 64, all five losses. The plain step is in float32: VGG16 of the targets in
each step, both networks' graphs walked through whole, the discriminator run again on the same
images. Each way starts from the same weights on the same batch, and both must find the same losses
in two steps on end. The ways take turns on one thread; the quickest turn of each counts.
"""

import copy
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.harness import Timing, record
from soilfuse import config, seeding
from soilfuse.grids.months import month_axis
from soilfuse.training.compiling import compile_where_it_pays
from soilfuse.training.data import Monthly, TrainingData
from soilfuse.training.device import BF16, FP32, autocast, device_of, native_bf16, reproducible
from soilfuse.training.plan import Plan, finetune_plan
from soilfuse.training.players import Players, assemble
from soilfuse.training.step import Batch, Step

PAPER = Path(__file__).parent.parent / "profiles" / "paper.yaml"
MODELS, LAYERS, SHAPE = 17, 5, (71, 151)
TRIPLES = (slice(0, 3), slice(2, 5))  # the layers that VGG16 sees
CPU_BATCH, GPU_BATCH, REPEATS = 4, 96, 4
TOLERANCE = {FP32: 1e-4, BF16: 5e-2}  # of each loss, relative
Losses = dict[str, Tensor]


@dataclass
class Plain:
    """The step as one would write it down from the paper's equations."""

    players: Players
    plan: Plan
    data: TrainingData

    def __post_init__(self) -> None:
        """Give each network its optimiser."""
        generator, judge = self.players.generator, self.players.discriminator
        self.optimizer = torch.optim.Adam(generator.parameters(), self.plan.learning_rate)
        rate = self.plan.discriminator_learning_rate
        self.judge_optimizer = torch.optim.Adam(judge.parameters(), rate)

    def __call__(self) -> Losses:
        """Train the generator, then the discriminator, on all months; return each loss."""
        data, judge = self.data, self.players.discriminator
        made = self.players.generator(data.inputs, data.calendar)
        seen = torch.where(data.mask, made, data.target)
        real, fake = judge(data.target), judge(seen)
        losses = {
            "mse": self.mean_inside((made - data.target) ** 2),
            "perceptual": self.perceptual(seen),
            "adversarial": relativistic(fake, real),
            "insitu": self.mean_inside(data.probability * (data.insitu - made) ** 2),
            "total_variation": self.total_variation(made),
        }
        self.optimizer.zero_grad()
        sum(self.plan.factors[name] * loss for name, loss in losses.items()).backward()
        self.optimizer.step()
        self.judge_optimizer.zero_grad()
        losses["discriminator"] = relativistic(judge(data.target), judge(seen.detach()))
        losses["discriminator"].backward()
        self.judge_optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def mean_inside(self, values: Tensor) -> Tensor:
        """Return the mean over cells inside the boundary."""
        return values[..., self.data.mask].mean()

    def perceptual(self, seen: Tensor) -> Tensor:
        """Return the mean squared distance of VGG16 features over both triples of layers."""
        vgg, target = self.players.perceptual.vgg, self.data.target
        parts = [functional.mse_loss(vgg(seen[:, t]), vgg(target[:, t])) for t in TRIPLES]
        return torch.stack(parts).mean()

    def total_variation(self, made: Tensor) -> Tensor:
        """Return the squared differences of neighbours inside, summed over an image."""
        mask = self.data.mask
        rows = (made[..., 1:, :] - made[..., :-1, :]) ** 2 * (mask[1:] & mask[:-1])
        columns = (made[..., 1:] - made[..., :-1]) ** 2 * (mask[:, 1:] & mask[:, :-1])
        return (rows.sum() + columns.sum()) / len(made)


def relativistic(high: Tensor, low: Tensor) -> Tensor:
    """Return the relativistic average loss that wants the logits `high` above `low`."""
    bce = functional.binary_cross_entropy_with_logits
    return bce(high - low.mean(), torch.ones_like(high)) + bce(
        low - high.mean(), torch.zeros_like(low)
    )


def ours(players: Players, plan: Plan, data: TrainingData) -> Callable[[], Losses]:
    """Return the product's step on all months, set up as training.run does."""
    with torch.no_grad(), autocast(data.mask.device, plan.precision):
        features = players.perceptual.features(data.target).float()
    compile_where_it_pays(players, data, plan.precision)
    step = Step(players, plan, data.mask)
    fields = data.inputs, data.calendar, data.target, data.insitu, data.probability, features
    return lambda: step(Batch(*fields), rate=1.0)


def synthetic(batch: int, device: torch.device) -> TrainingData:
    """Return months of smooth random soil moisture on the paper's grid, a third of it inside."""
    rng = seeding.generator(1, "benchmark", "training")
    time = month_axis(2000, 2000 + (batch - 1) // 12)[:batch]

    def field(name: str, channels: int) -> Monthly:
        coarse = torch.from_numpy(rng.normal(0.25, 0.08, (batch, channels, 8, 16)))
        fine = functional.interpolate(coarse, SHAPE, mode="bicubic").clamp(0.01, 0.6)
        return Monthly(name, fine.numpy().astype(np.float32), time)

    y, x = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j]
    fields = field("inputs", MODELS), field("target", LAYERS), (y**2 + x**2) < 0.4, device
    return TrainingData.join(time, *fields, field("insitu", LAYERS), field("probability", LAYERS))


def paper_plan(precision: str) -> tuple[config.Params, Plan]:
    """Return the paper profile with random VGG16 weights, which need no download."""
    params = config.load(PAPER)
    vgg = params.perceptual.model_copy(update={"weights": "random", "width_divisor": 1})
    params = params.model_copy(update={"perceptual": vgg})
    return params, finetune_plan(params, 0, {}, precision)


def ways(batch: int, device: torch.device) -> dict[str, Callable[[], Losses]]:
    """Return the plain step and ours in each precision, from one set of weights."""
    data, (params, plan) = synthetic(batch, device), paper_plan(FP32)
    first = assemble(params, plan, data)
    plain = copy.deepcopy(first)
    for network in (plain.generator, plain.discriminator, plain.perceptual):
        network.to(memory_format=torch.contiguous_format)
    precisions = [FP32, BF16] if native_bf16(device) else [FP32]
    own = {p: ours(copy.deepcopy(first), replace(plan, precision=p), data) for p in precisions}
    return {"plain": Plain(plain, plan, data), **own}


def require_agreement(steps: dict[str, Callable[[], Losses]]) -> None:
    """Take one step each way; raise AssertionError unless each loss is the plain one's."""
    expected = steps["plain"]()
    for precision, step in steps.items():
        if precision != "plain":
            found = step()
            for name, loss in expected.items():
                error = abs(found[name].item() / loss.item() - 1)
                assert error <= TOLERANCE[precision], f"{precision} {name} differs by {error:.2e}"


def seconds(step: Callable[[], Losses]) -> float:
    """Return the wall-clock seconds of a step, read from the device."""
    begin = time.perf_counter()
    step()["mse"].item()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def compare(batch: int, device: torch.device, where: str) -> list[Timing]:
    """Time the ways in turn, in milliseconds a month."""
    with reproducible(1, device):
        steps = ways(batch, device)
        for _ in range(2):
            require_agreement(steps)
        taken: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(REPEATS):
            for name, step in steps.items():
                taken[name].append(1e3 * seconds(step) / batch)
    if device.type == "cuda":
        where += f", {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB for all ways together"
    plain = min(taken.pop("plain"))
    gc.collect()
    return [
        Timing(f"step, {name} against plain fp32, {where}", min(own), plain, "ms a month", batch)
        for name, own in taken.items()
    ]


def main() -> None:
    """Write benchmarks/results/training.json."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    timings = compare(CPU_BATCH, torch.device("cpu"), "1 thread")
    torch.set_num_threads(before)
    if device_of("auto").type == "cuda":
        timings += compare(GPU_BATCH, device_of("cuda"), torch.cuda.get_device_name())
    record("training", timings)


if __name__ == "__main__":
    main()
