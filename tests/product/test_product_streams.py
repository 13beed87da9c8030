"""Writing a product takes the memory of some years, however many there are."""

import subprocess
import sys
from pathlib import Path

import pytest

WRITE = """
import re, sys
from pathlib import Path
import numpy as np
from soilfuse import names
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_on
from soilfuse.inference.prediction import Prediction
from soilfuse.product.attributes import product_attributes
from soilfuse.product.checks import Limits
from soilfuse.product.export import export
from soilfuse.product.part import Part
from soilfuse.product.writer import write_product

years, folder = int(sys.argv[1]), Path(sys.argv[2])
names.EXPERIMENT_YEARS["ssp370"] = (2015, 2014 + years)
grid = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.25)
shape = (24, 5, *grid.shape)

def predictions():
    rng = np.random.default_rng(0)
    for _ in range(12 * years // 24):
        mean = np.repeat(rng.uniform(0.1, 0.4, (24, 5, 1, 1)), grid.lat.size, 2).astype("f4")
        mean = np.repeat(mean, grid.lon.size, 3)
        yield Prediction(mean, mean / 10, mean[:, 0] / 10, mean[:, 0] > 0.3)

def peak():
    # not of getrusage, which begins with the memory of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])  # KiB

champion = {"world": "w", "registered_model": "m", "weights_sha256": "w", "ensemble_hash": "e"}
manifest = {"source_ids": ["A"], "smoothing_years": 1}
about = product_attributes("ssp370", champion, manifest, ["A"], "trsr", "pp", "ii", "rr")
product = folder / "ssp370.nc"
regions = regions_on(grid, "basins", "trsr")
time = month_axis(2015, 2014 + years)
limits = Limits(1.0, 0.8)
bounds = np.array(names.PRODUCT_LAYERS)
write_product(product, "ssp370", regions, time, bounds, predictions(), about, 4, limits)
print(peak())
export(product, folder / "out.nc", Part())
print(peak())
import zarr
before = peak()
export(product, folder / "out.zarr", Part())
print(peak() - before)
"""
WHOLE = 1032 * 5 * 29 * 61 * 4 / 1024  # KiB of one variable of 86 years


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no Linux here")
def test_memory_does_not_grow_with_the_months(tmp_path):
    def peaks(years):
        folder = tmp_path / str(years)
        folder.mkdir()
        words = [sys.executable, "-c", WRITE, str(years), str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        assert (folder / "ssp370.nc").stat().st_size > years * 10_000
        return [int(line) for line in done.stdout.split()]

    few, many = peaks(10), peaks(86)
    for short, long in zip(few, many, strict=True):
        assert long - short < 0.5 * WHOLE, (few, many)
