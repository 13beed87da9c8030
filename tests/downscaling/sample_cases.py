"""A small made sample as stage read writes it, and the study's parameters for it."""

from pathlib import Path

import numpy as np
import xarray as xr
from ruamel.yaml import YAML
from scipy.ndimage import gaussian_filter

from soilfuse import config

ROOT = Path(__file__).parents[2]
PARAMS = ROOT / "studies" / "pscnet" / "params.yaml"
BLOCK, STEPS_A_DAY = 4, 8
SHAPE = (12, 16)
YEARS = (2016, 2017, 2018)


def small_content(**changes):
    """params.yaml's content for SHAPE and 40 days a year, with sections changed by name."""
    content = YAML(typ="safe", pure=True).load(PARAMS.read_text())
    window = {"west": 91.05, "east": 92.55, "south": 31.55, "north": 32.65, "months": [6, 7]}
    content["sample"] |= window | {"days_a_month": 20}
    content["split"] |= {"block_days": 3, "gap_days": 2}
    content["networks"] = {
        name: {"width": 16 if name == "vit" else 4, "depth": 1, "dropout": 0.0}
        for name in content["networks"]
    }
    content["forest"] |= {"trees": 5}
    content["train"] |= {"epochs": 2, "patience": 2}
    content["evaluate"] |= {"min_pairs": 5}
    for section, values in changes.items():
        content[section] = content[section] | values if isinstance(values, dict) else values
    return content


def small_params(**changes):
    return config.validate(small_content(**changes))


def datasets(seed=0, shape=SHAPE):
    """One dataset a year and the truth (T, H, W) of all years."""
    rng = np.random.default_rng(seed)
    height, width = shape
    elevation = 4500 + 400 * gaussian_filter(rng.normal(size=shape), 2, mode="wrap") * 5
    years, truths = [], []
    for year in YEARS:
        days = [np.datetime64(f"{year}-{month:02d}-01") for month in (6, 7)]
        hours = np.arange(0, 20 * 24, 3).astype("timedelta64[h]")
        time = np.concatenate([day.astype("datetime64[h]") + hours for day in days])
        noise = gaussian_filter(rng.normal(size=(len(time), *shape)), (3, 2, 2))
        rain = np.maximum(noise - 0.06, 0) * 0.02
        truth = np.empty((len(time), *shape))
        state = 0.22 + (elevation - 4500) / 2e4
        low = state.copy()
        for step in range(len(time)):
            state = state + 6 * rain[step] - 0.01 * (state - low)
            truth[step] = state
        hour = (time - time.astype("datetime64[D]")).astype(int)[:, None, None]
        sun = np.maximum(np.sin((hour - 0) / 12 * np.pi), 0) * 1e7 * np.ones(truth.shape)
        warm = 283 - 0.006 * (elevation - 4500) + 5 * sun / 1e7
        fine = {
            "swvl1": truth * 0.7 + 0.1 + 0.01 * gaussian_filter(rng.normal(size=truth.shape), 1),
            "tp": rain,
            "t2m": warm,
            "skt": warm + 1,
            "ssrd": sun,
            "e": -1e-4 * truth,
        }
        years.append(dataset(time, fine, block_means(truth), elevation, rng))
        truths.append(truth)
    return years, np.concatenate(truths).astype(np.float32)


def block_means(fine):
    steps, height, width = fine.shape
    cells = fine.reshape(steps, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return cells.mean(axis=(2, 4))


def dataset(time, fine, coarse, elevation, rng):
    """The contract of data/processed/<year>.nc; half of all morning and evening passes are seen."""
    height, width = elevation.shape
    lat, lon = 31.55 + 0.1 * np.arange(height), 91.05 + 0.1 * np.arange(width)
    smap = coarse + 0.01 * rng.normal(size=coarse.shape)
    hour = (time - time.astype("datetime64[D]")).astype(int)
    passes = np.isin(hour, (0, 12)) & (rng.random(len(time)) < 0.5)
    smap[~passes | (rng.random(len(time)) < 0)] = np.nan
    smap[:, 0, 0][rng.random(len(time)) < 0.3] = np.nan
    grid = ("time", "lat", "lon")
    return xr.Dataset(
        {name: (grid, values.astype(np.float32)) for name, values in fine.items()}
        | {
            "smap": (("time", "coarse_lat", "coarse_lon"), smap.astype(np.float32)),
            "elevation": (("lat", "lon"), elevation.astype(np.float32)),
        },
        coords={
            "time": time.astype("datetime64[ns]"),
            "lat": lat,
            "lon": lon,
            "coarse_lat": lat.reshape(-1, BLOCK).mean(axis=1),
            "coarse_lon": lon.reshape(-1, BLOCK).mean(axis=1),
        },
        attrs={"step_hours": 3, "block": BLOCK, "world": "made for a test"},
    )


def station_table(truth, years, cells=((1, 2), (7, 9))):
    """Records of each second step at the middle of cells, a little off the truth."""
    import pandas as pd

    time = np.concatenate([year["time"].values for year in years])
    rng = np.random.default_rng(1)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "network": "Maqu",
                    "station": f"S{number}",
                    "lat": float(years[0]["lat"][row]) + 0.01,
                    "lon": float(years[0]["lon"][column]),
                    "time": time[::2],
                    "soil_moisture": truth[::2, row, column]
                    + 0.02 * rng.normal(size=len(time[::2])),
                }
            )
            for number, (row, column) in enumerate(cells)
        ],
        ignore_index=True,
    )


def truths_of(years, truth):
    """The truth as stage world writes it, a DataArray a year."""
    found, start = {}, 0
    for year in years:
        stop = start + year.sizes["time"]
        found[int(year["time"].dt.year[0])] = xr.DataArray(
            truth[start:stop],
            dims=("time", "lat", "lon"),
            coords={name: year[name] for name in ("time", "lat", "lon")},
        )
        start = stop
    return found
