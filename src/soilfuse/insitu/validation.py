"""How far a station field can be trusted where no station stands: whole networks left out."""

import numpy as np
import pandas as pd

from soilfuse import config
from soilfuse.insitu.field import FEATURES, fit_regressor
from soilfuse.seeding import derive_seed

SCORES = ["network", "layer", "n", "rmse", "mae", "bias", "r", "rmse_of_mean"]


def _score(truth: np.ndarray, predicted: np.ndarray, known: np.ndarray) -> dict[str, float]:
    error = predicted - truth
    varies = truth.size > 1 and min(np.ptp(truth), np.ptp(predicted)) > 0
    mean = known.mean() if known.size else np.nan
    return {
        "n": truth.size,
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.abs(error).mean()),
        "bias": float(error.mean()),
        "r": float(np.corrcoef(truth, predicted)[0, 1]) if varies else np.nan,
        "rmse_of_mean": float(np.sqrt(np.mean((mean - truth) ** 2))),
    }


def network_out_scores(
    stations: pd.DataFrame, settings: config.Insitu, seed: int, threads: int = 1
) -> pd.DataFrame:
    """Score the regression on each network from the other networks alone, by layer.

    stations: table.COLUMNS. Returns columns SCORES in m3 m-3 (r without unit); rmse_of_mean is
    the error of the other networks' mean in that layer, which the forest must beat to be worth
    anything there (NaN where they have no row). One network alone gives an empty table.
    """
    rows: list[dict[str, object]] = []
    for network, left_out in stations.groupby("network", sort=True):
        others = stations[stations["network"] != network]
        if others.empty:
            continue
        forest = fit_regressor(others, settings, derive_seed(seed, str(network)), threads)
        predicted = forest.predict(left_out[FEATURES].to_numpy())
        for layer, here in left_out.reset_index(drop=True).groupby("layer", sort=True):
            known = others.loc[others["layer"] == layer, "soil_moisture"].to_numpy()
            truth = here["soil_moisture"].to_numpy()
            scores = _score(truth, predicted[here.index], known)
            rows.append({"network": network, "layer": layer, **scores})
    return pd.DataFrame(rows, columns=SCORES)
