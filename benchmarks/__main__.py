"""Run every benchmark, then write docs/benchmarks.md from benchmarks/results/*.json."""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from benchmarks.harness import RESULTS
from soilfuse.files import read_json, write_text

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
PARTS = {  # of benchmarks, and none themselves
    "__init__",
    "__main__",
    "calibration_figure",
    "calibration_record",
    "device_memory",
    "harness",
    "paper_case",
    "plain_step",
    "trend_sizes",
    "whole_finetuning",
}
HEAD = """# Benchmarks

Made by `make bench`; `python -m benchmarks.<name>` measures one of them anew. Each row is a run of
both ways in one process, which agreed with each other; the quickest of some repeats counts. What
carries over to other machines is the ratio.
"""
SECTION = """
## {name}

{about}

| what | soilfuse | otherwise | unit | ratio | n | machine | commit |
|---|---|---|---|---|---|---|---|
{rows}"""


def row(timing: dict[str, Any]) -> str:
    """Return one line of the table."""
    numbers = f"{timing['ours']:.3g} | {timing['baseline']:.4g} | {timing['unit']}"
    origin = f"{timing['n']} | {timing['machine']} | {timing['commit']}"
    memory = f", {timing['peak_gib']:.1f} GiB" if "peak_gib" in timing else ""
    return f"| {timing['name']}{memory} | {numbers} | {timing['ratio']:.3g} | {origin} |\n"


def section(results: Path) -> str:
    """Return what one benchmark does, by its own words, and its table."""
    about = inspect.getdoc(importlib.import_module(f"benchmarks.{results.stem}")) or ""
    rows = "".join(map(row, read_json(results)))
    return SECTION.format(name=results.stem, about=about, rows=rows)


def render() -> None:
    """Write the page from the results as they are."""
    write_text(PAGE, HEAD + "".join(map(section, sorted(RESULTS.glob("*.json")))))


def main() -> None:
    """Run and render; exit 1 where a benchmark says that a floor is not met."""
    found = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in PARTS)
    missed = [name for name in found if importlib.import_module(f"benchmarks.{name}").main()]
    render()
    if missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
