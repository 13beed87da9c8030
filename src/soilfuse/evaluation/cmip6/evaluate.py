"""All tables and maps of the study: models and their means against reanalyses.

Letters: T months, H, W cells of the common grid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.evaluation.cmip6 import groups
from soilfuse.evaluation.cmip6 import tables as tables_of
from soilfuse.evaluation.cmip6.climatology import cells_of, masks_of, regional_series
from soilfuse.evaluation.cmip6.maps import maps_of
from soilfuse.grids.grid import Grid
from soilfuse.sources.reanalyses import DEPTHS
from soilfuse.sources.water import VARIABLES

if TYPE_CHECKING:
    import pandas as pd

Fields = dict[str, np.ndarray]  # source -> (T, H, W)
Sources = Mapping[str, xr.Dataset]


@dataclass(frozen=True)
class Skill:
    """What the study found: tables by file name, maps, and single numbers."""

    tables: "dict[str, pd.DataFrame]"
    maps: xr.Dataset
    facts: dict[str, Any]


def evaluate(
    models: Sources, references: Sources, grid: Grid, good_tss: float, alpha: float
) -> Skill:
    """Return tables, maps and facts of climate models against reanalyses.

    models, references: Datasets of sources.water on `grid`, by name. Raises UserError where their
    worlds, months or grids differ.
    """
    import pandas as pd

    require_alike({**models, **references}, grid)
    fields = {variable: _fields(models, references, variable) for variable in VARIABLES}
    masks = masks_of(grid)
    series = {
        variable: {name: regional_series(one, masks, grid.area) for name, one in of.items()}
        for variable, of in fields.items()
    }
    cells = {
        variable: {name: cells_of(one, masks) for name, one in of.items()}
        for variable, of in fields.items()
    }
    taylor = pd.DataFrame(tables_of.taylor_rows(series, references))
    scores = taylor[taylor["variable"].isin(DEPTHS) & (taylor["kind"] == "model")]
    maps = maps_of(fields, list(references), grid)
    tables = {
        "models": pd.DataFrame(tables_of.model_rows(models)),
        "cycles": pd.DataFrame(tables_of.cycle_rows(series, references, cells)),
        "taylor": taylor,
        "tss": tables_of.wide(scores),
        "counts": pd.DataFrame(tables_of.counts_above(scores, good_tss)),
    }
    world = next(iter(references.values())).attrs["world"]
    facts = {"world": world, "good_tss": good_tss, "alpha": alpha}
    return Skill(tables, maps, facts | _facts(tables, maps, masks, alpha))


def require_alike(sources: Sources, grid: Grid) -> None:
    """Raise UserError where sources are of several worlds, or differ in months or grid."""
    first, *others = sources
    one = sources[first]
    for name in others:
        other = sources[name]
        for what, same in (
            ("world", other.attrs["world"] == one.attrs["world"]),
            ("months", np.array_equal(other.time.values, one.time.values)),
        ):
            if not same:
                raise UserError(
                    f"{what} of {name} differ from those of {first}; expected one world and the "
                    "same months: read all from one params.yaml:raw_root, then `dvc repro`"
                )
    if any(
        tuple(one.sizes[axis] for axis in ("lat", "lon")) != grid.shape for one in sources.values()
    ):
        raise UserError("sources on another grid than params.yaml:domain: run `dvc repro`")


def _fields(models: Sources, references: Sources, variable: str) -> Fields:
    """Return every source that has a variable: models, their group means, reanalyses."""
    of_models = {n: one[variable].values for n, one in models.items() if variable in one}
    means = groups.group_means(of_models)
    return of_models | means | {n: one[variable].values for n, one in references.items()}


def _facts(
    tables: "Mapping[str, pd.DataFrame]",
    maps: xr.Dataset,
    masks: Mapping[str, np.ndarray],
    alpha: float,
) -> dict[str, Any]:
    counts = tables["counts"]
    facts: dict[str, Any] = {"models": len(tables["models"])}
    for (variable, reference), some in counts[counts["by"] == "source"].groupby(
        ["variable", "reference"], sort=False
    ):
        good, of = int(some["good"].sum()), int(some["of"].sum())
        facts[f"good_share/{variable}/{reference}"] = good / of if of else float("nan")
    for source in map(str, maps["source"].values):
        for region in ("SIB", "TIB"):
            r = maps["r"].sel(gain="P-E", source=source).values[masks[region]]
            facts[f"r_with_p_e/{region}/{source}"] = _mean(r)
            facts[f"cells_without_r/{region}/{source}"] = int((~np.isfinite(r)).sum())
        land = masks["NH"] | masks["SH"]
        for name in ("p", "p_effective"):
            p = maps[name].sel(gain="P-E", source=source).values[land]
            known = p[np.isfinite(p)]
            facts[f"significant_share/{name}/{source}"] = _mean(known < alpha)
    return facts


def _mean(values: Sequence[float] | np.ndarray) -> float:
    valid = np.asarray(values)[np.isfinite(values)]
    return float(valid.mean()) if valid.size else float("nan")
