"""Stage evaluate of studies/pscnet: learned methods and yardsticks, in two periods."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from soilfuse import layout
from soilfuse.config.studies import PscnetStudy
from soilfuse.evaluation.density import density_table, joint_histogram
from soilfuse.evaluation.pscnet import event, scores
from soilfuse.evaluation.pscnet.outputs import Evaluation
from soilfuse.evaluation.pscnet.scored import (
    HELD_OUT_DAYS,
    MODELS,
    TRUTH,
    Scored,
    later,
    predictions,
    scored_steps,
)
from soilfuse.evaluation.pscnet.stations import station_table
from soilfuse.files import read_json
from soilfuse.grids.blocks import block_means
from soilfuse.grids.grid import Grid
from soilfuse.training.downscaling.sample import read

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SMAP = "smap"
GENERALISED = ("r", "ubrmse")
NOTHING = 0.1  # R of which a change in percent tells nothing


def evaluate(params: PscnetStudy) -> Evaluation:
    """Return every score of params.methods from the files of the stages read, train and world."""
    from soilfuse.sources.sample import read_stations, read_truth

    years = params.split.years
    sample = read(layout.PROCESSED, years)
    truths = {year: read_truth(Path(params.raw_root), year) for year in years}
    scored = scored_steps(params, sample, predictions(params.methods), truths)
    learned = [read_json(MODELS / name / "manifest.json") for name in params.methods]
    stations = read_stations(layout.PROCESSED / "stations.csv")
    return judged(params, scored, stations, learned)


def judged(
    params: PscnetStudy,
    scored: Scored,
    stations: "pd.DataFrame",
    learned: list[dict[str, Any]],
) -> Evaluation:
    """Return the scores of everyone's maps."""
    import pandas as pd

    table, pixels = _scores(params, scored)
    sample = scored.sample
    in_test = scored.periods == later(params)
    test_fields = {name: field[in_test] for name, field in scored.all_fields.items()}
    test_at = scored.at[in_test]
    rain = event.wettest(sample, test_at)
    tables = {
        "scores": table,
        "generalisation": generalisation(table, later(params)),
        "stations": station_table(
            stations,
            Grid(sample.lat, sample.lon),
            sample.time[scored.at],
            scored.periods,
            scored.all_fields,
            params.evaluate.min_pairs,
        ),
        "density": _densities(scored, in_test),
        "learned": pd.DataFrame(learned),
        "series": event.event_series(sample, rain, test_at, test_fields),
    }
    maps = {"pixels": pixels, "event": event.event_maps(sample, rain, test_at, test_fields)}
    return Evaluation(tables, maps, _facts(table))


def _scores(params: PscnetStudy, scored: Scored) -> "tuple[pd.DataFrame, xr.Dataset]":
    """Return a row a method, period and target, and the maps of the same."""
    import pandas as pd

    sample, least = scored.sample, params.evaluate.min_pairs
    periods = (HELD_OUT_DAYS, later(params))
    rows, maps = [], {}
    for method, field in scored.all_fields.items():
        for period in periods:
            here = scored.periods == period
            pairs = {SMAP: (block_means(field[here], sample.block), sample.smap[scored.at[here]])}
            if scored.truth is not None and method != TRUTH:
                pairs[TRUTH] = (field[here], scored.truth[here])
            for target, (prediction, reference) in pairs.items():
                sums = scores.sums_over_time(prediction, reference)
                row: dict[str, Any] = {"method": method, "period": period, "target": target}
                row |= scores.summary(sums, least)
                if target == TRUTH:
                    row |= scores.detail_scores(prediction, reference, sample.block)
                rows.append(row)
                maps[target, method, period] = scores.pixel_scores(sums, least)
    return pd.DataFrame(rows), _pixel_maps(maps, scored, periods)


def _pixel_maps(
    maps: Mapping[tuple[str, str, str], scores.Scores], scored: Scored, periods: tuple[str, ...]
) -> "xr.Dataset":
    import xarray as xr

    sample = scored.sample
    variables: dict[str, Any] = {}
    methods = {SMAP: list(scored.all_fields), TRUTH: list(scored.fields)}
    grids = {SMAP: ("coarse_lat", "coarse_lon"), TRUTH: ("lat", "lon")}
    for target in (SMAP, TRUTH) if scored.truth is not None else (SMAP,):
        for metric in ("n", *scores.PIXEL_METRICS):
            stacked = [
                [maps[target, name, period][metric] for period in periods]
                for name in methods[target]
            ]
            dims = (f"{target}_method", "period", *grids[target])
            variables[f"{target}_{metric}"] = (dims, np.array(stacked))
    used = {dim for dims, _ in variables.values() for dim in dims}
    coords = {
        "smap_method": methods[SMAP],
        "truth_method": methods[TRUTH],
        "period": list(periods),
        "lat": sample.lat,
        "lon": sample.lon,
        "coarse_lat": sample.coarse_lat,
        "coarse_lon": sample.coarse_lon,
    }
    kept = {name: values for name, values in coords.items() if name in used}
    return xr.Dataset(variables, coords=kept, attrs={"world": sample.world})


def generalisation(table: "pd.DataFrame", period: str) -> "pd.DataFrame":
    """Return R and ubRMSE on held-out days and in the test years, and their change in percent.

    The change of an R near 0 is NaN.
    """
    import pandas as pd

    rows = []
    for (method, target), group in table.groupby(["method", "target"], sort=False):
        both = group.set_index("period")
        row: dict[str, Any] = {"method": method, "target": target}
        for metric in GENERALISED:
            one, other = (float(both.loc[name, metric]) for name in (HELD_OUT_DAYS, period))
            least = NOTHING if metric == "r" else 0.0
            change = 100 * (other - one) / abs(one) if abs(one) > least else np.nan
            row |= {f"{metric}_held_out": one, f"{metric}_later": other}
            row[f"{metric}_change_percent"] = change
        rows.append(row)
    return pd.DataFrame(rows)


def _densities(scored: Scored, here: np.ndarray) -> "pd.DataFrame":
    """Return the shares of pairs with SMAP in the test years by classes, a block a method."""
    import pandas as pd

    observed = scored.sample.smap[scored.at[here]][:, None]
    parts = []
    for name, field in scored.all_fields.items():
        means = block_means(field[here], scored.sample.block)[:, None]
        counts = joint_histogram(means, observed, np.ones(observed.shape[-2:]))
        parts.append(density_table(counts).drop(columns="layer").assign(method=name))
    return pd.concat(parts, ignore_index=True)


def _facts(table: "pd.DataFrame") -> dict[str, float]:
    told = ("r", "bias", "ubrmse", "pooled_r", "detail_r", "detail_change_r")
    return {
        f"{row['target']}/{row['period']}/{row['method']}/{name}": float(row[name])
        for row in table.to_dict("records")
        for name in told
        if name in row and np.isfinite(row[name])
    }
