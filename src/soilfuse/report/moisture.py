"""Means of a product that the pages map: soil moisture, spread, share outside the past range."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soilfuse.errors import UserError
from soilfuse.product.layout import FOLD_SPREAD, OUTSIDE
from soilfuse.report import labels
from soilfuse.report.inputs import require_files
from soilfuse.report.records import Moisture

if TYPE_CHECKING:
    import xarray as xr


def read_moisture(product_path: Path, period: str) -> Moisture:
    """Average a product over a period's years; the months before and after are not read."""
    import xarray as xr

    product_path = Path(product_path)
    require_files([product_path], f"infer@{product_path.stem}")
    with xr.open_dataset(product_path, engine="h5netcdf") as product:
        lacking = [name for name in ("soil_moisture", "region") if name not in product]
        if lacking:
            raise UserError(
                f"{product_path} lacks variable {', '.join(lacking)}; "
                f"run `dvc repro -s infer@{product_path.stem}`"
            )
        months = product.sel(time=slice(*map(str, labels.years_of(period))))
        if months.sizes["time"] == 0:
            raise UserError(
                f"{product_path} holds no month of {period}; "
                f"run `dvc repro -s infer@{product_path.stem}`"
            )
        inside = product["region"].transpose("lat", "lon").values > 0
        attributes = {str(key): str(value) for key, value in product.attrs.items()}
        return Moisture(
            mean=_mean_of(months["soil_moisture"]),
            spread=_mean_of(months[FOLD_SPREAD]) if FOLD_SPREAD in months else None,
            outside=_share(months[OUTSIDE], inside) if OUTSIDE in months else math.nan,
            period=period,
            attributes=attributes,
        )


def _mean_of(months: "xr.DataArray") -> np.ndarray:
    ordered = months.transpose("time", "depth", "lat", "lon").values
    return ordered.mean(axis=0, dtype=np.float64)


def _share(flags: "xr.DataArray", inside: np.ndarray) -> float:
    return float(100 * (flags.transpose("time", "lat", "lon").values[:, inside] > 0).mean())
