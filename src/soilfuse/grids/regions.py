"""Regions on a grid: those of params.yaml:domain.regions, as one object for every stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import shapely

from soilfuse.config import Domain
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_content
from soilfuse.grids.grid import Grid
from soilfuse.grids.outlines import user_outlines
from soilfuse.grids.region_sets import REGION_SETS, Masks, Outlines, inside, parted

TRSR = "TRSR"  # the union of the basins


@dataclass(frozen=True)
class Regions:
    """The regions of one grid, as every stage uses them; `regions_of` makes them.

    whole: the name of all regions together; names: every region in order, also those that hold no
    cell of the grid; mask: (H, W) int8, 0 outside, else 1 + the place in `names` of the first
    region that holds the cell's centre; masks: (H, W) bool of the whole, which comes first, and of
    each region that holds a cell, with all its cells, those of an earlier region too; outlines: of
    each region, in the grid's own count of longitudes; credit: whose outlines, or which file.
    """

    grid: Grid
    whole: str
    names: tuple[str, ...]
    mask: np.ndarray
    masks: Mapping[str, np.ndarray]
    outlines: Mapping[str, shapely.Geometry]
    credit: str

    @property
    def inside(self) -> np.ndarray:
        """(H, W) bool, True in any region."""
        return self.mask > 0

    @property
    def shared_cells(self) -> int:
        """Number of cells in more than one region."""
        times = sum(mask.astype(int) for name, mask in self.masks.items() if name != self.whole)
        return int(np.sum(np.greater(times, 1)))

    @cached_property
    def sha256(self) -> str:
        """Hash of names and masks: what of the regions decides a result."""
        packed = {name: np.packbits(mask).tobytes().hex() for name, mask in self.masks.items()}
        return sha256_of_content(
            [self.whole, self.names, list(self.grid.shape), list(packed.items())]
        )


def regions_of(domain: Domain) -> Regions:
    """Return the regions that params.yaml:domain asks for; the one place where they are made.

    Raises UserError where the grid holds no cell of them, and for a file as `user_outlines` does.
    """
    return regions_on(Grid.of(domain), domain.regions, domain.name)


def regions_on(grid: Grid, regions: str, name: str) -> Regions:
    """Return the regions of a grid: one of REGION_SETS, or those of a vector file.

    name: of all regions together; the basins are the TRSR whatever it is.
    """
    if regions not in REGION_SETS:
        path = Path(regions)
        outlines = user_outlines(path)
        return _united(grid, name, _users(outlines, path, grid, name), outlines, path.name)
    chosen = REGION_SETS[regions]
    outlines = chosen.outlines()
    masks = parted(chosen.masks(outlines, grid))
    if not any(mask.any() for mask in masks.values()):
        raise UserError(
            f"no cell centre of {_described(grid)} lies in the {regions} {', '.join(masks)}: move "
            "the grid, or give other regions: edit params.yaml:domain"
        )
    return _united(grid, TRSR if regions == "basins" else name, masks, outlines, chosen.credit)


def _users(outlines: Outlines, path: Path, grid: Grid, whole: str) -> Masks:
    """Return the (H, W) masks of a user's regions, each of which must hold a cell."""
    if whole in outlines:
        raise UserError(
            f"region {whole!r} in {path} has the name of the domain, which stands for all regions "
            "together: rename it, or edit params.yaml:domain.name"
        )
    masks = inside(outlines, grid)
    if empty := [name for name, mask in masks.items() if not mask.any()]:
        raise UserError(
            f"no cell centre of {_described(grid)} lies in {', '.join(empty)} of {path}; expected "
            "one or more in each region: remove those regions, or widen or refine "
            "params.yaml:domain"
        )
    return masks


def _united(grid: Grid, whole: str, masks: Masks, outlines: Outlines, credit: str) -> Regions:
    label = np.zeros(grid.shape, dtype=np.int8)
    for number, mask in enumerate(masks.values(), start=1):
        label[mask & (label == 0)] = number
    held = {name: mask for name, mask in masks.items() if mask.any()}
    return Regions(
        grid=grid,
        whole=whole,
        names=tuple(masks),
        mask=label,
        masks={whole: label > 0, **held},
        outlines={name: _turned(outline, grid) for name, outline in outlines.items()},
        credit=credit,
    )


def _turned(outline: shapely.Geometry, grid: Grid) -> shapely.Geometry:
    """Return an outline in the grid's count of longitudes, twice where both of its ends show it."""
    west, east = grid.lon_bounds[0, 0], grid.lon_bounds[-1, 1]
    turns = [shapely.transform(outline, lambda xy, t=t: xy + [t, 0]) for t in (0, -360, 360)]
    seen = [turn for turn in turns if turn.bounds[0] < east and turn.bounds[2] > west]
    return shapely.union_all(seen) if len(seen) > 1 else (seen or [outline])[0]


def _described(grid: Grid) -> str:
    return f"the grid {grid.lon[0]:g}-{grid.lon[-1]:g}E {grid.lat[0]:g}-{grid.lat[-1]:g}N"
