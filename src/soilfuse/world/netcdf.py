"""How the world's NetCDF files are stored: quantised, compressed, and the same bytes every time."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

STEP = 2.0**-14  # m3 m-3; coarser than noise, finer than any error: it halves the files
MONTHS_A_CHUNK = 120


def quantised(values: np.ndarray, step: float = STEP) -> np.ndarray:
    """Round float32 values to multiples of a power of two, which compress."""
    scale = np.float32(1 / step)
    return np.round(values.astype(np.float32, copy=False) * scale) / scale


def compressed(shape: tuple[int, ...], **more: Any) -> dict[str, Any]:
    """Return the encoding of a field whose last two dimensions are the map."""
    ahead = [1] * (len(shape) - 3)
    chunks = (min(shape[0], MONTHS_A_CHUNK), *ahead, *shape[-2:])
    return {"zlib": True, "complevel": 1, "shuffle": True, "chunksizes": chunks, **more}


def write(path: Path, dataset: xr.Dataset, encoding: dict[str, dict[str, Any]]) -> None:
    """Write a dataset; coordinates and bounds get no fill value, as CF wants."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {str(name): {"_FillValue": None} for name in dataset.variables}
    for name, settings in encoding.items():
        whole[name] = whole[name] | settings
    dataset.to_netcdf(path, engine="h5netcdf", encoding=whole)
