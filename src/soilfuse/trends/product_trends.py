"""Trends and changes of one product: maps for every cell, tables for every region.

The statements of Li et al. 2024, sections 3.3 to 3.5 (figures 8 to 15).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.config import Trends
from soilfuse.errors import UserError
from soilfuse.files import written_aside
from soilfuse.grids.regions import Regions
from soilfuse.room import room_aside
from soilfuse.sources.processed import ModelCrops
from soilfuse.trends import periods as calendar
from soilfuse.trends.agreement import agreement_table
from soilfuse.trends.described import BOUNDED, described
from soilfuse.trends.periods import Years
from soilfuse.trends.tables import period_table, region_table, series_table
from soilfuse.trends.tested_maps import seasonal_maps, tested_maps

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = "%.9g"
TABLES = ("regions", "periods", "series", "agreement")


@dataclass(frozen=True)
class ProductTrends:
    """What `product_trends` returns.

    maps: what `tested_maps.variables` lists (season, period, depth, lat, lon), the seasonal Kendall
    test's (period, depth, lat, lon), for a scenario change_percent (season, future_period, depth,
    lat, lon), and five_year_mean (season, middle_year, depth, lat, lon) in m3 m-3.
    regions: region, season, period, layer, and what `tables.region_test` returns.
    periods: region, season, layer, period, mean, change_percent.
    series: region, season, layer, year, value.
    agreement: what `agreement.agreement_table` returns, None where climate models were not given.
    """

    maps: xr.Dataset
    regions: "pd.DataFrame"
    periods: "pd.DataFrame"
    series: "pd.DataFrame"
    agreement: "pd.DataFrame | None" = None


def product_trends(
    product: xr.Dataset,
    historical: xr.Dataset | None,
    regions: Regions,
    settings: Trends,
    threads: int = 2,
    models: ModelCrops | None = None,
) -> ProductTrends:
    """Test every cell and region of a product for trends, by season and period.

    product, historical: products as released, with soil_moisture (time, depth, lat, lon) in m3 m-3,
    region and cell_area; `historical` gives the reference period of a scenario and is None for the
    historical product itself; models: the experiment's climate models as they are. Periods beyond
    the product's years are left out. A region counts with all its cells, those that the product
    gives to an earlier region too.
    Raises UserError for another grid, other regions, missing months, or a historical product
    without the reference period.
    """
    where = f"product {product.attrs.get('experiment', '')}".strip()
    seasonal = calendar.seasonal_means(product[names.SOIL_MOISTURE], where)
    _require_regions(product, regions, where)
    masks, area = regions.masks, product["cell_area"].values
    regional = calendar.regional_means(seasonal, masks, area)
    reference = _reference(seasonal, product, historical, settings)
    wanted = [settings.reference_period, *settings.future_periods]
    tested = calendar.covered(seasonal, wanted)
    inside = regions.inside
    maps = tested_maps(seasonal, tested, inside, settings, threads)
    maps.update(seasonal_maps(product[names.SOIL_MOISTURE], tested, inside, threads))
    futures = calendar.within(seasonal, settings.future_periods)
    if historical is not None and futures:
        maps["change_percent"] = _changes(seasonal, futures, reference, settings.reference_period)
    maps["five_year_mean"] = _five_year_means(seasonal, inside)
    return ProductTrends(
        maps=described(maps, product, settings),
        regions=region_table(regional, tested, settings),
        periods=period_table(
            regional,
            calendar.regional_means(reference, masks, area),
            settings.reference_period,
            futures,
        ),
        series=series_table(regional),
        agreement=None if models is None else agreement_table(models, regions, settings),
    )


def _changes(
    seasonal: xr.DataArray,
    futures: list[Years],
    reference: xr.DataArray,
    reference_period: Years,
) -> xr.DataArray:
    """Return (season, future_period, depth, lat, lon) changes against the reference in percent."""
    found = [
        calendar.percent_change(calendar.period_mean(seasonal, period), reference)
        for period in futures
    ]
    told = [calendar.label(period) for period in futures]
    changes = xr.concat(found, xr.DataArray(told, dims="future_period", name="future_period"))
    changes = changes.transpose("season", "future_period", ...).astype(np.float32)
    return changes.assign_attrs(
        units="%",
        long_name="change of soil moisture of each future period against "
        f"{calendar.label(reference_period)}",
    )


def _five_year_means(seasonal: xr.DataArray, inside: np.ndarray) -> xr.DataArray:
    """Return what is left of the cells' series for the interactive map."""
    held = xr.DataArray(inside, dims=("lat", "lon"))
    means = calendar.five_year_means(seasonal).where(held).astype(np.float32)
    means.attrs = {
        "units": "1",
        "long_name": "mean soil moisture of five years around the middle one, in the regions",
    }
    return means


def _require_regions(product: xr.Dataset, regions: Regions, where: str) -> None:
    if not np.array_equal(product["region"].values, regions.mask):
        raise UserError(
            f"the cells of the regions in {where} are not those of {', '.join(regions.names)}; "
            "expected the same: run `dvc repro` for its infer stage, or edit params.yaml:domain"
        )


def _reference(
    seasonal: xr.DataArray,
    product: xr.Dataset,
    historical: xr.Dataset | None,
    settings: Trends,
) -> xr.DataArray:
    """Return (season, depth, lat, lon) means of the reference period."""
    if historical is not None:
        for axis in ("depth", "lat", "lon"):
            if not np.array_equal(product[axis].values, historical[axis].values):
                raise UserError(
                    f"{axis} of the historical product is {historical[axis].size} values from "
                    f"{historical[axis].values[0]:g}, of the scenario {product[axis].size} from "
                    f"{product[axis].values[0]:g}; expected the same: make both with one "
                    "params.yaml:domain"
                )
        seasonal = calendar.seasonal_means(historical[names.SOIL_MOISTURE], "product historical")
    period = settings.reference_period
    if not calendar.within(seasonal, [period]):
        raise UserError(
            f"reference period {calendar.label(period)} lies outside the historical product's "
            f"{calendar.label(calendar.full_period(seasonal))}: edit params.yaml:trends."
            "reference_period"
        )
    return calendar.period_mean(seasonal, period)


def write_trends(folder: Path, experiment: str, trends: ProductTrends) -> list[Path]:
    """Write <experiment>.nc and the tables, each whole or not at all; return their paths.

    Equal trends give equal bytes.
    """
    folder = Path(folder)
    maps = folder / f"{experiment}.nc"
    packed = {"zlib": True, "complevel": 1, "shuffle": True}
    encoding: dict[Any, dict[str, Any]] = {name: packed for name in trends.maps.data_vars}
    axes = [*BOUNDED, *(f"{axis}_bnds" for axis in BOUNDED), "middle_year"]
    encoding |= {name: {"_FillValue": None} for name in axes if name in trends.maps.variables}
    with room_aside(maps) as room:
        trends.maps.to_netcdf(room, engine="h5netcdf", encoding=encoding)
    written = [maps]
    tables = {name: getattr(trends, name) for name in TABLES}
    for name, table in tables.items():
        if table is None:
            continue
        path = folder / f"{experiment}_{name}.csv"
        with written_aside(path) as aside:
            table.to_csv(aside, index=False, float_format=NUMBERS, lineterminator="\n")
        written.append(path)
    return written
