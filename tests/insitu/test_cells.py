import pandas as pd

from soilfuse.grids.grid import Grid
from soilfuse.insitu.cells import stations_outside

GRID = Grid.regular(west=89.0, east=90.0, south=31.0, north=32.0, resolution=0.5)


def test_stations_that_no_cell_holds_are_named_once_with_their_place():
    stations = pd.DataFrame(
        {
            "network": ["CMA", "CMA", "CMA", "MAQU", "MAQU"],
            "station": ["1", "2", "2", "A", "B"],
            "lat": [31.5, 40.0, 40.0, 32.25, 32.26],  # the northern edge is at 32.25
            "lon": [89.5, 89.5, 89.5, 89.0 - 360, 89.0],
        }
    )
    assert stations_outside(stations, GRID) == ["CMA/2 (40N 89.5E)", "MAQU/B (32.26N 89E)"]
    assert stations_outside(stations[:1], GRID) == []
