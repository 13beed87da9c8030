"""What each climate model says of the trends that a product shows, region by region.

The product is made of these models, so that they agree with it is no second witness; that they
disagree among themselves is worth knowing.
"""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from soilfuse.config import Trends
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import bilinear, interpolate
from soilfuse.grids.regions import Regions
from soilfuse.sources.processed import ModelCrops
from soilfuse.trends import periods as calendar
from soilfuse.trends.mann_kendall import trend_test

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("region", "season", "period", "source_id", "slope", "p", "significant")


def regional_models(crops: ModelCrops, regions: Regions) -> xr.DataArray:
    """Return (time, source_id, region) means of the climate models' upper 10 cm, m3 m-3.

    Bilinear onto the regions' cells, then weighted by their area. A region with a cell that has no
    land value of a model near is NaN for that model.
    """
    cells = np.flatnonzero(regions.inside)
    area = regions.grid.area.ravel()[cells]
    masks = {name: mask.ravel()[cells] for name, mask in regions.masks.items()}
    row = Grid(np.zeros(1), np.zeros(cells.size))  # whose shape alone is used
    means = np.empty((crops.time.size, len(crops.crops), len(masks)))
    for m, crop in enumerate(crops.crops.values()):
        weights = bilinear(crop.lat, crop.lon, regions.grid)[cells]
        values = interpolate(weights, crop.values, row)[:, 0].astype(np.float64)
        for r, mask in enumerate(masks.values()):
            means[:, m, r] = values[:, mask] @ area[mask] / area[mask].sum()
    return xr.DataArray(
        means,
        dims=("time", "source_id", "region"),
        coords={"time": crops.time, "source_id": crops.source_ids, "region": list(masks)},
    )


def agreement_table(crops: ModelCrops, regions: Regions, settings: Trends) -> "pd.DataFrame":
    """Return COLUMNS: Sen's slope (m3 m-3 a year) and plain test of every model by season, period.

    Periods are those of the product: the whole, and each of the settings' that the months cover.
    """
    import pandas as pd

    seasonal = calendar.seasonal_means(regional_models(crops, regions), str(crops.path))
    wanted = [settings.reference_period, *settings.future_periods]
    parts = []
    for first, last in calendar.covered(seasonal, wanted):
        series = seasonal.sel(year=slice(first, last)).transpose("year", ...)
        found = trend_test(series.values, 1)
        kept = series.isel(year=0, drop=True)
        columns = {"slope": found.slope, "p": found.p, "significant": found.p < settings.alpha}
        table = xr.Dataset(
            {name: (kept.dims, values) for name, values in columns.items()}, coords=kept.coords
        ).to_dataframe()
        parts.append(table.reset_index().assign(period=calendar.label((first, last))))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]
