"""The fold's in-situ field as a file: data/processed/insitu/fold_<k>.nc."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from soilfuse import names
from soilfuse.errors import UserError, shortened
from soilfuse.files import written_aside
from soilfuse.grids.grid import Grid
from soilfuse.room import room_aside

FIELD = "insitu_soil_moisture"
PROBABILITY = "insitu_probability"
DIMS = ("time", "depth", "lat", "lon")
ENCODING = {"zlib": True, "complevel": 1, "_FillValue": None}


def write_field(
    path: Path,
    field: np.ndarray,
    probability: np.ndarray,
    months: np.ndarray,
    grid: Grid,
    attributes: Mapping[str, str | int],
) -> None:
    """Write I_insitu and I_prob, both (T, D, H, W) float32, with D the product's layers."""
    bounds = np.array(names.PRODUCT_LAYERS)
    dataset = xr.Dataset(
        {
            FIELD: (DIMS, field, names.SOIL_MOISTURE_ATTRIBUTES),
            PROBABILITY: (DIMS, probability, {"units": "1", "long_name": "label probability"}),
            "depth_bnds": (("depth", "bnds"), bounds),
        },
        coords={
            "time": months,
            "depth": ("depth", bounds.mean(axis=1), {"units": "m", "bounds": "depth_bnds"}),
            "lat": ("lat", grid.lat, {"units": "degrees_north"}),
            "lon": ("lon", grid.lon, {"units": "degrees_east"}),
        },
        attrs=dict(attributes),
    )
    encoding = {name: ENCODING for name in (FIELD, PROBABILITY)}
    with room_aside(path) as room:
        dataset.to_netcdf(room, engine="h5netcdf", encoding=encoding)


def read_field(path: Path, months: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Read I_insitu and I_prob, (T, D, H, W) float32, of all months or of those named.

    Raises KeyError where a named month is missing: fields are written for all of 2000-2014; and
    UserError where the file is absent, damaged, or no station field.
    """
    try:
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            if lacking := [name for name in (FIELD, PROBABILITY) if name not in dataset]:
                raise _refused(path, f"lacks {' and '.join(lacking)}")
            wanted = dataset if months is None else dataset.sel(time=months)
            return wanted[FIELD].to_numpy(), wanted[PROBABILITY].to_numpy()
    except FileNotFoundError:
        raise _refused(path, "is missing") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise _refused(path, f"is truncated or damaged ({shortened(error, 100)})") from None


def _refused(path: Path, why: str) -> UserError:
    return UserError(
        f"{path} {why}; expected a fold's whole station field: remove it and run `dvc repro insitu`"
    )


def write_scores(scores: pd.DataFrame, path: Path) -> None:
    """Write the whole-network-out scores as CSV; equal scores give equal bytes."""
    with written_aside(path) as aside:
        scores.to_csv(aside, index=False, float_format="%.8g", lineterminator="\n")
