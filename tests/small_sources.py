"""Processed climate models and AMSMQTP of a small domain, in the current folder."""

import numpy as np
import xarray as xr

from soilfuse import config, layout, names
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis, month_of, year_of
from soilfuse.sources.processed import write_field, write_models
from soilfuse.sources.targets import layered

LAT, LON = np.arange(30.5, 37, 1.5), np.arange(88.5, 100, 1.5)
WORLD = "v1 seed 1"


def _signal(time):
    return 0.3 + 0.05 * np.sin(2 * np.pi * month_of(time) / 12) + 2e-4 * (year_of(time) - 2000)


def _crop(experiment, place):
    time = month_axis(*names.EXPERIMENT_YEARS[experiment])
    rng = np.random.default_rng([place, len(experiment), year_of(time)[0]])
    noise = 0.01 * (1 + place) * rng.standard_normal((time.size, LAT.size, LON.size))
    values = _signal(time)[:, None, None] + 0.02 * place + noise
    return xr.DataArray(
        values.astype(np.float32),
        dims=("time", "lat", "lon"),
        coords={"time": time, "lat": LAT, "lon": LON},
        attrs={**names.SOIL_MOISTURE_ATTRIBUTES, "world": WORLD, "inputs_sha256": str(place)},
    )


def write_sources(domain, source_ids, experiments=("historical", "ssp245")):
    """Write data/processed/cmip6/<experiment>.nc and data/processed/amsmqtp.nc."""
    for experiment in experiments:
        crops = {name: _crop(experiment, place) for place, name in enumerate(source_ids)}
        layout.climate_models(experiment).parent.mkdir(parents=True, exist_ok=True)
        write_models(layout.climate_models(experiment), experiment, crops)
    grid, time = Grid.of(config.Domain(**domain)), month_axis(2000, 2021)
    pattern = np.linspace(-0.05, 0.05, grid.lat.size * grid.lon.size).reshape(grid.shape)
    layers = 0.01 * np.arange(len(names.PRODUCT_LAYERS))[:, None, None]
    noise = np.random.default_rng(9).standard_normal((time.size, len(layers), *grid.shape))
    values = (_signal(time)[:, None, None, None] + pattern + layers + 0.02 * noise).astype("f4")
    told = {"world": WORLD, "inputs_sha256": "target", "source": "made for a test"}
    write_field(layout.AMSMQTP, layered(values, time, names.PRODUCT_LAYERS, grid, "standard", told))
