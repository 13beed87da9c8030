"""Soil moisture that is in range and still cannot be: stuck, empty, or of other units.

Letters: T months, D other levels, h latitudes, w longitudes.
"""

from collections.abc import Sequence

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.months import label_of
from soilfuse.sources.joining import Piece

LEAST_WETTEST = 0.02  # m3 m-3 that some month and cell of any file reaches
MOST_MISSING = 0.1  # of the cells that have a value in some month


def require_plausible(piece: Piece, provider: str) -> None:
    """Raise UserError where a file's monthly values (T, [D,] h, w) m3 m-3 cannot be soil moisture.

    That is: as `require_moist`, and two neighbouring months or levels that are equal in every cell.
    """
    where = f"{piece.path} ({provider})"
    require_moist(piece.values, where)
    alike = _equal_neighbours(piece.values)
    if alike.size:
        first, second = (label_of(piece.months[alike[0] + i]) for i in (0, 1))
        raise UserError(
            f"month {second} equals {first} in every cell of {where}, as do {alike.size - 1} more; "
            "expected fields that change: download the file again"
        )
    if piece.values.ndim == 4:
        require_distinct(np.moveaxis(piece.values, 1, 0), where)


def require_moist(values: np.ndarray, where: str) -> None:
    """Raise UserError where values of any shape, m3 m-3, are all missing or below LEAST_WETTEST."""
    valid = values[np.isfinite(values)]
    if not valid.size:
        raise UserError(
            f"no land in {where}: every cell is missing in the region; download the file again, or "
            "leave it out of params.yaml"
        )
    if (highest := float(valid.max())) < LEAST_WETTEST:
        raise UserError(
            f"soil moisture in {where} is nowhere above {highest:.4g} after conversion; expected "
            f"{LEAST_WETTEST:g} or more in some month and cell: check the file's units"
        )


def require_distinct(levels: np.ndarray | list[np.ndarray], where: str) -> None:
    """Raise UserError where two neighbours of D levels (T, h, w) are equal everywhere.

    Levels of nothing but zeros may be: land models write them below bedrock.
    """
    for number, (upper, lower) in enumerate(zip(levels[:-1], levels[1:], strict=True), start=1):
        if (upper > 0).any() and np.array_equal(upper, lower, equal_nan=True):
            raise UserError(
                f"layers {number} and {number + 1} of {where} are equal everywhere; expected "
                "different ones: download the file again"
            )


def require_steady_mask(parts: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> None:
    """Raise UserError where a month lacks a tenth of the cells that have values in others.

    parts: of each file of a series its name, months (T,) and values (T, ..., h, w), on one grid.
    """
    ever = np.any([np.isfinite(values).any(axis=0) for _, _, values in parts], axis=0)
    for where, months, values in parts:
        held = np.isfinite(values).reshape(months.size, -1).sum(axis=1)
        missing = 1.0 - held / ever.sum()
        worst = int(missing.argmax())
        if missing[worst] > MOST_MISSING:
            raise UserError(
                f"{missing[worst]:.0%} of the cells of {where} that have values in other months "
                f"are missing in {label_of(months[worst])}; expected {MOST_MISSING:.0%} or fewer: "
                "download the file again"
            )


def _equal_neighbours(values: np.ndarray) -> np.ndarray:
    """Return the positions of months that the next month equals in every cell."""
    flat = values.reshape(values.shape[0], -1)
    same = (flat[1:] == flat[:-1]) | (np.isnan(flat[1:]) & np.isnan(flat[:-1]))
    return np.flatnonzero(same.all(axis=1) & np.isfinite(flat[:-1]).any(axis=1))
