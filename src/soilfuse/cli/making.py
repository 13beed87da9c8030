"""`soilfuse infer`, `trends` and `report`: some stages alone, through DVC, on what is there."""

import os
from collections.abc import Sequence
from pathlib import Path

from soilfuse import config, layout
from soilfuse.cli import rooted
from soilfuse.cli.reproducing import refuse_unready, reproduce

INDEX = layout.REPORTS / "index.html"


def made(stage: str, experiments: Sequence[str], force: bool = False) -> list[Path]:
    """Run `stage` for some experiments, all where none is named; return their main files.

    stage: infer or trends. Only these stages run: what they are made from must be up to
    date. Raises UserError for an unknown experiment, a stale or missing upstream, with the command
    that mends it, for an alias `champion` that was moved by hand, and where DVC fails.
    """
    known = rooted.params().experiments
    place = "the command, or params.yaml:experiments"
    chosen = [config.item_of(e, known, "experiment", place) for e in experiments] or known
    chosen = list(dict.fromkeys(chosen))
    _run([f"{stage}@{experiment}" for experiment in chosen], force)
    folder = {"infer": layout.PRODUCTS, "trends": layout.TRENDS}[stage]
    return [folder / f"{experiment}.nc" for experiment in chosen]


def report(force: bool = False) -> Path:
    """Make every page from products, trends and evaluation as they are; return the first one."""
    experiments = rooted.params().experiments
    _run([*(f"page@{experiment}" for experiment in experiments), "map", "report"], force)
    return INDEX


def _run(targets: Sequence[str], force: bool) -> None:
    refuse_unready(targets)
    forced = ["--force"] if force else []
    reproduce(["--single-item", *forced, *targets], os.environ)
