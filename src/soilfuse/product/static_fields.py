"""The variables of a product that do not change with time: each cell's region and area."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from soilfuse.grids.regions import Regions
from soilfuse.product.layout import ON_GRID

NO_REGION = "none"


def static_fields(regions: Regions) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """Return the (H, W) region of each cell and the cells' area in km2, with their attributes."""
    words = flag_words(regions.names)
    region: dict[str, Any] = {
        "long_name": "region of the cell's centre",
        "flag_values": np.arange(len(words), dtype=np.int8),
        "flag_meanings": " ".join(words),
        **ON_GRID,
    }
    comment = _comment(regions, words)
    area = {  # no grid_mapping: cdo would take it for data, and warn where it serves as area
        "standard_name": "cell_area",
        "long_name": "area of the cell on a sphere of radius 6371.0088 km",
        "units": "km2",
    }
    return {
        "region": (regions.mask, region | ({"comment": comment} if comment else {})),
        "cell_area": (regions.grid.area.astype(np.float64), area),
    }


def flag_words(names: Sequence[str]) -> list[str]:
    """Return "none" and a word for each region, of the letters that CF allows in flag_meanings."""
    words = [NO_REGION]
    for number, name in enumerate(names, start=1):
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        word = re.sub(r"[^A-Za-z0-9.+@-]+", "_", plain).strip("_") or f"region_{number}"
        while word in words:
            word += "_"
        words.append(word)
    return words


def _comment(regions: Regions, words: Sequence[str]) -> str:
    sentences = []
    if list(regions.names) != list(words[1:]):
        sentences.append(f"Names in the outlines: {'; '.join(regions.names)}.")
    if regions.shared_cells:
        sentences.append(
            f"{regions.shared_cells} cells lie in several regions: here they have the first one, "
            "in means of a region they count in each."
        )
    return " ".join(sentences)
