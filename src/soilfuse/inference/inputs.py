"""The climate models of one experiment as the ensemble takes them, batch by batch."""

from collections.abc import Iterator

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids import months
from soilfuse.inference.ensemble import Ensemble
from soilfuse.sources.processed import ModelCrops


def model_batches(
    crops: ModelCrops, ensemble: Ensemble, batch: int, times: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield (B, M, H, W) float32 inputs in m3 m-3 on the ensemble's grid, models in its order.

    times: indices of the wanted months, all by default. Raises UserError naming climate models
    that the crops lack, before anything is computed.
    """
    channels = ensemble.channels(crops.source_ids, str(crops.path))
    return _batches(crops, ensemble, channels, batch, times)


def _batches(
    crops: ModelCrops,
    ensemble: Ensemble,
    channels: list[int],
    batch: int,
    times: np.ndarray | None,
) -> Iterator[np.ndarray]:
    wanted = np.arange(crops.time.size) if times is None else np.asarray(times)
    for start in range(0, wanted.size, batch):
        values = crops.interpolated(ensemble.grid, wanted[start : start + batch])
        yield values[:, channels]


def require_whole_years(crops: ModelCrops, first_year: int, last_year: int) -> None:
    """Raise UserError unless the crops hold exactly the months of these years."""
    months.require_complete(crops.time, first_year, last_year, str(crops.path))
    if crops.time.size != 12 * (last_year - first_year + 1):
        years = months.year_of(crops.time)
        raise UserError(
            f"{crops.path} holds {years.min()}-{years.max()}; expected {first_year}-{last_year}: "
            "run `dvc repro` for its cmip6 stage"
        )
