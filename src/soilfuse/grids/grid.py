"""The target grid: cell centres, cell bounds and areas."""

from dataclasses import dataclass

import numpy as np

from soilfuse.config import Domain

EARTH_RADIUS_KM = 6371.0088


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
        return cls.regular(domain.west, domain.east, domain.south, domain.north, domain.resolution)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.lat.size, self.lon.size

    @property
    def lat_bounds(self) -> np.ndarray:
        """(H, 2) cell edges in degrees north."""
        return cell_bounds(self.lat)

    @property
    def lon_bounds(self) -> np.ndarray:
        """(W, 2) cell edges in degrees east."""
        return cell_bounds(self.lon)

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
