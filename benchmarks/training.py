"""One training step of the paper's networks against the same maths plainly written.

U-Net of width 64, 17 climate models to five layers of 71 x 151 cells, VGG16, discriminator of width
64, all five losses. The plain step is in float32: VGG16 of the targets in each step, both networks'
graphs walked through whole, the discriminator run again on the same images. Each way starts from
the same weights on the same batch, and both must find the same losses in two steps on end. The ways
take turns, on one thread of a CPU; the quickest turn of each counts, and its memory is that of two
steps by itself. A ratio below its floor fails the benchmark.

Where there is a GPU, the paper's whole fine-tuning is run too (blocked folds, no early stopping);
what it is held against is the time of as many months in plain steps.
"""

import copy
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from benchmarks.device_memory import forget, peak_gib
from benchmarks.harness import Timing, floors_met, record
from benchmarks.paper_case import Case, paper, smooth_fields
from benchmarks.plain_step import Losses, Plain
from benchmarks.whole_finetuning import finetune
from soilfuse.grids.months import month_axis
from soilfuse.training.compiling import compile_where_it_pays
from soilfuse.training.data import TrainingData
from soilfuse.training.device import BF16, FP32, autocast, device_of, native_bf16, reproducible
from soilfuse.training.plan import Plan, finetune_plan
from soilfuse.training.players import Players, assemble
from soilfuse.training.step import Batch, Step

PLAIN = "plain"
CPU_BATCH, REPEATS = 4, 4
TOLERANCE = {FP32: 1e-4, BF16: 5e-2}  # of each loss, relative
CPU_FLOORS, GPU_FLOOR = {FP32: 1.2, BF16: 2.2}, 5.0
X86_BF16 = ("avx512_bf16", "amx_bf16")
Ways = dict[str, Callable[[], Losses]]


def ours(players: Players, plan: Plan, data: TrainingData) -> Callable[[], Losses]:
    """Return the product's step on all months, set up as training.run does."""
    with torch.no_grad(), autocast(data.mask.device, plan.precision):
        features = players.perceptual.features(data.target).float()
    compile_where_it_pays(players, data, plan.precision)
    step = Step(players, plan, data.mask)
    fields = data.inputs, data.calendar, data.target, data.insitu, data.probability, features
    return lambda: step(Batch(*fields), rate=1.0)


def plainly(players: Players, plan: Plan, data: TrainingData) -> Plain:
    """Return the plain step on all months, its networks laid out as torch does by default."""
    for network in (players.generator, players.discriminator, players.perceptual):
        network.to(memory_format=torch.contiguous_format)
    return Plain(players, plan, data)


def names_of_ways(device: torch.device) -> list[str]:
    """Return the plain step's name and the precisions that the device multiplies natively."""
    return [PLAIN, FP32, *([BF16] if native_bf16(device) else [])]


def ways(case: Case, batch: int, names: list[str]) -> Ways:
    """Return the steps of these names on `batch` months, from one set of weights."""
    months = month_axis(2000, 2000 + (batch - 1) // 12)[:batch]
    data = smooth_fields(months, case.shape).training(months, case.device)
    plan = finetune_plan(case.params, 0, {}, FP32)
    first = assemble(case.params, plan, data)
    made: Ways = {}
    for name in names:
        players = copy.deepcopy(first)
        if name == PLAIN:
            made[name] = plainly(players, plan, data)
        else:
            made[name] = ours(players, replace(plan, precision=name), data)
    return made


def require_agreement(steps: Ways) -> None:
    """Take one step each way; raise AssertionError unless each loss is the plain one's."""
    expected = steps[PLAIN]()
    for precision, step in steps.items():
        if precision != PLAIN:
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


def quickest(steps: Ways, batch: int) -> dict[str, float]:
    """Return each way's milliseconds a month, after two steps in which all of them agreed."""
    for _ in range(2):
        require_agreement(steps)
    turns = [{name: seconds(step) for name, step in steps.items()} for _ in range(REPEATS)]
    return {name: 1e3 * min(turn[name] for turn in turns) / batch for name in steps}


def memory_of(case: Case, batch: int, name: str) -> float | None:
    """Return the peak GiB of two steps of one way by itself; None on a CPU."""
    if case.device.type != "cuda":
        return None
    torch.compiler.reset()
    forget(case.device)
    (step,) = ways(case, batch, [name]).values()
    for _ in range(2):
        step()
    return peak_gib(case.device)


def floor_of(precision: str, device: torch.device) -> float | None:
    """Return the least ratio that is good enough (issue 4): of a GPU's ways the fastest is held."""
    if device.type == "cuda":
        return GPU_FLOOR if precision == names_of_ways(device)[-1] else None
    capable = any(torch.cpu.get_capabilities().get(name, False) for name in X86_BF16)
    return CPU_FLOORS[precision] if precision == FP32 or capable else None


def compare(case: Case, batch: int, where: str) -> list[Timing]:
    """Time the ways in turn, in milliseconds a month, and weigh each by itself."""
    names = names_of_ways(case.device)
    with reproducible(1, case.device):
        taken = quickest(ways(case, batch, names), batch)
        weighed = {name: memory_of(case, batch, name) for name in names}
    if (of_plain := weighed[PLAIN]) is not None:
        where += f" (plain {of_plain:.1f} GiB)"
    return [
        Timing(
            name=f"step, {name} against plain fp32, {where}",
            ours=taken[name],
            baseline=taken[PLAIN],
            unit="ms a month",
            n=batch,
            floor=floor_of(name, case.device),
            peak_gib=weighed[name],
        )
        for name in names[1:]
    ]


def whole(case: Case, precision: str, plain: float) -> Timing:
    """Time the paper's whole fine-tuning in seconds; plain: the plain step's ms a month."""
    done = finetune(case.with_sections({"finetune": {"precision": precision}}))
    name = f"{done.told}, {torch.cuda.get_device_name(case.device)}"
    return Timing(
        name, done.seconds, 1e-3 * plain * done.months, "s", done.months, peak_gib=done.gib
    )


def on_gpu(case: Case) -> list[Timing]:
    """Time the steps at the paper's batch, and its whole fine-tuning in each precision."""
    batch, where = case.params.finetune.batch, torch.cuda.get_device_name(case.device)
    steps = compare(case, batch, where)
    precisions = names_of_ways(case.device)[1:]
    return steps + [whole(case, precision, steps[0].baseline) for precision in precisions]


def main() -> int:
    """Write benchmarks/results/training.json; return 1 where a floor is not met."""
    params, before = paper(), torch.get_num_threads()
    torch.set_num_threads(1)
    timings = compare(Case(params, torch.device("cpu")), CPU_BATCH, "1 thread")
    torch.set_num_threads(before)
    if device_of("auto").type == "cuda":
        timings += on_gpu(Case(params, device_of("cuda")))
    else:
        print("left out: a GPU's step and the paper's whole fine-tuning need a GPU, none is here")
    record("training", timings)
    return 0 if floors_met(timings) else 1


if __name__ == "__main__":
    sys.exit(main())
