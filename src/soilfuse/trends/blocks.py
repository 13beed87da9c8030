"""Series of a grid, block by block through compiled loops on several threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from soilfuse.errors import UserError

BLOCK = 512  # series that one thread takes at a time


def as_columns(series: np.ndarray) -> np.ndarray:
    """Return (T, ...) series as (T, N)."""
    return series.reshape(series.shape[0], int(np.prod(series.shape[1:])))


def each_block(series: np.ndarray, fill: Callable[[np.ndarray, slice], None], threads: int) -> None:
    """Call fill(rows, where) for blocks of (T, ...) series: rows (n, T) float64 of cells `where`.

    fill must release the interpreter and write to places of its own; the result cannot then
    depend on the number of threads. Raises UserError where a value is infinite.
    """
    columns = as_columns(series)

    def one(start: int) -> None:
        where = slice(start, start + BLOCK)
        rows = np.ascontiguousarray(columns[:, where].T, dtype=np.float64)
        if np.isinf(rows).any():
            raise infinite(int(np.isinf(rows).any(axis=1).sum()), len(rows))
        fill(rows, where)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(one, range(0, columns.shape[1], BLOCK)))


def infinite(found: int, among: int) -> UserError:
    """Return the refusal of values between which there is no slope."""
    return UserError(
        f"{found} of {among} series hold infinite values; expected finite numbers, or NaN where "
        "one is missing: replace them"
    )
