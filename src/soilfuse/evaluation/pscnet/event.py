"""One rain, seen by everyone: the maps at one step and a day before, and a cell's series around it.

Letters: N scored steps of the test years, H x W fine and h x w coarse cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soilfuse import names
from soilfuse.grids.blocks import block_means
from soilfuse.training.downscaling.inputs import DAY
from soilfuse.training.downscaling.sample import Sample

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

RAIN = names.SAMPLE_VARIABLES.index("tp")
SEEN = 0.5  # share of coarse cells that SMAP saw at the event's step
AROUND = 5  # days of the series before and after


@dataclass(frozen=True)
class Event:
    """The step, the step a day before, and the coarse cell with the most rain between them."""

    step: int
    before: int
    cell: tuple[int, int]


def wettest(sample: Sample, at: np.ndarray) -> Event:
    """Return the event of the largest rain of a day, mean of all cells, that SMAP saw the end of.

    at: (N,) steps among which it is, and the step before it: others have no field. Where SMAP
    never saw enough, any step will do.
    """
    day = DAY // sample.step_hours
    starts = sample.run_starts
    fits = at[(at - day >= starts[at]) & np.isin(at - day, at)]
    fits = at if not len(fits) else fits
    seen = np.isfinite(sample.smap[fits]).mean(axis=(1, 2)) >= SEEN
    chosen = fits[seen] if seen.any() else fits
    first = np.maximum(chosen - day + 1, starts[chosen])
    totals = [sample.fine[a : b + 1, RAIN].sum(axis=0) for a, b in zip(first, chosen, strict=True)]
    best = int(np.argmax([total.mean() for total in totals]))
    step = int(chosen[best])
    coarse = block_means(totals[best], sample.block)
    row, column = np.unravel_index(int(coarse.argmax()), coarse.shape)
    before = int(at[at >= max(step - day, int(starts[step]))][0])
    return Event(step, before, (int(row), int(column)))


def event_maps(
    sample: Sample, event: Event, at: np.ndarray, fields: Mapping[str, np.ndarray]
) -> "xr.Dataset":
    """Return moisture (method, moment, lat, lon), SMAP (coarse) and the rain (lat, lon) between.

    at: (N,) the steps of the fields (N, H, W).
    """
    import xarray as xr

    moments = [event.before, event.step]
    places = np.searchsorted(at, moments)
    rain = sample.fine[event.before + 1 : event.step + 1, RAIN].sum(axis=0) * 1000
    grid = ("lat", "lon")
    return xr.Dataset(
        {
            names.SOIL_MOISTURE: (
                ("method", "moment", *grid),
                np.stack([field[places] for field in fields.values()]).astype(np.float32),
                {"units": "m3 m-3"},
            ),
            "smap": (("coarse_lat", "coarse_lon"), sample.smap[event.step], {"units": "m3 m-3"}),
            "rain": (grid, rain, {"units": "mm"}),
        },
        coords={
            "method": list(fields),
            "moment": [str(sample.time[moment]) for moment in moments],
            "lat": sample.lat,
            "lon": sample.lon,
            "coarse_lat": sample.coarse_lat,
            "coarse_lon": sample.coarse_lon,
        },
    )


def event_series(
    sample: Sample, event: Event, at: np.ndarray, fields: Mapping[str, np.ndarray]
) -> "pd.DataFrame":
    """Return time, lat, lon, rain (mm), smap and each field's mean over the event's coarse cell."""
    import pandas as pd

    day = np.timedelta64(DAY, "h")
    away = np.abs(sample.time[at] - sample.time[event.step])
    near = np.flatnonzero(away <= AROUND * day)
    row, column = event.cell
    block = sample.block
    rows, columns = (slice(i * block, (i + 1) * block) for i in (row, column))
    steps = at[near]
    return pd.DataFrame(
        {
            "time": sample.time[steps].astype(str),
            "lat": sample.coarse_lat[row],
            "lon": sample.coarse_lon[column],
            "rain": sample.fine[steps, RAIN, rows, columns].mean(axis=(1, 2)) * 1000,
            "smap": sample.smap[steps, row, column],
            **{
                name: field[near][:, rows, columns].mean(axis=(1, 2))
                for name, field in fields.items()
            },
        }
    )
