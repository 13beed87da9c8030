"""How often each trend test rejects at 5 % where there is no trend: the table of docs/trends.md.

Series of normal AR(1) noise, 4000 of each length and memory. Nothing is timed.
"""

from collections.abc import Callable

import numpy as np

from soilfuse import seeding
from soilfuse.trends.mann_kendall import TrendResult, trend_test
from soilfuse.trends.modified import hamed_rao, trend_free_prewhitened, yue_wang

NUMBER = 4000
LENGTHS = (20, 30, 86)
MEMORIES = (0.0, 0.3, 0.6, 0.9)
LEVEL = 0.05
TESTS: dict[str, Callable[[np.ndarray, TrendResult], np.ndarray]] = {
    "plain": lambda series, trend: trend.p,
    "Hamed-Rao, all lags": lambda series, trend: hamed_rao(series, trend).p,
    "Hamed-Rao, 3 lags": lambda series, trend: hamed_rao(series, trend, lags=3).p,
    "Yue-Wang, lag one": lambda series, trend: yue_wang(series, trend).p,
    "trend-free prewhitening": lambda series, trend: trend_free_prewhitened(series, trend).p,
}


def without_trend(steps: int, memory: float) -> np.ndarray:
    """Return (steps, NUMBER) stationary AR(1) noise of unit innovations."""
    rng = seeding.generator(1, "benchmark", "sizes", steps, int(100 * memory))
    values = rng.normal(size=(steps, NUMBER))
    values[0] /= np.sqrt(1 - memory**2)
    for step in range(1, steps):
        values[step] += memory * values[step - 1]
    return values


def rejected(steps: int, memory: float) -> list[float]:
    """Return the share of series that each test rejects."""
    series = without_trend(steps, memory)
    trend = trend_test(series)
    return [float((p(series, trend) < LEVEL).mean()) for p in TESTS.values()]


def main() -> None:
    """Print the table."""
    print(f"| values | memory | {' | '.join(TESTS)} |")
    print("|---" * (2 + len(TESTS)) + "|")
    for steps in LENGTHS:
        for memory in MEMORIES:
            shares = " | ".join(f"{share:.3f}" for share in rejected(steps, memory))
            print(f"| {steps} | {memory} | {shares} |")


if __name__ == "__main__":
    main()
