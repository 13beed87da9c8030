"""The target grid: cell centres, cell bounds and areas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from soilfuse.config import Domain

EARTH_RADIUS_KM = 6371.0088
EDGES = ("west", "east", "south", "north", "resolution")  # of a domain: what makes its grid


@dataclass(frozen=True)
class Grid:
    """A regular longitude-latitude grid of cell centres in degrees, both ascending."""

    lat: np.ndarray
    lon: np.ndarray

    @classmethod
    def regular(
        cls, west: float, east: float, south: float, north: float, resolution: float
    ) -> "Grid":
        """Build the grid whose first and last centres are the given edges, in degrees."""
        lon = west + resolution * np.arange(round((east - west) / resolution) + 1)
        lat = south + resolution * np.arange(round((north - south) / resolution) + 1)
        return cls(lat=np.round(lat, 6), lon=np.round(lon, 6))

    @classmethod
    def of(cls, domain: Domain) -> "Grid":
        """Build the target grid of params.yaml:domain."""
        return cls.recorded(domain.model_dump())

    @classmethod
    def recorded(cls, domain: Mapping[str, Any]) -> "Grid":
        """Build the grid of a domain as manifests hold it."""
        return cls.regular(**{edge: domain[edge] for edge in EDGES})

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.lat.size, self.lon.size

    @property
    def lat_bounds(self) -> np.ndarray:
        """(H, 2) cell edges in degrees north, none beyond a pole."""
        return latitude_bounds(self.lat)

    @property
    def lon_bounds(self) -> np.ndarray:
        """(W, 2) cell edges in degrees east."""
        return cell_bounds(self.lon)

    def turned(self, lon: np.ndarray) -> np.ndarray:
        """Return longitudes within 180 degrees of the grid's middle, however they count."""
        middle = (self.lon[0] + self.lon[-1]) / 2
        return np.asarray((lon - middle + 180) % 360 + middle - 180)

    @property
    def area(self) -> np.ndarray:
        """(H, W) area of each cell on the sphere in km2."""
        south, north = np.deg2rad(self.lat_bounds).T
        west, east = np.deg2rad(self.lon_bounds).T
        return EARTH_RADIUS_KM**2 * np.outer(np.sin(north) - np.sin(south), east - west)


def cell_bounds(centres: np.ndarray) -> np.ndarray:
    """Return (N, 2) edges halfway between ascending centres; the outer ones mirror the inner."""
    centres = np.asarray(centres, dtype=float)
    if centres.size < 2:
        raise ValueError("cell bounds need at least two centres")
    middle = (centres[1:] + centres[:-1]) / 2
    first, last = 2 * centres[0] - middle[0], 2 * centres[-1] - middle[-1]
    edges = np.concatenate([[first], middle, [last]])
    return np.stack([edges[:-1], edges[1:]], axis=1)


def latitude_bounds(centres: np.ndarray) -> np.ndarray:
    """Return (N, 2) edges of ascending latitudes as `cell_bounds`, the outer ones up to the poles.

    A cell ends at the pole where its mirrored edge lies beyond it (grids with a centre on the
    pole), or where no further cell of its size has its centre before it (Gaussian grids).
    """
    bounds = cell_bounds(centres)
    beyond = 2 * bounds[[0, -1], [0, 1]] - np.asarray(centres, dtype=float)[[0, -1]]
    if beyond[0] <= -90:
        bounds[0, 0] = -90
    if beyond[1] >= 90:
        bounds[-1, 1] = 90
    return bounds
