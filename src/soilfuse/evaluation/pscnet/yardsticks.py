"""What needs no learning: SMAP carried forward, ERA5-Land rescaled, SMAP's climatology.

Letters: N scored steps, T all, H x W fine and h x w coarse cells.
"""

import numpy as np

from soilfuse import names
from soilfuse.grids.blocks import block_means, spread_over
from soilfuse.training.downscaling.observations import FEWEST, between_centres, cell_means
from soilfuse.training.downscaling.sample import Sample

SMAP_CARRIED, ERA5_LAND, CLIMATOLOGY = "smap_carried", "era5_land_rescaled", "climatology"
OLDEST = np.timedelta64(5 * 24, "h")  # an observation that is carried forward
MOISTURE = names.SAMPLE_VARIABLES.index("swvl1")


def yardsticks(sample: Sample, teaching: np.ndarray, at: np.ndarray) -> dict[str, np.ndarray]:
    """Return (N, H, W) m3 m-3 of each yardstick at the steps `at`.

    teaching: (T,) the steps whose observations means and spreads are of.
    """
    return {
        SMAP_CARRIED: smap_carried(sample, teaching, at),
        ERA5_LAND: era5_land_rescaled(sample, teaching, at),
        CLIMATOLOGY: climatology(sample, teaching, at),
    }


def smap_carried(sample: Sample, teaching: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return each cell's last observation before the step, bilinear between coarse centres.

    It is of an earlier step, so that no score compares an observation with itself, and five days
    old at most: else the cell's mean over the steps that teach. Beyond the outermost centres their
    value holds.
    """
    carried = np.empty_like(sample.smap)
    last = np.full(sample.smap.shape[1:], np.nan, dtype=np.float32)
    when = np.full(last.shape, sample.time[0])
    for step, now in enumerate(sample.time):
        carried[step] = np.where(now - when <= OLDEST, last, np.nan)
        seen = np.isfinite(sample.smap[step])
        last[seen], when[seen] = sample.smap[step][seen], now
    chosen = carried[at]
    filled = np.where(np.isfinite(chosen), chosen, cell_means(sample.smap[teaching]))
    return between_centres(filled, sample)


def era5_land_rescaled(sample: Sample, teaching: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return ERA5-Land's first layer with SMAP's mean and spread in each coarse cell.

    Both are of the observed steps that teach. A cell with fewer than five of them takes those of
    all cells together.
    """
    observed = sample.smap[teaching].astype(np.float64)
    seen = np.isfinite(observed)
    modelled = np.where(seen, block_means(sample.fine[teaching, MOISTURE], sample.block), np.nan)
    own, theirs = _moments(modelled), _moments(observed)
    gain = np.divide(theirs[1], own[1], out=np.ones_like(own[1]), where=own[1] > 0)
    gain, centre, target = (spread_over(field, sample.block) for field in (gain, own[0], theirs[0]))
    return np.asarray((sample.fine[at, MOISTURE] - centre) * gain + target, dtype=np.float32)


def climatology(sample: Sample, teaching: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return SMAP's mean of each coarse cell and calendar month over the steps that teach.

    A cell's mean of all months stands in where a month has fewer than five observations there.
    """
    months = _month(sample.time)
    observed = sample.smap[teaching]
    made = np.empty((len(at), *sample.smap.shape[1:]), dtype=np.float32)
    whole = cell_means(observed)
    for month in np.unique(months[at]):
        means = cell_means(observed[months[teaching] == month], whole)
        made[months[at] == month] = means
    return spread_over(made, sample.block)


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (h, w) mean and spread of (T, h, w), of all cells together where one has too few."""
    means = cell_means(values)
    departures = values - means
    enough = np.isfinite(values).sum(axis=0) >= FEWEST
    whole = np.full(means.shape, float(np.nanstd(values)))
    return means, np.where(enough, np.sqrt(cell_means(departures**2)), whole)


def _month(time: np.ndarray) -> np.ndarray:
    return np.asarray(time.astype("datetime64[M]").astype(int) % 12)
