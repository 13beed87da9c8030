"""Damaged raw files: whatever the bytes, a reader gives data or one line, and never a traceback."""

import numpy as np
import pytest

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources import amsmqtp, cma, era5_land, ismn
from soilfuse.sources.cmip6 import read_mrsos
from soilfuse.world.build import write_world

MODEL = {"KACE-1-0-G": "r1i1p1f1"}
ROUNDS = 24

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Give a tiny world and its grid."""
    domain = config.Domain(
        name="fuzz",
        west=94.0,
        east=96.0,
        south=33.0,
        north=34.5,
        resolution=0.5,
        regions="basins",
    )
    settings = config.World(seed=3, amsmqtp_day_step=10, station_hour_step=72, stations=0.1)
    root = tmp_path_factory.mktemp("world") / "pseudo"
    write_world(root, domain, settings, MODEL)
    return root, Grid.of(domain)


READERS = {
    "cmip6/*/*_ssp245_*.nc": lambda root, grid: read_mrsos(
        root, "KACE-1-0-G", "r1i1p1f1", "ssp245", 2015, 2100, 2, grid
    ),
    "era5_land/*.nc": lambda root, grid: era5_land.read(root, grid, 1950, 2014),
    "amsmqtp/*_2003.nc": lambda root, grid: amsmqtp.read(root, grid, 2003, 2003, 3),
    "ismn/*/*/*.stm": lambda root, grid: ismn.monthly_table(root, ["G"], 5),
    "cma/CMA_2016.csv": lambda root, grid: cma.monthly_table(root),
}


@pytest.mark.parametrize("pattern", READERS)
def test_damaged_bytes_give_data_or_one_line(world, pattern):
    root, grid = world
    read = READERS[pattern]
    path = sorted(root.glob(pattern))[0]
    whole = path.read_bytes()
    rng = np.random.default_rng(len(pattern))
    refused = 0
    try:
        for number in range(ROUNDS):
            damaged = bytearray(whole)
            if number % 3 == 0:
                damaged = damaged[: rng.integers(0, len(whole))]
            else:
                for place in rng.integers(0, len(whole), 1 + number):
                    damaged[place] = rng.integers(0, 256)
            path.write_bytes(bytes(damaged))
            try:
                read(root, grid)
            except UserError as error:
                refused += 1
                assert all("\n" not in problem for problem in error.problems)
    finally:
        path.write_bytes(whole)
    assert refused > 0
    read(root, grid)
