"""The truth of the pseudo-reality, which only evaluation may read; real data have none."""

from pathlib import Path

import xarray as xr

from soilfuse.sources.processed import read_field


def read_truth(root: Path, experiment: str) -> xr.DataArray | None:
    """Return the true soil_moisture (T, 5, H, W) of an experiment, None where `root` has none."""
    path = Path(root) / "truth" / f"truth_{experiment}.nc"
    return read_field(path)["soil_moisture"] if path.exists() else None
