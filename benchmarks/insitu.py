"""The station field's forests over the paper's whole grid: boxes of leaves against scikit-learn.

180 months, five layers and 71 x 151 cells are 9.65 million rows, in the order of the grid, both
ways on one thread. The forests are those of the demo's stations in 2008-2014.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.harness import Timing, fastest, record
from soilfuse import config
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.insitu.boxes import grid_prediction
from soilfuse.insitu.field import fit_forests
from soilfuse.insitu.table import rows_in_months, station_table
from soilfuse.sources import ismn
from soilfuse.world import station_files, station_networks, stations
from soilfuse.world.truth import Truth

PAPER = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.1)
YEARS = (2000, 2014)
LAYERS = (1, 2, 3, 4, 5)
TOLERANCE = 1e-9


def station_rows(params: config.Params) -> pd.DataFrame:
    """Return the station table of the demo's ISMN networks, by way of their files."""
    truth, grid = Truth(params.world.seed), Grid.of(params.domain)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for network in station_networks.ISMN_NETWORKS:
            placed = stations.place(truth, network, grid, params.world.stations)
            for one in stations.hourly_records(truth, placed, params.world.station_hour_step):
                station_files.write_ismn(root / "ismn", one)
        good_flags, min_records = params.insitu.good_flags, params.insitu.min_records
        return station_table(ismn.monthly_table(root, good_flags, min_records))


def compare(what: str, forest: Any, axes: list[np.ndarray], output: int) -> Timing:
    """Time both ways in seconds, and raise AssertionError unless they agree in every row."""
    features = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1, dtype=np.float32)
    rows = features.reshape(-1, len(axes))

    def with_scikit_learn() -> np.ndarray:
        if output:
            return forest.predict_proba(rows)[:, output]
        return forest.predict(rows)

    ours = grid_prediction(forest, axes, output).ravel()
    assert np.abs(ours - with_scikit_learn()).max() <= TOLERANCE
    return Timing(
        f"{what}, {forest.n_estimators} trees, one thread",
        fastest(lambda: grid_prediction(forest, axes, output), 5),
        fastest(with_scikit_learn, 2),
        "s",
        len(rows),
    )


def main() -> None:
    """Write benchmarks/results/insitu.json."""
    params = config.load(Path(__file__).parent.parent / "profiles" / "demo.yaml")
    months = month_axis(*YEARS)
    rows = rows_in_months(station_rows(params), months)
    axes = [np.arange(YEARS[0], YEARS[1] + 1), np.arange(1, 13), np.array(LAYERS)]
    axes += [PAPER.lat, PAPER.lon]
    with threadpool_limits(1):
        forests = fit_forests(rows, PAPER, months, LAYERS, params.insitu, params.seed)
        record(
            "insitu",
            [
                compare("I_insitu, regression forest", forests[0], axes, output=0),
                compare("I_prob, classification forest", forests[1], axes, output=1),
            ],
        )


if __name__ == "__main__":
    main()
