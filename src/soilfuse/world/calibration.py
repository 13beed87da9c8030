"""What a world shows of the published record: the numbers that its calibration is judged by.

Regional means are over the calibration points. Letters: Y years, T months, N points.
"""

from collections.abc import Mapping

import numpy as np

from soilfuse import names
from soilfuse.grids.interpolation import bilinear
from soilfuse.world import observations, station_networks, stations
from soilfuse.world import published as record
from soilfuse.world.climate_models import ClimateModelWorld
from soilfuse.world.region import CALIBRATION_GRID, calibration_points, inside_region
from soilfuse.world.truth import Place, Truth

TAYLOR_MONTHS = slice(600, 780)  # 2000-2014 of the historical months
STATION_YEARS = (2008, 2019)
ISMN_MONTHS, CMA_MONTHS = slice(20, 110), slice(84, 132)  # of those years
SURFACE, DEEP = 0.1, 0.8  # m: sensors above the one stand for layer 1, from the other for layer 5

Regional = Mapping[str, np.ndarray]


def region_of(truth: Truth) -> Place:
    """Return the truth at the calibration points."""
    points = calibration_points()
    return truth.at(points.lat, points.lon)


def regional_means(place: Place) -> dict[str, np.ndarray]:
    """Return {experiment: (Y, 12, 5)} regional means in m3 m-3."""
    mean = calibration_points().mean
    return {
        name: mean(place.soil_moisture(name).astype(float)).reshape(-1, 12, record.LAYERS)
        for name in names.EXPERIMENT_YEARS
    }


def sen_slope(years: np.ndarray) -> float:
    """Return the Sen slope of (Y,) values per year."""
    from scipy.stats import theilslopes

    return float(theilslopes(years)[0])


def series(
    regional: Regional,
    experiment: str,
    season: str,
    layer: int,
    years: tuple[int, int] | None = None,
) -> np.ndarray:
    """Return (Y,) seasonal means of one layer in m3 m-3, of all the experiment's years or some."""
    first, last = names.EXPERIMENT_YEARS[experiment]
    start, stop = years or (first, last)
    values = regional[experiment][start - first : stop + 1 - first]
    return values[:, np.array(names.SEASONS[season]) - 1, layer].mean(axis=1)


def percent_change(regional: Regional, ssp: str, season: str, layer: int) -> float:
    """Return the per cent change of 2071-2100 against 1995-2014."""
    period = names.REFERENCE_PERIOD
    before = series(regional, names.HISTORICAL, season, layer, period).mean()
    after = series(regional, ssp, season, layer, names.FUTURE_PERIODS[-1]).mean()
    return float(100 * (after / before - 1))


def recent_surface(place: Place) -> np.ndarray:
    """Return (T, N) layer 1 of 2000-2014 in m3 m-3, which the models are compared with."""
    return place.soil_moisture(names.HISTORICAL, TAYLOR_MONTHS)[:, 0].astype(float)


def models_on_points(truth: Truth) -> dict[str, np.ndarray]:
    """Return {source_id: (T, N)} of 2000-2014 in m3 m-3, interpolated as a user would."""
    fields = {}
    for source_id in record.TAYLOR:
        model = ClimateModelWorld(source_id, truth, CALIBRATION_GRID)
        native = model.soil_moisture(names.HISTORICAL)[TAYLOR_MONTHS].reshape(180, -1)
        filled = np.where(np.isnan(native), np.nanmean(native, axis=1, keepdims=True), native)
        weights = bilinear(model.native.lat, model.native.lon, CALIBRATION_GRID)[inside_region()]
        fields[source_id] = (weights @ filled.T.astype(float)).T
    return fields


def correlation(field: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two fields, space and time pooled."""
    return float(np.corrcoef(field.ravel(), other.ravel())[0, 1])


def station_medians(truth: Truth) -> dict[str, tuple[float, float]]:
    """Return {product: median correlation with the stations of layers 1 and 5}."""
    found: dict[str, tuple[list[float], list[float]]] = {
        name: ([], []) for name in record.STATION_R
    }
    for network in (*station_networks.ISMN_NETWORKS, station_networks.CMA):
        placed = stations.place(truth, network, CALIBRATION_GRID, 1.0)
        products = _products_at(truth, placed)
        months = CMA_MONTHS if network.name == "CMA" else ISMN_MONTHS
        depths = np.mean(network.depths, axis=1)
        used = [(i, int(d >= DEEP)) for i, d in enumerate(depths) if d < SURFACE or d >= DEEP]
        for i, (_, values) in enumerate(stations.sensor_months(truth, placed)):
            for sensor, layer in used:
                for name, field in products.items():
                    r = correlation(values[months, sensor], field[months, layer, i])
                    found[name][layer].append(r)
    return {name: (_median(top), _median(deep)) for name, (top, deep) in found.items()}


def _products_at(truth: Truth, placed: list[stations.Station]) -> dict[str, np.ndarray]:
    """Return {product: (T, 2, N)} top and deepest layer in the stations' cells."""
    lat, lon = np.array([station.cell for station in placed]).T
    cells = truth.at(lat, lon)
    five = observations.amsmqtp_monthly(cells, *STATION_YEARS)
    three = observations.era5_land(cells, *STATION_YEARS)
    return {"amsmqtp": five[:, [0, -1]], "era5_land": three[:, [0, -1]]}


def _median(values: list[float]) -> float:
    return float(np.median(values))
