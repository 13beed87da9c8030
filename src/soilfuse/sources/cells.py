"""A window of cells of a file's own grid, taken as they are: no regridding.

Letters: T records, H latitudes, W longitudes of the wanted grid.
"""

from dataclasses import dataclass

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources import axes
from soilfuse.sources.netcdf import RawFile, Stored

SAME = 2e-3  # degrees; single precision of coordinates and their rounding in names
ONLY = ("time", "lat", "lon")


@dataclass(frozen=True)
class Window:
    """Where a grid's cells lie in a file: slices to read, and the order within them."""

    lat: axes.Axis
    lon: axes.Axis

    @classmethod
    def of(cls, file: RawFile, stored: Stored, grid: Grid, mend: str) -> "Window":
        """Find each cell of a grid in a variable's axes; raise UserError where one is not there."""
        if len(stored.dims) != len(ONLY):
            raise UserError(
                f"{stored.name} in {file.path} ({file.provider}) has dimensions "
                f"({', '.join(stored.dims)}); expected time, latitude and longitude alone: select "
                "one of the others first"
            )
        axes.dimension(file, stored, "time")
        lat = axes.latitudes(file, stored, None, 0)
        lon = axes.longitudes(file, stored, grid, 0)
        return cls(
            _matched(file, "latitude", lat, grid.lat, mend),
            _matched(file, "longitude", lon, grid.lon, mend),
        )

    def values(self, stored: Stored, records: np.ndarray) -> np.ndarray:
        """Return (T, H, W) unpacked values of some records of a (time, lat, lon) variable."""
        first, last = int(records.min()), int(records.max()) + 1
        read = stored.values((slice(first, last), self.lat.window, self.lon.window))
        return read[np.ix_(records - first, self.lat.order, self.lon.order)]


def _matched(file: RawFile, name: str, axis: axes.Axis, wanted: np.ndarray, mend: str) -> axes.Axis:
    """Return the part of an axis whose centres are the wanted ones."""
    if axis.centres.size:
        nearest = np.abs(axis.centres[None] - wanted[:, None]).argmin(axis=1)
        if np.abs(axis.centres[nearest] - wanted).max() <= SAME:
            return axes.Axis(axis.centres[nearest], axis.window, axis.order[nearest])
    shown = ", ".join(f"{centre:g}" for centre in axis.centres[:3])
    raise UserError(
        f"{name} in {file.path} ({file.provider}) has centres {shown} ... ({axis.centres.size}); "
        f"expected {wanted[0]:g} to {wanted[-1]:g} every {wanted[1] - wanted[0]:g} among them: "
        f"{mend}"
    )
