"""Every method's fields beside the target's, block by block: out of fold and the final test."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soilfuse.evaluation.fields import region_weights

if TYPE_CHECKING:
    from soilfuse.evaluation.tables import Judged

OUT_OF_FOLD, FINAL = "out_of_fold", "final_test"


@dataclass(frozen=True)
class Block:
    """One method in one block: prediction and truth (T, D, H, W), months (T,), sums (T, D, G, S).

    place: where the method stands among judged.methods.
    """

    place: int
    method: str
    name: str
    prediction: np.ndarray
    truth: np.ndarray
    months: np.ndarray
    sums: np.ndarray


def weights_of(judged: "Judged") -> dict[str, np.ndarray]:
    """Return the area weights (H, W) of every region, all together first."""
    return region_weights(judged.material.grid.area, judged.material.regions)


def blocks_of(judged: "Judged", name: str) -> Iterator[Block]:
    """Give every method's block of that name; nothing where there is no final test."""
    target = judged.material.target
    months = judged.material.outer_months if name == OUT_OF_FOLD else judged.final_months
    if months is None:
        return
    truth = target.at(months, "the target")
    for place, (method, scored) in enumerate(zip(judged.methods, judged.scored, strict=True)):
        series, sums = (
            (method.outer, scored.outer) if name == OUT_OF_FOLD else (method.final, scored.final)
        )
        if series is None or sums is None:
            continue
        predicted = series.at(months, f"the {name} prediction of {method.name}")
        yield Block(place, method.name, name, predicted, truth, months, sums)
