"""Timing of two ways in one process, and the file that docs/benchmarks.md is made from."""

import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from soilfuse.files import write_json

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Timing:
    """One comparison; ours and baseline in `unit`, n is how much of it was timed.

    floor: the least ratio that is good enough; peak_gib: the most of a GPU's memory that ours held.
    """

    name: str
    ours: float
    baseline: float
    unit: str
    n: int
    floor: float | None = None
    peak_gib: float | None = None

    @property
    def ratio(self) -> float:
        """How many times as fast ours is."""
        return self.baseline / self.ours


def fastest(action: Callable[[], Any], repeats: int) -> float:
    """Return the least wall-clock seconds of some repeats: what other load adds is no property."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def machine() -> str:
    """Return the processor's name and the number of its cores that may be used."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


def commit() -> str:
    """Return the commit of the code, with + where the tree differs from it."""
    root = Path(__file__).parent.parent
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unversioned"


def record(name: str, timings: list[Timing]) -> None:
    """Write benchmarks/results/<name>.json and show it."""
    rows = [
        {
            **{key: value for key, value in asdict(timing).items() if value is not None},
            "ratio": timing.ratio,
            "machine": machine(),
            "commit": commit(),
        }
        for timing in timings
    ]
    write_json(RESULTS / f"{name}.json", rows)
    for row in rows:
        print(
            f"{row['name']}: {row['ours']:.4g} against {row['baseline']:.4g} {row['unit']}, "
            f"ratio {row['ratio']:.3g} ({row['machine']})"
        )


def floors_met(timings: list[Timing]) -> bool:
    """Tell of each timing whether its ratio reaches its floor; return whether all do."""
    missed = [t for t in timings if t.floor is not None and t.ratio < t.floor]
    for timing in timings:
        if timing.floor is not None:
            verdict = "NOT met" if timing in missed else "met"
            print(f"{timing.name}: ratio {timing.ratio:.3g}, floor {timing.floor:g} {verdict}")
        else:
            print(f"{timing.name}: ratio {timing.ratio:.3g}, no floor")
    return not missed
