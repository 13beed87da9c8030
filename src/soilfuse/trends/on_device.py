"""The trend test in torch, for a GPU that holds the series already.

Every pair of values is formed at once for a block of series, which costs T times the memory of the
series: blocks are as large as `max_bytes` allows. On a CPU `mann_kendall.trend_test` is faster.
"""

from typing import TYPE_CHECKING

import numpy as np

from soilfuse.trends.blocks import infinite
from soilfuse.trends.mann_kendall import MINIMUM_VALID, TrendResult, normalised, two_sided_p

if TYPE_CHECKING:
    import torch

COPIES = 6  # of all pairs in float64, that are in memory at one time


def trend_test_torch(series: "torch.Tensor", max_bytes: int = 2**30) -> TrendResult:
    """Test (T, ...) series of any float type, NaN = missing; returns numpy arrays (...).

    S, var(S) and n equal those of `mann_kendall.trend_test`; slopes are formed in float64 from the
    same differences, so that slope, z and p do too. The device must know float64, which Apple's
    do not. Raises UserError where a value is infinite.
    """
    import torch

    steps, shape = series.shape[0], tuple(series.shape[1:])
    columns = series.reshape(steps, -1)
    pairs = steps * (steps - 1) // 2
    size = max(1, max_bytes // (8 * COPIES * max(pairs, 1)))
    parts = [
        _statistics(columns[:, start : start + size].T.to(torch.float64))
        for start in range(0, columns.shape[1], size)
    ]
    empty = np.empty((4, 0))
    found = np.concatenate([part.cpu().numpy() for part in parts], axis=1) if parts else empty
    s, var_s, slope, n = found.reshape(4, *shape)
    z = normalised(s, var_s)
    return TrendResult(s, var_s, z, two_sided_p(z), slope, n.astype(np.int64))


def _statistics(rows: "torch.Tensor") -> "torch.Tensor":
    """Return (4, N): S, var(S), Sen's slope and the number of valid values of (N, T) rows."""
    import torch

    if found := int(rows.isinf().any(dim=1).sum()):
        raise infinite(found, len(rows))
    steps = rows.shape[1]
    if steps < MINIMUM_VALID:
        counted = (~rows.isnan()).sum(dim=1, keepdim=True).T.to(rows.dtype)
        return torch.cat([counted.new_full((3, len(rows)), torch.nan), counted])
    early, late = torch.triu_indices(steps, steps, offset=1, device=rows.device)
    slopes = (rows[:, late] - rows[:, early]) / (late - early).to(rows.dtype)
    s = (slopes > 0).sum(dim=1) - (slopes < 0).sum(dim=1)
    n = (~rows.isnan()).sum(dim=1)
    count = n.to(rows.dtype)
    variance = count * (count - 1) * (2 * count + 5) - _ties(rows)
    result = torch.stack([s.to(rows.dtype), variance / 18.0, _median(slopes), count])
    result[:3, n < MINIMUM_VALID] = torch.nan
    return result


def _ties(rows: "torch.Tensor") -> "torch.Tensor":
    """Return the (N,) sums of t(t-1)(2t+5) over groups of t equal values: NaN equals nothing.

    A value in a group of t adds (t-1)(2t+5), and there are t of them.
    """
    alike = (rows[:, :, None] == rows[:, None, :]).sum(dim=2).to(rows.dtype)
    return ((alike - 1).clamp(min=0) * (2 * alike + 5)).sum(dim=1)


def _median(slopes: "torch.Tensor") -> "torch.Tensor":
    """Return the (N,) medians of (N, P) slopes without NaN, the mean of both middle ones."""
    import torch

    ordered = slopes.sort(dim=1).values  # NaN last
    pairs = (~slopes.isnan()).sum(dim=1)
    low, high = ((pairs - 1) // 2).clamp(min=0), (pairs // 2).clamp(max=slopes.shape[1] - 1)
    middle = torch.stack([low, high], dim=1)
    return ordered.gather(1, middle).sum(dim=1) / 2
