"""Files of earlier stages that no longer belong to params.yaml."""

import pytest
import xarray as xr

from soilfuse import layout
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.training.loading import _refuse_other_grid


def test_a_target_of_a_domain_that_was_moved_names_its_stage(params):
    grid = Grid.of(params.domain)
    step = params.domain.resolution
    target = xr.Dataset(coords={"lat": grid.lat, "lon": grid.lon.astype("float32")})
    _refuse_other_grid(layout.ERA5_LAND, target, grid)
    moved = {"lat": grid.lat + step}, {"lon": grid.lon - step}, {"lat": grid.lat[:-1]}
    for other in moved:
        with pytest.raises(UserError, match="era5_land.nc .*params.yaml:domain.*repro era5_land"):
            _refuse_other_grid(layout.ERA5_LAND, target.drop_vars(other).assign_coords(other), grid)
