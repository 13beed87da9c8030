"""Joining a provider's files in time: days to months, files to one series without doubles."""

from dataclasses import dataclass, replace

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.months import label_of


@dataclass(frozen=True)
class Piece:
    """What one file gave: values (T, ..., h, w) at month keys (T,), with its axes and origin."""

    path: str
    months: np.ndarray
    values: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    calendar: str
    world: str


def monthly(piece: Piece, frequency: str, min_records: int, provider: str) -> Piece:
    """Return the piece with each month once: days are averaged, doubled months refused.

    Averages leave out gaps cell by cell; a cell without a valid day in a month stays NaN.
    """
    months, first, counts = np.unique(piece.months, return_index=True, return_counts=True)
    if frequency == "mon":
        if counts.max() > 1:
            raise UserError(
                f"month {label_of(months[counts.argmax()])} stands {counts.max()} times in "
                f"{piece.path} ({provider}); expected once: mend the file"
            )
        return replace(piece, months=months, values=piece.values[first])
    if counts.min() < min_records:
        raise UserError(
            f"month {label_of(months[counts.argmin()])} has {counts.min()} days in {piece.path} "
            f"({provider}); expected {min_records} or more: complete the file, or edit "
            "params.yaml:amsmqtp.min_days"
        )
    return replace(piece, months=months, values=_means(piece.values, piece.months, first))


def join(pieces: list[Piece]) -> Piece:
    """Return one piece in order of time; months that two files share must be equal in both.

    Raises UserError that names the two files where grids, worlds or shared months differ.
    """
    first = pieces[0]
    for piece in pieces[1:]:
        _require_alike(first, piece)
    months = np.concatenate([piece.months for piece in pieces])
    owner = np.repeat(np.arange(len(pieces)), [piece.months.size for piece in pieces])
    values = np.concatenate([piece.values for piece in pieces])
    order = np.argsort(months, kind="stable")
    months, values, owner = months[order], values[order], owner[order]
    doubled = np.flatnonzero(months[1:] == months[:-1])
    for i in doubled:
        if not np.array_equal(values[i], values[i + 1], equal_nan=True):
            raise UserError(
                f"month {label_of(months[i])} differs between {pieces[owner[i]].path} and "
                f"{pieces[owner[i + 1]].path}; expected it once: remove the file that is wrong"
            )
    return replace(
        first, months=np.delete(months, doubled), values=np.delete(values, doubled, axis=0)
    )


def _means(values: np.ndarray, months: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return means (months, ...) of daily values (T, ...), sums taken in double precision."""
    order = np.argsort(months, kind="stable")
    starts = np.searchsorted(months[order], months[first])
    ordered = values[order]
    valid = np.isfinite(ordered)
    total = np.add.reduceat(np.where(valid, ordered, 0.0), starts, axis=0, dtype=np.float64)
    count = np.add.reduceat(valid, starts, axis=0, dtype=np.int32)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / count, np.nan).astype(np.float32)


def _require_alike(first: Piece, other: Piece) -> None:
    for name in ("lat", "lon"):
        ours, theirs = getattr(first, name), getattr(other, name)
        if ours.shape != theirs.shape or not np.allclose(ours, theirs, atol=1e-4):
            raise UserError(
                f"grid of {other.path} differs from that of {first.path}: {name} has "
                f"{theirs.size} centres from {theirs[0]:g} to {theirs[-1]:g}, expected {ours.size} "
                f"from {ours[0]:g} to {ours[-1]:g}: keep files of one grid only"
            )
    if first.world != other.world:
        raise UserError(
            f"{other.path} is of world {other.world!r}; expected {first.world!r} as in "
            f"{first.path}: keep files of one world only"
        )
