"""Small made-up predictions of one experiment, and what a product's file is written from."""

import numpy as np
import pytest

from soilfuse import names, seeding
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_on
from soilfuse.inference.prediction import Prediction
from soilfuse.product.attributes import product_attributes
from soilfuse.product.checks import Limits
from soilfuse.product.writer import write_product

GRID = Grid.regular(95, 98, 33, 35, 0.5)
CHAMPION = {
    "registered_model": "soilfuse-test",
    "weights_sha256": "a" * 64,
    "ensemble_hash": "e" * 64,
    "caveats": ["Worse than climatology."],
    "world": "v1 seed 1",
}
MANIFEST = {"source_ids": ["MIROC6", "CESM2"], "smoothing_years": 21}
PRESENT = ["CESM2", "MIROC6"]


class Writing:
    """The arguments of one product; `write(path)` writes it."""

    def __init__(self, experiment="ssp370"):
        self.experiment = experiment
        self.regions = regions_on(GRID, "basins", "trsr")
        self.time = month_axis(*names.EXPERIMENT_YEARS[experiment])
        self.batch = 64
        self.limits = Limits(min_coverage=1.0, max_soil_moisture=0.8)
        self.digits = 4
        self.attributes = product_attributes(
            experiment,
            CHAMPION,
            MANIFEST,
            PRESENT,
            "trsr",
            "c" * 64,
            "d" * 64,
            "e" * 64,
        )
        rng = seeding.generator(11, experiment)
        months, (height, width) = self.time.size, GRID.shape
        self.mean = rng.uniform(0.1, 0.4, (months, 5, height, width)).astype(np.float32)
        self.spread = rng.uniform(0.005, 0.02, self.mean.shape).astype(np.float32)
        self.models = rng.uniform(0.02, 0.1, (months, height, width)).astype(np.float32)
        self.outside = rng.random((months, height, width)) < 0.1

    def predictions(self):
        for start in range(0, len(self.mean), self.batch):
            part = slice(start, start + self.batch)
            yield Prediction(
                self.mean[part], self.spread[part], self.models[part], self.outside[part]
            )

    def write(self, path):
        return write_product(
            path,
            self.experiment,
            self.regions,
            self.time,
            np.array(names.PRODUCT_LAYERS),
            self.predictions(),
            self.attributes,
            self.digits,
            self.limits,
        )


@pytest.fixture
def writing():
    return Writing()


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """Return one product's path, to be read only, and what it was written from."""
    writing = Writing()
    path = tmp_path_factory.mktemp("products") / "ssp370.nc"
    writing.write(path)
    return path, writing
