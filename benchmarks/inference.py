"""A champion's prediction in bfloat16 against a plain loop over its networks.

Five residual U-Nets on the paper's grid, 71 x 151 cells, and on the demo's, 29 x 61. The plain loop
is what one writes first: float32, one month and one network at a time, torch's default layout.
Ours: batches, channels-last, bfloat16 convolutions, everything around them and the last convolution
in float32, the ensemble's mean and spread, the flag of inputs out of range. The last convolutions
are drawn so that a network adds 0.003 m3 m-3 (standard deviation) to its base, far more than the
trained ones of the demo do; both ways must agree within 1e-4 m3 m-3.
"""

import sys
from dataclasses import replace

import numpy as np
import torch

from benchmarks.harness import Timing, fastest, floors_met, record
from soilfuse import config, names, seeding
from soilfuse.grids.grid import Grid
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.members import Member
from soilfuse.inference.opening import WITHIN
from soilfuse.networks.generator import Around, Generator

MODELS = list(names.CLIMATE_MODELS)
LAYERS, FOLDS = 5, 5
SPREAD = 0.03  # m3 m-3 that a unit of the core's maps is worth
ADDED = 0.1  # of it, what a network adds
GRIDS = {"71 x 151": (71, 151, 24), "29 x 61": (29, 61, 96)}
FLOOR = 2.0


def unet(shape: tuple[int, int]) -> Generator:
    """Return a residual U-Net of width 16 and depth 4, as in profiles/best.yaml."""
    form = {"inputs": names.DIFFERENCES, "residual": names.FORCED_CHANGE}
    return Generator("unet", len(MODELS), LAYERS, 16, 4, shape, **form)


def network(fold: int, shape: tuple[int, int]) -> Generator:
    """Return a seeded U-Net whose maps have the size of a trained one's."""
    rng = seeding.generator(1, "benchmark", "inference")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(fold)
        made = unet(shape)
        torch.nn.init.normal_(made.core.head.weight, std=0.1)

    def smooth(*parts: int) -> torch.Tensor:
        coarse = torch.from_numpy(rng.normal(0.25, 0.05, (12, *parts, 6, 9))).float()
        return torch.nn.functional.interpolate(coarse, shape, mode="bicubic").clamp(0.05, 0.5)

    base, models = smooth(LAYERS), smooth(len(MODELS))
    spreads = torch.full((len(MODELS),), 0.03), torch.full((LAYERS,), SPREAD)
    made.take(Around(models, spreads[0], base, spreads[1], torch.ones(LAYERS)))
    made.eval()
    inputs = inputs_of(made, 4)
    with torch.no_grad():
        added = made(*inputs) - made.simple(*inputs)
        made.core.head.weight.mul_(ADDED * SPREAD / added.std())
    return made


def inputs_of(made: Generator, months: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return climate models near their climatology (B, M, H, W) and months from 0."""
    rng = seeding.generator(2, "benchmark", "inference", months)
    month = torch.arange(months) % 12
    noise = torch.from_numpy(rng.normal(0, 0.03, (months, len(MODELS), 1, 1))).float()
    return made.model_mean[month] + noise, month


def ensemble_of(networks: list[Generator], shape: tuple[int, int], threads: int) -> Ensemble:
    """Return an ensemble as the pipeline loads it, in bfloat16."""
    grid = Grid.regular(90.0, 90.0 + 0.1 * (shape[1] - 1), 31.0, 31.0 + 0.1 * (shape[0] - 1), 0.1)
    manifest = {
        "source_ids": MODELS,
        "network": {"months": 1, "model_dropout": 0.0},
        "domain": {
            **{"west": grid.lon[0], "east": grid.lon[-1]},
            **{"south": grid.lat[0], "north": grid.lat[-1], "resolution": 0.1},
        },
    }
    members = []
    for one in networks:
        copied = unet(shape)
        copied.load_state_dict(one.state_dict())
        copied.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        members.append(Member(manifest, copied))
    record_of = {"input_range": dict.fromkeys(MODELS, [0.0, 1.0])}
    return Ensemble(members, record_of, torch.device("cpu"), threads, precision="bf16")


def compare(name: str, threads: int) -> Timing:
    """Time both ways, milliseconds a month of the whole ensemble."""
    height, width, months = GRIDS[name]
    networks = [network(fold, (height, width)) for fold in range(FOLDS)]
    inputs, month = inputs_of(networks[0], months)
    ensemble = ensemble_of(networks, (height, width), threads)
    torch.set_num_threads(threads)
    given, calendar = inputs.numpy(), month.numpy() + 1
    batch = 8

    def ours() -> np.ndarray:
        parts = ((given[i : i + batch], calendar[i : i + batch]) for i in range(0, months, batch))
        return np.concatenate([made.mean for made in ensemble.stream(parts)])

    def plain() -> np.ndarray:
        each = []
        with torch.no_grad():
            for i in range(months):
                here = slice(i, i + 1)
                each.append(
                    torch.stack([one(inputs[here], month[here]) for one in networks]).mean(0)
                )
        return torch.cat(each).numpy()

    apart = float(np.abs(ours() - plain()).max())
    exact = replace(ensemble, precision="fp32")
    print(f"{name}: bf16 differs from the plain loop by up to {apart:.1e} m3 m-3")
    assert apart <= WITHIN, apart
    assert np.abs(exact.predict(given[:2], calendar[:2]).mean - plain()[:2]).max() < 1e-5
    title = f"ensemble of five U-Nets, {name} cells, {threads} threads, bf16"
    scale = 1e3 / months
    floor = FLOOR if name == "71 x 151" else None
    timing = fastest(ours, 3) * scale, fastest(plain, 2) * scale
    return Timing(title, *timing, "ms a month", months, floor)


def main() -> bool:
    """Write benchmarks/results/inference.json; return whether a floor is missed."""
    threads = config.load().compute.threads
    timings = [compare(name, threads) for name in GRIDS]
    record("inference", timings)
    return not floors_met(timings)


if __name__ == "__main__":
    sys.exit(main())
