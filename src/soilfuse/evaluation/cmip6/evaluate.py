"""All tables and maps of the study: models and their means against reanalyses.

Letters: T months, H, W cells of the common grid.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.errors import UserError
from soilfuse.evaluation.cmip6 import groups, relations
from soilfuse.evaluation.cmip6.climatology import (
    REGIONS,
    annual_cycle,
    masks_of,
    mean_map,
    ratio_of_bias,
    regional_series,
)
from soilfuse.evaluation.cmip6.skill import standardised_taylor
from soilfuse.grids.grid import Grid
from soilfuse.sources.reanalyses import DEPTHS
from soilfuse.sources.water import FLUXES, UNITS, VARIABLES

if TYPE_CHECKING:
    import pandas as pd

AGAINST = ("era5", "gldas")  # references of the Taylor diagrams and scores, as in the paper
GAINS = {"P-E": ("pr", "evspsbl"), "P-E-R": ("pr", "evspsbl", "mrros")}  # the first less the others
DAYS_A_YEAR = 365.25
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
    taylor = pd.DataFrame(_taylor_rows(series, references))
    scores = taylor[taylor["variable"].isin(DEPTHS) & (taylor["kind"] == "model")]
    maps = _maps(fields, references, grid)
    tables = {
        "models": pd.DataFrame(_model_rows(models)),
        "cycles": pd.DataFrame(_cycle_rows(series, references)),
        "taylor": taylor,
        "tss": _wide(scores),
        "counts": pd.DataFrame(_counts(scores, good_tss)),
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


def kind_of(source: str, references: Mapping[str, Any]) -> str:
    """Return whether a source is a reanalysis, a mean of models, or a model."""
    return "reanalysis" if source in references else "mean" if source in groups.GROUPS else "model"


def _fields(models: Sources, references: Sources, variable: str) -> Fields:
    """Return every source that has a variable: models, their group means, reanalyses."""
    of_models = {n: one[variable].values for n, one in models.items() if variable in one}
    means = groups.group_means(of_models)
    return of_models | means | {n: one[variable].values for n, one in references.items()}


def _model_rows(models: Sources) -> Iterator[dict[str, Any]]:
    weight = {
        depth: groups.weights([name for name, one in models.items() if depth in one])
        for depth in DEPTHS
    }
    for name, one in models.items():
        known = EVALUATED_MODELS[name]
        yield {
            "source_id": name,
            "parent": known.parent,
            "land_model": known.land_model,
            "resolution_group": "high" if known.fine else "low",
            "members": int(one.attrs["members"]),
            **{f"weight_{depth}": weight[depth].get(name, 0.0) for depth in DEPTHS},
            "left_out": one.attrs["left_out"],
        }


def _cycle_rows(
    series: Mapping[str, Mapping[str, Fields]], references: Sources
) -> Iterator[dict[str, Any]]:
    for variable, of in series.items():
        for source, regions in of.items():
            for region, values in regions.items():
                for month, mean in enumerate(annual_cycle(values), start=1):
                    yield {
                        "variable": variable,
                        "source": source,
                        "kind": kind_of(source, references),
                        "region": region,
                        "month": month,
                        "mean": mean,
                        "units": UNITS[variable],
                    }


def _taylor_rows(
    series: Mapping[str, Mapping[str, Fields]], references: Sources
) -> Iterator[dict[str, Any]]:
    for variable, of in series.items():
        for reference in (name for name in AGAINST if name in references):
            truth = np.stack([of[reference][region] for region in REGIONS], axis=1)
            for source in (name for name in of if name != reference):
                ours = np.stack([of[source][region] for region in REGIONS], axis=1)
                found = standardised_taylor(ours, truth)
                kind = kind_of(source, references)
                group = "-"
                if kind == "model":
                    group = "high" if EVALUATED_MODELS[source].fine else "low"
                for i, region in enumerate(REGIONS):
                    yield {
                        "variable": variable,
                        "reference": reference,
                        "region": region,
                        "source": source,
                        "kind": kind,
                        "group": group,
                        **{name: values[i] for name, values in found.items()},
                    }


def _wide(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return TSS with a row a variable, reference and model, a column a region."""
    index = ["variable", "reference", "source"]
    wide = scores.pivot(index=index, columns="region", values="tss")
    order = list(dict.fromkeys(map(tuple, scores[index].to_numpy())))
    return wide.loc[order, list(REGIONS)].reset_index()


def _counts(scores: "pd.DataFrame", good: float) -> Iterator[dict[str, Any]]:
    """Yield how many models are good in each region, and in how many boxes each model is."""
    for (variable, reference), some in scores.groupby(["variable", "reference"], sort=False):
        boxes = some[~some["region"].isin(("NH", "SH"))]
        for by, table in (("region", some), ("source", boxes)):
            for name, one in table.groupby(by, sort=False):
                yield {
                    "variable": variable,
                    "reference": reference,
                    "by": by,
                    "name": name,
                    "good": int((one["tss"] > good).sum()),
                    "of": int(one["tss"].notna().sum()),
                }


def _maps(fields: Mapping[str, Fields], references: Sources, grid: Grid) -> xr.Dataset:
    shown = [groups.ALL, *references]
    means = {
        (variable, source): mean_map(fields[variable][source])
        * (DAYS_A_YEAR if variable in FLUXES else 1.0)
        for variable in VARIABLES
        for source in shown
    }
    for gain, (plus, *minus) in GAINS.items():
        for source in shown:
            means[gain, source] = means[plus, source] - sum(means[one, source] for one in minus)
    variables = list(dict.fromkeys(variable for variable, _ in means))
    found = [[_correlation(fields, gain, source) for source in shown] for gain in GAINS]
    dims = ("gain", "source", "lat", "lon")
    return xr.Dataset(
        {
            "mean": (
                ("variable", "source", "lat", "lon"),
                np.array([[means[v, s] for s in shown] for v in variables], np.float32),
            ),
            "ratio_of_bias": (
                ("depth", "reference", "lat", "lon"),
                np.array(
                    [
                        [ratio_of_bias(means[d, groups.ALL], means[d, r]) for r in references]
                        for d in DEPTHS
                    ],
                    np.float32,
                ),
                {"long_name": f"({groups.ALL} - reference) / {groups.ALL}", "units": "1"},
            ),
            **{
                name: (dims, np.array([[getattr(o, name) for o in row] for row in found], "f4"))
                for name in relations.Correlation._fields
            },
        },
        coords={
            "variable": variables,
            "source": shown,
            "reference": list(references),
            "depth": list(DEPTHS),
            "gain": list(GAINS),
            "lat": grid.lat,
            "lon": grid.lon,
        },
        attrs={"moisture": "kg m-2", "fluxes": "mm a year"},
    )


def _correlation(fields: Mapping[str, Fields], gain: str, source: str) -> relations.Correlation:
    plus, *minus = GAINS[gain]
    gained = fields[plus][source] - sum(fields[one][source] for one in minus)
    return relations.correlation_map(fields["shallow"][source], gained)


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
        facts[f"good_share/{variable}/{reference}"] = float(some["good"].sum() / some["of"].sum())
    for source in map(str, maps["source"].values):
        for region in ("SIB", "TIB"):
            r = maps["r"].sel(gain="P-E", source=source).values[masks[region]]
            facts[f"r_with_p_e/{region}/{source}"] = _mean(r)
        land = masks["NH"] | masks["SH"]
        for name in ("p", "p_effective"):
            p = maps[name].sel(gain="P-E", source=source).values[land]
            facts[f"significant_share/{name}/{source}"] = float((p < alpha).sum() / _valid(p))
    return facts


def _mean(values: Sequence[float] | np.ndarray) -> float:
    valid = np.asarray(values)[np.isfinite(values)]
    return float(valid.mean()) if valid.size else float("nan")


def _valid(values: np.ndarray) -> int:
    return max(int(np.isfinite(values).sum()), 1)
