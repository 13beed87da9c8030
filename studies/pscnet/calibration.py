"""Print how the pseudo-reality's sources stand to its truth: `python calibration.py`, no stage."""

import sys
from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse import config
from soilfuse.errors import UserError, one_line_errors
from soilfuse.grids.blocks import block_means
from soilfuse.sources.sample import read_sample, read_stations, read_truth


def agreement(found: np.ndarray, true: np.ndarray) -> str:
    """Return R (5, 50, 95 % of the pixels), mean bias and ubRMSE of (T, H, W) in time."""
    valid = np.isfinite(found)
    found, true = np.where(valid, found, np.nan), np.where(valid, true, np.nan)
    error = found - true
    bias = np.nanmean(error, axis=0)
    swings = [values - np.nanmean(values, axis=0) for values in (found, true)]
    spread = np.prod([np.nanstd(values, axis=0) for values in swings], axis=0)
    r = np.percentile(np.nanmean(swings[0] * swings[1], axis=0) / spread, [5, 50, 95])
    own = np.sqrt(np.nanmean((error - bias) ** 2, axis=0)).mean()
    return f"R {r[0]:.2f} {r[1]:.2f} {r[2]:.2f}, bias {bias.mean():+.3f}, ubRMSE {own:.3f}"


def main() -> None:
    """Print a line a source and year, and one a network."""
    params = config.load_study(config.PscnetStudy)
    samples, truths = [], []
    for year in params.sample.years:
        truth = read_truth(Path(params.raw_root), year)
        if truth is None:
            raise UserError(
                f"no truth/{year}.nc in {params.raw_root}: run `dvc repro world`, or edit "
                "params.yaml:raw_root; real files have none"
            )
        sample = read_sample(Path(f"data/processed/{year}.nc"))
        coarse = block_means(truth.values, params.sample.block)
        sys.stdout.write(f"{year} ERA5-Land: {agreement(sample.swvl1.values, truth.values)}\n")
        sys.stdout.write(f"{year} SMAP: {agreement(sample.smap.values, coarse)}\n")
        samples.append(sample)
        truths.append(truth)
    write_stations_of(xr.concat(truths, "time"))


def write_stations_of(truth: xr.DataArray) -> None:
    """Print how each network's stations agree with their cells' truth."""
    table = read_stations(Path("data/processed/stations.csv"))
    for network, records in table.groupby("network"):
        lines = []
        for _, own in records.groupby("station"):
            cell = truth.sel(lat=own.lat.iloc[0], lon=own.lon.iloc[0], method="nearest")
            error = own.soil_moisture.values - cell.sel(time=own.time.values).values
            lines.append((np.corrcoef(own.soil_moisture, own.soil_moisture - error)[0, 1], error))
        r = [line[0] for line in lines]
        ubrmse = np.mean([line[1].std() for line in lines])
        sys.stdout.write(
            f"{network}: {len(r)} stations, R {min(r):.2f} to {max(r):.2f}, ubRMSE {ubrmse:.3f}\n"
        )


if __name__ == "__main__":
    with one_line_errors():
        main()
