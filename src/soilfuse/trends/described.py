"""What a file of trend maps says of itself, so that users' own tools can open it as a product's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from soilfuse import __version__
from soilfuse.config import Trends

CARRIED = (
    "experiment",
    "domain",
    "license",
    "comment",
    "soilfuse_world",
    "weights_sha256",
    "params_sha256",
    "inputs_sha256",
    "regions_sha256",
)
BOUNDED = ("depth", "lat", "lon")
STARS = {
    "flag_values": np.array([0, 1], np.int8),
    "flag_meanings": "not_significant_or_not_tested significant",
}
LABELS = {
    "season": "season of the year",
    "period": "first and last year",
    "future_period": "first and last year",
    "middle_year": "middle one of five years",
}


def described(maps: xr.Dataset, product: xr.Dataset, settings: Trends) -> xr.Dataset:
    """Return maps with the bounds of their axes, words for their flags and global attributes.

    What the product says of itself is carried: its terms, caveats and hashes.
    """
    bounds = [f"{axis}_bnds" for axis in BOUNDED if f"{axis}_bnds" in product]
    told = maps.assign({name: product[name] for name in bounds})
    for name in told.data_vars:
        if told[name].dtype == np.int8:
            told[name].attrs |= STARS
    for name, title in LABELS.items():
        if name in told.coords:
            told[name].attrs["long_name"] = title
    told.attrs = _of_file(product.attrs, settings)
    return told


def _of_file(product: Mapping[str, Any], settings: Trends) -> dict[str, Any]:
    title, history = product.get("title", "Soil moisture"), product.get("history", "")
    tested = f"soilfuse {__version__}: tested for trends"
    return {
        "Conventions": "CF-1.11",
        "title": f"Trends and changes of: {title}",
        "history": f"{history}; {tested}" if history else tested,
        **{name: product[name] for name in CARRIED if name in product},
        "confidence": settings.confidence,
    }
