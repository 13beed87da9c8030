"""Run every benchmark, then write docs/benchmarks.md from benchmarks/results/*.json."""

import importlib
import inspect
from pathlib import Path
from typing import Any

from benchmarks.harness import RESULTS
from soilfuse.files import read_json, write_text

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
OURSELVES = {"__init__", "__main__", "harness", "calibration_figure", "calibration_record"}
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
    return f"| {timing['name']} | {numbers} | {timing['ratio']:.3g} | {origin} |\n"


def section(results: Path) -> str:
    """Return what one benchmark does, by its own words, and its table."""
    about = inspect.getdoc(importlib.import_module(f"benchmarks.{results.stem}")) or ""
    rows = "".join(map(row, read_json(results)))
    return SECTION.format(name=results.stem, about=about, rows=rows)


def render() -> None:
    """Write the page from the results as they are."""
    write_text(PAGE, HEAD + "".join(map(section, sorted(RESULTS.glob("*.json")))))


def main() -> None:
    """Run and render."""
    for name in sorted(path.stem for path in HERE.glob("*.py") if path.stem not in OURSELVES):
        importlib.import_module(f"benchmarks.{name}").main()
    render()


if __name__ == "__main__":
    main()
