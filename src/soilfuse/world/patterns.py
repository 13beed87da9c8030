"""Maps of the forced change: where the region wets more, by layer and season."""

import numpy as np

from soilfuse import seeding
from soilfuse.world.fields import SmoothField
from soilfuse.world.region import calibration_points
from soilfuse.world.terrain import bump

# Where Li et al. 2024, section 3.3, see the fastest wetting: lat, lon, width in lat, in lon.
WEST_YANGTZE = (34.6, 91.6, 1.2, 1.9)
SOUTH_EAST_YELLOW = (33.4, 102.0, 0.9, 1.1)
NORTH_EAST_YELLOW = (35.5, 100.3, 0.6, 1.0)
# Excess there by layer, as a share of the regional mean change.
EXCESS = {
    WEST_YANGTZE: (0.7, 0.7, 0.6, 0.1, 0.15),
    SOUTH_EAST_YELLOW: (0.6, 0.6, 0.5, 0.3, 0.1),
    NORTH_EAST_YELLOW: (0.0, 0.0, 0.5, 0.5, 0.1),
}
# How the seasons share it (DJF, MAM, JJA, SON): winter in the south-east, the others in the west;
# in summer the mean is near zero, so its map is mostly pattern.
SEASON_SHARE = {
    WEST_YANGTZE: (0.5, 1.2, 5.0, 1.4),
    SOUTH_EAST_YELLOW: (1.7, 0.8, -2.0, 0.5),
    NORTH_EAST_YELLOW: (1.0, 1.0, 1.0, 1.0),
}
ROUGHNESS, LENGTH = 0.12, 1.2  # of the part that no place explains; degrees
SEASONS = 4
LAYERS = 5


def _raw(seed: int, layer: int, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    maps = []
    for season in range(SEASONS):
        rng = seeding.generator(seed, "world", "pattern", layer // 2, season)
        pattern = ROUGHNESS * SmoothField.draw(rng, LENGTH)(lat, lon)
        for place, excess in EXCESS.items():
            share = excess[layer] * SEASON_SHARE[place][season]
            pattern = pattern + share * bump(lat, lon, place)
        maps.append(pattern)
    return np.array(maps)


def forced_pattern(seed: int, layer: int, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return (4, N) local change per regional mean change by season; its TRSR mean is 1."""
    region = calibration_points()
    mean = region.mean(_raw(seed, layer, region.lat, region.lon))
    return 1 + _raw(seed, layer, lat, lon) - mean[:, None]
