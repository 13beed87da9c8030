"""What is wanted of an archive, and what the archive offers of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soilfuse.grids.grid import Grid

# Native cells around the grid beyond those that fill coasts: the reader takes two, and two more
# let a user raise cmip6.fill_cells without fetching again.
MARGIN = 4


@dataclass(frozen=True)
class Wanted:
    """Whole years of a variable of a CMIP6 table: one experiment of one member of a model."""

    variable: str
    table: str
    source_id: str
    variant_label: str
    experiment: str
    years: tuple[int, int]

    def __str__(self) -> str:
        """Name it as its files do."""
        return f"{self.source_id} {self.experiment} {self.variant_label}"

    def file_name(self, grid_label: str, months: np.ndarray) -> str:
        """Return the file name of the data reference syntax of CMIP6; months (T,) ascending."""
        facets = self.variable, self.table, self.source_id, self.experiment, self.variant_label
        ends = (str(months[i].astype("datetime64[M]")).replace("-", "") for i in (0, -1))
        return f"{'_'.join([*facets, grid_label])}_{'-'.join(ends)}.nc"


@dataclass(frozen=True)
class Region:
    """The target grid, and how many native cells are kept around it on every side."""

    grid: Grid
    margin: int


@dataclass(frozen=True)
class Offer:
    """What an archive has of one thing wanted.

    what: its name in messages; target: the file it becomes, `*` where a part of the name shows only
    afterwards; origin: its address in the archive; size: bytes there, None where unknown; note:
    a choice that was made; save: fetches it, cuts it and writes it whole or not at all.
    """

    what: str
    target: Path
    origin: str
    size: Callable[[], int | None]
    note: str
    save: Callable[[], None]


def best_grid(labels: set[str]) -> tuple[str, str]:
    """Return the grid label to take, the native gn where there is one, and a note on the choice."""
    chosen = "gn" if "gn" in labels else min(labels)
    others = ", ".join(sorted(labels - {chosen}))
    return chosen, f"grid {chosen}, not {others}" if others else ""


def none_there(wanted: list[Wanted], members: dict[str, set[str]], where: str, do: str) -> str:
    """Build the line for experiments of one model that an archive lacks.

    members: which members of the model it has, by experiment; do: what else may help.
    """
    first = wanted[0]
    lacking = ", ".join(item.experiment for item in wanted)
    complete = set.intersection(*(members.get(item.experiment, set()) for item in wanted))
    if complete:
        there = f"there are members {_some(complete)}"
    else:
        held = {name: labels for name, labels in sorted(members.items()) if labels}
        each = "; ".join(f"{name} has {_some(labels)}" for name, labels in held.items())
        there = f"no other member has all of them{f' ({each})' if each else ''}"
    return (
        f"no {first.variable} ({first.table}) of {first.source_id} {first.variant_label} for "
        f"{lacking} in {where}; {there}: edit params.yaml:cmip6.models{do}"
    )


def _some(labels: set[str], shown: int = 6) -> str:
    ordered = sorted(labels, key=lambda label: (len(label), label))
    more = f" and {len(ordered) - shown} more" if len(ordered) > shown else ""
    return ", ".join(ordered[:shown]) + more
