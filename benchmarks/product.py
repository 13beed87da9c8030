"""A product's size, and the time to read a map and a series from it, against plain ways to write.

A user would write the same numbers with xarray: in float32 with zlib 4 and the chunks that the C
library takes, or as float64 without more ado. One scenario of 1032 months, five layers, with
spreads and flag, at 0.25 and at 0.1 degree. The numbers are synthetic: smooth in space, with a
season, weather that lasts some months, a trend, noise of 5e-4 m3 m-3, and a float32's random last
bits. A read opens the file with the C library and takes one month or one cell of a layer; the file
is in the system's cache.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr
from scipy.ndimage import zoom

from benchmarks.harness import Timing, fastest, record
from soilfuse import names, seeding
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_on
from soilfuse.inference.prediction import Prediction
from soilfuse.product import layout
from soilfuse.product.attributes import product_attributes
from soilfuse.product.checks import Limits
from soilfuse.product.export import export
from soilfuse.product.part import Part
from soilfuse.product.writer import write_product

GRIDS = {
    "0.25 degree": Grid.regular(89.0, 104.0, 31.0, 38.0, 0.25),
    "0.1 degree": Grid.regular(89.0, 104.0, 31.0, 38.0, 0.1),
}
EXPERIMENT = "ssp370"
DIGITS = 4
BATCH = 24  # months at a time
COARSE = (8, 16)  # nodes of the smooth fields
MEMORY = 0.7  # of the weather, from month to month
REPEATS = 15
MEGABYTE = 1e6
CHAMPION = {
    "world": "benchmark",
    "registered_model": "m",
    "weights_sha256": "w" * 64,
    "ensemble_hash": "e" * 64,
}
MANIFEST = {"source_ids": ["A"], "smoothing_years": 1}


def predictions(grid: Grid) -> Iterator[Prediction]:
    """Yield the months of a scenario in batches, from a seed."""
    rng = seeding.generator(1, "benchmark", "product")
    layers = len(names.PRODUCT_LAYERS)
    climate, season = smooth(rng, grid, layers), smooth(rng, grid, layers)
    weather = np.zeros((layers, *COARSE))
    months = month_axis(*names.EXPERIMENT_YEARS[EXPERIMENT]).size
    for start in range(0, months, BATCH):
        count = min(BATCH, months - start)
        coarse = np.empty((count, *weather.shape))
        for step in range(count):
            weather = MEMORY * weather + rng.normal(size=weather.shape)
            coarse[step] = weather
        at = np.arange(start, start + count)[:, None, None, None]
        year = np.sin(2 * np.pi * at / 12)
        fine = 0.25 + 0.05 * climate + (0.04 + 0.01 * season) * year + 2e-5 * at
        fine = fine + 0.01 * finer(coarse, grid)
        noise = rng.normal(size=fine.shape)
        mean = np.clip(fine + 5e-4 * noise, 0.01, 0.6).astype(np.float32)
        spread = (0.01 + 0.002 * np.abs(finer(coarse[::-1], grid)) + 1e-4 * np.abs(noise)).astype(
            np.float32
        )
        yield Prediction(mean, spread, 3 * spread[:, 0], finer(coarse[:, 0], grid) > 2)


def smooth(rng: np.random.Generator, grid: Grid, layers: int) -> np.ndarray:
    """Return (layers, H, W) smooth fields of about unit spread."""
    return finer(rng.normal(size=(layers, *COARSE)), grid)


def finer(coarse: np.ndarray, grid: Grid) -> np.ndarray:
    """Interpolate the last two axes to the grid."""
    factors = [*(1,) * (coarse.ndim - 2), *np.array(grid.shape) / COARSE]
    return zoom(coarse, factors, order=1, grid_mode=False)


def write_ours(path: Path, grid: Grid) -> None:
    """Write a product as the stage `infer` does."""
    hashes = ("p" * 64, "i" * 64, "r" * 64)
    write_product(
        path,
        EXPERIMENT,
        regions_on(grid, "basins", "trsr"),
        month_axis(*names.EXPERIMENT_YEARS[EXPERIMENT]),
        np.array(names.PRODUCT_LAYERS),
        predictions(grid),
        product_attributes(EXPERIMENT, CHAMPION, MANIFEST, ["A"], "trsr", *hashes),
        DIGITS,
        Limits(min_coverage=1.0, max_soil_moisture=0.8),
    )


def write_users(folder: Path, grid: Grid) -> dict[str, Path]:
    """Write the same numbers, not rounded, with xarray; return the files by what they are."""
    parts = list(predictions(grid))
    dims = {4: ("time", "depth", "lat", "lon"), 3: ("time", "lat", "lon")}
    sources = {"soil_moisture": "mean", "spread": "fold_spread", "models": "model_spread"}
    fields: dict[str, Any] = {}
    for name, part in {**sources, "outside": "outside"}.items():
        values = np.concatenate([getattr(one, part) for one in parts])
        fields[name] = (dims[values.ndim], values.astype(np.int8) if part == "outside" else values)
    axes = {
        "time": month_axis(*names.EXPERIMENT_YEARS[EXPERIMENT]).astype("datetime64[ns]"),
        "lat": grid.lat,
        "lon": grid.lon,
    }
    dataset = xr.Dataset(fields, axes)
    packed, plain = folder / "packed.nc", folder / "plain.nc"
    zlib = {name: {"zlib": True, "complevel": 4} for name in fields}
    dataset.to_netcdf(packed, engine="netcdf4", encoding=zlib)
    dataset.astype(np.float64).to_netcdf(plain, engine="netcdf4")
    return {"float32, zlib 4": packed, "float64": plain}


def read_map(path: Path) -> np.ndarray:
    """Return one month of the upper layer."""
    with netCDF4.Dataset(path) as file:
        return np.asarray(file["soil_moisture"][517, 0])


def read_series(path: Path) -> np.ndarray:
    """Return the upper layer of the cell in the middle."""
    with netCDF4.Dataset(path) as file:
        variable = file["soil_moisture"]
        return np.asarray(variable[:, 0, variable.shape[2] // 2, variable.shape[3] // 2])


def require_agreement(ours: Path, theirs: Path) -> None:
    """Raise AssertionError unless both hold the same numbers within the product's rounding."""
    bits = layout.kept_bits(DIGITS)
    for read in (read_map, read_series):
        np.testing.assert_allclose(read(ours), read(theirs), rtol=2.0 ** -(bits + 1), atol=1e-9)


def compare(what: str, grid: Grid, folder: Path) -> list[Timing]:
    """Return sizes in megabytes and times in milliseconds at one resolution."""
    ours, zarr = folder / f"{EXPERIMENT}.nc", folder / "product.zarr"
    write_ours(ours, grid)
    export(ours, zarr, Part())
    users = write_users(folder, grid)
    values = 1032 * len(names.PRODUCT_LAYERS) * grid.lat.size * grid.lon.size
    stored = sum(path.stat().st_size for path in zarr.rglob("*") if path.is_file())
    size = ours.stat().st_size / MEGABYTE
    mine = [
        1e3 * fastest(lambda read=read: read(ours), REPEATS) for read in (read_map, read_series)
    ]
    timings = []
    for form, theirs in users.items():
        require_agreement(ours, theirs)
        against = f"{what}, against {form}"
        bytes_ = theirs.stat().st_size / MEGABYTE
        timings.append(Timing(f"size, {against}", size, bytes_, "MB", values))
        for name, read, own in zip(("map", "series"), (read_map, read_series), mine, strict=True):
            taken = 1e3 * fastest(lambda read=read, path=theirs: read(path), REPEATS)
            timings.append(Timing(f"one {name}, {against}", own, taken, "ms", read(ours).size))
    packed = timings[0].baseline
    name = f"size of the Zarr export, {what}, against float32, zlib 4"
    return [*timings, Timing(name, stored / MEGABYTE, packed, "MB", values)]


def main() -> None:
    """Write benchmarks/results/product.json."""
    timings = []
    for what, grid in GRIDS.items():
        with tempfile.TemporaryDirectory() as folder:
            timings += compare(what, grid, Path(folder))
    record("product", timings)


if __name__ == "__main__":
    main()
