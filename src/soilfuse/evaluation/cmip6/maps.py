"""Maps of the study: means, ratio of bias, correlation with what the surface gains.

Letters: H, W cells of the common grid.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from soilfuse.evaluation.cmip6 import groups, relations
from soilfuse.evaluation.cmip6.climatology import mean_map, ratio_of_bias
from soilfuse.grids.grid import Grid
from soilfuse.sources.reanalyses import DEPTHS
from soilfuse.sources.water import FLUXES, VARIABLES

GAINS = {"P-E": ("pr", "evspsbl"), "P-E-R": ("pr", "evspsbl", "mrros")}  # the first less the others
DAYS_A_YEAR = 365.25
Fields = Mapping[str, np.ndarray]  # source -> (T, H, W)


def maps_of(fields: Mapping[str, Fields], references: Sequence[str], grid: Grid) -> xr.Dataset:
    """Return the maps of the reanalyses and of the mean of models.

    fields: variable -> source -> (T, H, W). Moisture in kg m-2, fluxes in mm a year.
    """
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
