"""Known deviations of single CMIP6 models' mrsos and mrsol files, each with what mends it.

Only what would be refused or come in wrong stands in QUIRKS. What the door takes of any model is
no quirk: any grid label; no scalar depth, then 10 cm (CESM2 leaves out scalar coordinates,
ESMValCore issue 2573); latitudes north to south; wrong or cut lat_bnds and lon_bnds, which nobody
reads (FGOALS-g3, ESMValCore pull request 1289; NorESM2-LM and CESM2, issue 576); axes that differ
in the last digits between files (EC-Earth3, issue 1286; MPI-ESM1-2-HR, issue 1291; MIROC6 in single
and double precision, pull request 2061); time bounds of 20 days (FGOALS-f3-L and KACE-1-0-G, pull
request 2061) or under another name (IPSL-CM6A-LR, CNRM); missing_value in another type than the
data (CESM2); tiny negatives (EC-Earth3-Veg). Repeated months (NorESM2-MM r3i1p1f1, xMIP issue 106),
two-dimensional axes (some EC-Earth3 files, Ouranosinc/miranda issue 82) and mrsol without bounds of
its layers (GFDL-ESM4) are refused by name: what they should be is not to be known from the file.
mrsos and the upper 10 cm of mrsol differ within several models (doi:10.1088/1748-9326/ae2f72): do
not mix models of either kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soilfuse.sources.depths import layers_of
from soilfuse.sources.netcdf import opened
from soilfuse.sources.quantities import MRSOS_THICKNESS

Layers = tuple[tuple[float, float], ...]


def _orchidee_layers(count: int = 11, depth: float = 2.0) -> Layers:
    """Return upper and lower depths (m) of ORCHIDEE's layers.

    Nodes lie at depth (2^i - 1) / (2^(count - 1) - 1), i from 0, layers reach half-way between them
    (de Rosnay et al. 2002, doi:10.1029/2001JD000634; the first is 9.775e-4 m thick).
    """
    nodes = depth * (2.0 ** np.arange(count) - 1) / (2.0 ** (count - 1) - 1)
    edges = np.concatenate([[0.0], (nodes[1:] + nodes[:-1]) / 2, [depth]])
    return tuple(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


@dataclass(frozen=True)
class Quirk:
    """What a model's files say wrongly or leave out, and `why`: one sentence with its source.

    mrsos_thickness: m of soil that mrsos stands for, whatever the depth bounds; mrsol_layers: upper
    and lower depths (m) of mrsol's layers where the file has no bounds.
    """

    why: str
    mrsos_thickness: float | None = None
    mrsol_layers: Layers = ()


_CABLE = (
    "depth_bnds of mrsos are those of CABLE's first layer, 0 to 0.022 m, the values those of the "
    "upper 10 cm (ESMValCore issue 1732)"
)
QUIRKS: Mapping[str, Quirk] = {
    "ACCESS-CM2": Quirk(_CABLE, mrsos_thickness=MRSOS_THICKNESS),
    "ACCESS-ESM1-5": Quirk(_CABLE, mrsos_thickness=MRSOS_THICKNESS),
    "IPSL-CM6A-LR": Quirk(
        "mrsol has no depths of its layers, which are ORCHIDEE's eleven down to 2 m (Cheruy et al. "
        "2020, doi:10.1029/2019MS002005; ORCHIDEE's vertical_soil.f90)",
        mrsol_layers=_orchidee_layers(),
    ),
}
NONE = Quirk("")


def quirk_of(source_id: str) -> Quirk:
    """Return the quirk of a model, NONE where it has none."""
    return QUIRKS.get(source_id, NONE)


def layers_of_model(source_id: str, path: Path, provider: str) -> tuple[str, np.ndarray]:
    """Return the layer dimension of mrsol and its (D, 2) depths in m, from the file or a quirk.

    A quirk's depths count only where the file has as many layers and no bounds of its own. Raises
    UserError as `depths.layers_of`.
    """
    known = quirk_of(source_id).mrsol_layers
    with opened(path, provider) as file:
        stored = file.variable("mrsol")
        if len(stored.dims) == 4 and stored.shape[1] == len(known):
            level = stored.dims[1]
            axis = file.variable(level).attributes if level in file else {}
            if str(axis.get("bounds", f"{level}_bnds")) not in file:
                return level, np.array(known)
    return layers_of(path, provider, "mrsol")
