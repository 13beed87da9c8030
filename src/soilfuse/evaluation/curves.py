"""Tables with a column a curve, which is what `dvc plots show` draws."""

from collections.abc import Mapping, Sequence

import pandas as pd

from soilfuse.evaluation.blocks import FINAL, OUT_OF_FOLD
from soilfuse.evaluation.probabilistic import RESIDUALS, SPREAD
from soilfuse.names import BASELINES, PRODUCT_LAYERS

KINDS = (SPREAD, RESIDUALS)


def curves(made: Mapping[str, pd.DataFrame], candidate: str, whole: str) -> dict[str, pd.DataFrame]:
    """Return `reliability` and `detail` from the tables `spread` and `spectrum`.

    reliability: the share of values that the candidate's intervals of a level hold in the final
    test, a column an interval and layer; detail: each method's power over the target's in the upper
    layer, out of fold, a column a method. A curve that was not made has its column too, empty, so
    that plots find it.
    """
    spread = _rows(made["spread"], block=FINAL, region=whole, method=candidate)
    spread = spread.assign(curve=spread["interval"] + "_" + spread["layer"].astype(str))
    layers = range(1, len(PRODUCT_LAYERS) + 1)
    spectrum = _rows(made["spectrum"], block=OUT_OF_FOLD, layer=1)
    return {
        "reliability": _wide(
            spread, "level", "curve", "coverage", [f"{kind}_{n}" for kind in KINDS for n in layers]
        ),
        "detail": _wide(spectrum, "wavelength_km", "method", "ratio", [candidate, *BASELINES]),
    }


def _rows(table: pd.DataFrame, **where: object) -> pd.DataFrame:
    for column, wanted in where.items():
        table = table[table[column] == wanted]
    return table


def _wide(
    rows: pd.DataFrame, index: str, columns: str, values: str, wanted: Sequence[str]
) -> pd.DataFrame:
    table = rows.pivot(index=index, columns=columns, values=values)
    return table.reindex(columns=list(wanted)).rename_axis(columns=None).reset_index()
