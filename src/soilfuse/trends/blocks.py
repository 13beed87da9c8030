"""Series of a grid, block by block through compiled loops on several threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

BLOCK = 512  # series that one thread takes at a time


def as_columns(series: np.ndarray) -> np.ndarray:
    """Return (T, ...) series as (T, N)."""
    return series.reshape(series.shape[0], int(np.prod(series.shape[1:])))


def each_block(series: np.ndarray, fill: Callable[[np.ndarray, slice], None], threads: int) -> None:
    """Call fill(rows, where) for blocks of (T, ...) series: rows (n, T) float64 of cells `where`.

    fill must release the interpreter and write to places of its own; the result cannot then
    depend on the number of threads.
    """
    columns = as_columns(series)

    def one(start: int) -> None:
        where = slice(start, start + BLOCK)
        fill(np.ascontiguousarray(columns[:, where].T, dtype=np.float64), where)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(one, range(0, columns.shape[1], BLOCK)))
