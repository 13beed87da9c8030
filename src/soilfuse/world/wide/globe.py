"""The globe's pseudo-reality on disk: climate models and reanalyses under their archives' names.

Every source is a drawing of the same sketched Earth with its own errors: its numbers are no
evidence about the model whose name its files carry.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from soilfuse import names
from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.files import write_json
from soilfuse.progress import progress
from soilfuse.world.wide import globe_files as out
from soilfuse.world.wide.bucket import Fluxes
from soilfuse.world.wide.sources import REANALYSES, simulate
from soilfuse.world.wide.wide_grids import GlobalGrid, model_grid, reanalysis_grid

VERSION = 1
DAY = 86400.0  # seconds
GRADIENT = 0.06  # of moisture below 10 cm, a metre: deeper is wetter


def write_globe(
    root: Path,
    models: Mapping[str, Sequence[str]],
    years: tuple[int, int],
    coarsen: int,
    seed: int,
) -> None:
    """Write root/{cmip6,era5,era_interim,gldas} and world.json, the same bytes for the same seed.

    models: source_id -> members. A variable that table 1 of Qiao et al. lacks is left out.
    """
    root = Path(root)
    world = f"globe v{VERSION} seed {seed}"
    for source_id, members in progress(models.items(), "climate models"):
        grid = model_grid(source_id, coarsen)
        for member in members:
            made = simulate(source_id, member, *grid.points(), years, seed)
            for variable, values in _of_model(source_id, made).items():
                out.write_cmip6(
                    root / "cmip6",
                    source_id,
                    member,
                    variable,
                    grid,
                    grid.maps(values),
                    years,
                    world,
                )
    for name in progress(REANALYSES, "reanalyses"):
        grid = reanalysis_grid(name, coarsen)
        made = simulate(name, "", *grid.points(), years, seed)
        if name == "gldas":
            out.write_gldas(root / name, grid, _maps(grid, _gldas(made)), years, world)
        else:
            path = root / name / f"{name}_monthly_{years[0]}-{years[1]}.nc"
            out.write_era(path, grid, _maps(grid, _era(made)), years, world)
    about = {"version": VERSION, "seed": seed, "kind": "globe", "coarsen": coarsen}
    write_json(root / "world.json", about)


def profile(made: Fluxes, layers: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return (T, D, N) volumetric moisture of layers in m from that of the two stores."""
    parts = []
    for top, base in layers:
        upper = max(min(base, 0.1) - top, 0) / (base - top)
        middle = (max(top, 0.1) + base) / 2
        below = made.deep * (1 + GRADIENT * (min(middle, 2.0) - 1.05))
        parts.append(upper * made.shallow + (1 - upper) * below)
    return np.clip(np.stack(parts, axis=1), 0, 0.95)


def _of_model(source_id: str, made: Fluxes) -> dict[str, np.ndarray]:
    model = EVALUATED_MODELS[source_id]
    thick = np.diff(np.array(out.MODEL_LAYERS), axis=1)
    given = {
        "pr": made.pr / DAY,
        "evspsbl": made.evspsbl / DAY,
        "mrros": made.mrros / DAY,
        "snm": made.snm / DAY,
    }
    if model.shallow:
        given["mrsos"] = made.shallow * 0.1 * names.WATER_DENSITY
    if model.deep:
        given["mrsol"] = profile(made, out.MODEL_LAYERS) * thick * names.WATER_DENSITY
    return given


def _era(made: Fluxes) -> dict[str, tuple[np.ndarray, str]]:
    """Return fields in ECMWF's units: m of water a day, evaporation negative."""
    layers = np.moveaxis(profile(made, out.ERA_LAYERS), 1, 0)
    moisture = {f"swvl{i}": (values, "m**3 m**-3") for i, values in enumerate(layers, start=1)}
    fluxes = {"tp": made.pr, "e": -made.evspsbl, "sro": made.mrros, "smlt": made.snm}
    return moisture | {name: (values / 1000, "m") for name, values in fluxes.items()}


def _gldas(made: Fluxes) -> dict[str, tuple[np.ndarray, str]]:
    """Return fields in GLDAS's units: rates a second, but runoff and melt in 3 hours."""
    layers = np.moveaxis(profile(made, tuple(out.GLDAS_LAYERS.values())), 1, 0)
    moisture = {
        name: (values * (base - top) * names.WATER_DENSITY, out.MASS)
        for (name, (top, base)), values in zip(out.GLDAS_LAYERS.items(), layers, strict=True)
    }
    return moisture | {
        "Rainf_f_tavg": (made.pr / DAY, out.FLUX),
        "Evap_tavg": (made.evspsbl / DAY, out.FLUX),
        "Qs_acc": (made.mrros / 8, out.MASS),
        "Qsm_acc": (made.snm / 8, out.MASS),
    }


def _maps(
    grid: GlobalGrid, fields: Mapping[str, tuple[np.ndarray, str]]
) -> dict[str, tuple[np.ndarray, str]]:
    return {name: (grid.maps(values), units) for name, (values, units) in fields.items()}
