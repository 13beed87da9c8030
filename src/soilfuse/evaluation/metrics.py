"""Statistics that add up over chunks, and the metrics made from their sums.

A statistic is one number per pair of prediction and truth, summed with weights over the pairs in
which both are valid. Sums of months, folds or bootstrap draws are plain additions, so every metric
of every subset comes from one pass over the fields. The last axis of an array of sums is
STATISTICS. Soil moisture in m3 m-3.
"""

from collections.abc import Callable, Mapping

import numpy as np

from soilfuse.errors import UserError

STATISTICS = (
    "count",
    "weight",
    "prediction",
    "truth",
    "prediction_squared",
    "truth_squared",
    "product",
    "absolute_error",
    "squared_error",
    "absolute_percentage_error",
    "prediction_anomaly",
    "truth_anomaly",
    "prediction_anomaly_squared",
    "truth_anomaly_squared",
    "anomaly_product",
)
EPSILON = float(np.finfo(np.float64).eps)  # of the absolute percentage error, equation 17
# Variance over mean square below which a float32 series is constant but for its rounding.
CONSTANT = 1e-13
MINIMUM_PAIRS = 3  # of a correlation; that of two pairs is 1 or -1 whatever they are

Sums = Mapping[str, np.ndarray]


def pair_terms(
    prediction: np.ndarray, truth: np.ndarray, climatology: np.ndarray | None = None
) -> np.ndarray:
    """Return the (S, ...) float64 statistics of each pair, 0 where either side is NaN.

    climatology: the truth's mean of the calendar month, broadcast to truth (...); it is taken
    from both sides for the anomalies. Without it the anomaly statistics are NaN.
    """
    valid = np.isfinite(prediction) & np.isfinite(truth)
    x = np.where(valid, prediction, 0).astype(np.float64)
    y = np.where(valid, truth, 0).astype(np.float64)
    error = np.abs(x - y)
    percentage = error / np.maximum(EPSILON, np.abs(y))
    ones = valid.astype(np.float64)
    terms = [ones, ones, x, y, x * x, y * y, x * y, error, error * error, percentage]
    if climatology is None:
        missing = np.full_like(x, np.nan)
        return np.stack([*terms, *[missing] * 5])
    normal = np.where(valid, climatology, 0)
    x, y = x - normal, y - normal
    return np.stack([*terms, x, y, x * x, y * y, x * y])


def named(statistics: np.ndarray) -> Sums:
    """Return the sums (..., S) by name, each (...)."""
    return dict(zip(STATISTICS, np.moveaxis(statistics, -1, 0), strict=True))


def require_overlap(statistics: np.ndarray, where: str) -> None:
    """Raise UserError where not one pair of prediction and truth is valid."""
    if not named(statistics)["count"].sum() > 0:
        raise UserError(
            f"no overlap of prediction and truth in {where}: 0 valid pairs; expected at least one: "
            "check their months, grid and missing values"
        )


def _mean(sums: Sums, name: str) -> np.ndarray:
    return sums[name] / sums["weight"]


def _variance(sums: Sums, of: str, floor: np.ndarray) -> np.ndarray:
    variance = _mean(sums, f"{of}_squared") - _mean(sums, of) ** 2
    return np.where(variance > floor, variance, np.where(np.isnan(variance), np.nan, 0.0))


def _floor(sums: Sums) -> np.ndarray:
    return CONSTANT * np.maximum(_mean(sums, "prediction_squared"), _mean(sums, "truth_squared"))


def _correlation(sums: Sums, one: str, other: str, product: str) -> np.ndarray:
    floor = _floor(sums)
    covariance = _mean(sums, product) - _mean(sums, one) * _mean(sums, other)
    spread = np.sqrt(_variance(sums, one, floor) * _variance(sums, other, floor))
    known = (spread > 0) & (sums["count"] >= MINIMUM_PAIRS)
    return np.where(known, np.clip(covariance / spread, -1, 1), np.nan)


def mae(sums: Sums) -> np.ndarray:
    """Mean absolute error (Li et al. 2024, equation 15)."""
    return _mean(sums, "absolute_error")


def rmse(sums: Sums) -> np.ndarray:
    """Root of the mean square error (equation 16 is printed with the root inside the sum)."""
    return np.sqrt(_mean(sums, "squared_error"))


def mape(sums: Sums) -> np.ndarray:
    """Mean absolute error as a fraction of max(EPSILON, |truth|) (equation 17)."""
    return _mean(sums, "absolute_percentage_error")


def bias(sums: Sums) -> np.ndarray:
    """Mean of prediction minus truth."""
    return _mean(sums, "prediction") - _mean(sums, "truth")


def ubrmse(sums: Sums) -> np.ndarray:
    """Root of the mean square error after the mean error is taken away."""
    return np.sqrt(np.maximum(_mean(sums, "squared_error") - bias(sums) ** 2, 0))


def r(sums: Sums) -> np.ndarray:
    """Pearson's correlation (equation 18); NaN of a constant side or fewer than three pairs."""
    return _correlation(sums, "prediction", "truth", "product")


def r2(sums: Sums) -> np.ndarray:
    """1 - SSE / SST about the truth's own mean; NaN where the truth is constant."""
    spread = _variance(sums, "truth", _floor(sums))
    return np.where(spread > 0, 1 - _mean(sums, "squared_error") / spread, np.nan)


def variance_ratio(sums: Sums) -> np.ndarray:
    """Variance of the prediction over that of the truth; NaN where the truth is constant."""
    floor = _floor(sums)
    spread = _variance(sums, "truth", floor)
    return np.where(spread > 0, _variance(sums, "prediction", floor) / spread, np.nan)


def anomaly_r(sums: Sums) -> np.ndarray:
    """Correlation after the truth's monthly climatology is taken from both sides."""
    return _correlation(sums, "prediction_anomaly", "truth_anomaly", "anomaly_product")


def n(sums: Sums) -> np.ndarray:
    """Count the valid pairs."""
    return sums["count"]


def standard_deviation(sums: Sums, of: str) -> np.ndarray:
    """Spread of the `prediction` or of the `truth`, over n and not n - 1."""
    return np.sqrt(_variance(sums, of, _floor(sums)))


METRICS: dict[str, Callable[[Sums], np.ndarray]] = {
    function.__name__: function
    for function in (mae, rmse, mape, r, r2, ubrmse, bias, anomaly_r, variance_ratio, n)
}


def metrics(statistics: np.ndarray, chosen: tuple[str, ...] = tuple(METRICS)) -> Sums:
    """Return the chosen metrics, each (...), of sums (..., S); NaN where there is no pair."""
    sums = named(statistics)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {name: METRICS[name](sums) for name in chosen}
