"""Stage insitu: the station table, and the station field that each fold may see."""

from pathlib import Path

import pandas as pd

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.insitu import store, table, validation
from soilfuse.insitu.cells import stations_outside
from soilfuse.insitu.field import fit_field
from soilfuse.progress import note, progress
from soilfuse.sources import cma, ismn
from soilfuse.tracking.runs import world_of
from soilfuse.tracking.stages import declared_run
from soilfuse.training.folds import TRAINING_YEARS, folds

LAYERS = range(1, 6)


def main() -> None:
    """Write data/processed/insitu/: stations.parquet, network_out.csv and fold_<k>.nc."""
    params = config.load()
    root, settings, grid = Path(params.raw_root), params.insitu, Grid.of(params.domain)
    threads, months = params.compute.threads, month_axis(*TRAINING_YEARS)
    world = world_of(params)
    with declared_run("insitu", params) as run:
        records = [
            ismn.monthly_table(root, settings.good_flags, settings.min_records),
            cma.monthly_table(root),
        ]
        stations = table.station_table(pd.concat(records, ignore_index=True))
        outside = stations_outside(stations, grid)
        if outside:
            note(f"no cell of the domain holds {', '.join(outside)}: not in the station field")
        run.log_metrics({"stations_outside_domain": len(outside)})
        table.write_table(stations, layout.STATIONS)
        scores = validation.network_out_scores(stations, settings, params.seed, threads)
        store.write_scores(scores, layout.INSITU / "network_out.csv")
        run.log_artifact(layout.INSITU / "network_out.csv")
        for fold in progress(folds(params.finetune.protocol, params.seed), "station field"):
            rows = table.rows_in_months(stations, fold.train)
            field, probability = fit_field(
                rows, grid, months, LAYERS, settings, params.seed, threads
            )
            years = sorted(set(rows["year"]))
            attributes = {"fold": fold.index, "years": " ".join(map(str, years)), "world": world}
            path = layout.station_field(fold.index)
            store.write_field(path, field, probability, months, grid, attributes)
            run.log_metrics({"station_months": len(rows)}, step=fold.index)


if __name__ == "__main__":
    with one_line_errors():
        main()
