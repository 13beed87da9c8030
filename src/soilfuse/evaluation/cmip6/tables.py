"""Rows of the study's tables: models, annual cycles, Taylor statistics, scores and counts."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.evaluation.cmip6 import groups
from soilfuse.evaluation.cmip6.climatology import REGIONS, annual_cycle
from soilfuse.evaluation.cmip6.skill import standardised_taylor
from soilfuse.sources.reanalyses import DEPTHS
from soilfuse.sources.water import UNITS

if TYPE_CHECKING:
    import pandas as pd

AGAINST = ("era5", "gldas")  # references of the Taylor diagrams and scores, as in the paper
# variable -> source -> region -> (T,)
Series = Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]
Cells = Mapping[str, Mapping[str, Mapping[str, tuple[int, int]]]]  # likewise


def kind_of(source: str, references: Collection[str]) -> str:
    """Return whether a source is a reanalysis, a mean of models, or a model."""
    return "reanalysis" if source in references else "mean" if source in groups.GROUPS else "model"


def model_rows(models: Mapping[str, xr.Dataset]) -> Iterator[dict[str, Any]]:
    """Yield each model's parent, groups, members, weights and what it lacks."""
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


def cycle_rows(
    series: Series, references: Collection[str], cells: Cells
) -> Iterator[dict[str, Any]]:
    """Yield the mean of each calendar month by variable, source and region.

    cells: how many of a region count in a series, and how many are missing.
    """
    for variable, of in series.items():
        for source, regions in of.items():
            for region, values in regions.items():
                counted, missing = cells[variable][source][region]
                for month, mean in enumerate(annual_cycle(values), start=1):
                    yield {
                        "variable": variable,
                        "source": source,
                        "kind": kind_of(source, references),
                        "region": region,
                        "month": month,
                        "mean": mean,
                        "units": UNITS[variable],
                        "cells": counted,
                        "cells_missing": missing,
                    }


def taylor_rows(series: Series, references: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield Taylor statistics of every source against each of AGAINST in each region."""
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


def wide(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return TSS with a row a variable, reference and model, a column a region."""
    index = ["variable", "reference", "source"]
    wide = scores.pivot(index=index, columns="region", values="tss")
    order = list(dict.fromkeys(map(tuple, scores[index].to_numpy())))
    return wide.loc[order, list(REGIONS)].reset_index()


def counts_above(scores: "pd.DataFrame", good: float) -> Iterator[dict[str, Any]]:
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
