"""Run every benchmark, then write docs/benchmarks.md from benchmarks/results/*.json."""

import importlib
from pathlib import Path

from benchmarks.harness import RESULTS
from soilfuse.files import read_json, write_text

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
OURSELVES = {"__init__", "__main__", "harness", "calibration_figure"}
HEAD = """# Benchmarks

Made by `make bench`; each row is one run of both ways in one process, which agreed with each other.

| what | soilfuse | otherwise | unit | times as fast | n | machine | commit |
|---|---|---|---|---|---|---|---|
"""


def row(timing: dict) -> str:
    """Return one line of the table."""
    numbers = f"{timing['ours']:.3g} | {timing['baseline']:.4g} | {timing['unit']}"
    origin = f"{timing['n']} | {timing['machine']} | {timing['commit']}"
    return f"| {timing['name']} | {numbers} | {timing['ratio']:.0f} | {origin} |\n"


def main() -> None:
    """Run and render."""
    for name in sorted(path.stem for path in HERE.glob("*.py") if path.stem not in OURSELVES):
        importlib.import_module(f"benchmarks.{name}").main()
    timings = [timing for path in sorted(RESULTS.glob("*.json")) for timing in read_json(path)]
    write_text(PAGE, HEAD + "".join(map(row, timings)))


if __name__ == "__main__":
    main()
