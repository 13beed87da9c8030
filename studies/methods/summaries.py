"""What the records come to: the reported worlds in one table, and the paper beside them."""

from collections.abc import Mapping, Sequence

import numpy as np

from soilfuse.names import BASELINE_TITLES, ENSEMBLE
from studies.methods.gather import REFERENCES, Record, candidate
from studies.methods.tables import MILLI, SLOPES, layer_heads, mean, named, table

COMPARED = (*REFERENCES, "climatology", "delta_change", "quantile_delta_mapping", "ridge")
PROTOCOLS = ("unet_gan", "unet_gan_shuffled")
# Li et al. 2024: RMSE as read from their figures (m3 m-3), R from their text; layers 1 to 5.
PUBLISHED = {
    "rmse": (0.034, 0.030, 0.035, 0.029, 0.032),
    "r": (0.905, 0.895, 0.833, 0.882, 0.736),
}


def in_short(records: Sequence[Record]) -> str:
    """Return means over the reported worlds, and how often an attempt was better or worse."""
    done = [record for record in records if "failed" not in record]
    if not done:
        return "No world is reported yet.\n"
    rows = []
    for name in dict.fromkeys(record["attempt"] for record in done):
        own = [record for record in done if record["attempt"] == name]
        counted = [_verdicts(own, other) for other in COMPARED]
        rows.append([f"`{name}`", *_means(own, ENSEMBLE), *counted])
    first = done[0]["attempt"]
    beside = [record for record in done if record["attempt"] == first]
    rows += [
        [BASELINE_TITLES[method], *_means(beside, method), *[""] * len(COMPARED)]
        for method in sorted(beside[0]["future"])
        if method in BASELINE_TITLES
    ]
    against = [f"against {named(other)}" for other in COMPARED]
    return table(["method", "worlds", "RMSE", "change", "slope", *against], rows)


def _means(records: Sequence[Record], method: str) -> list[str]:
    """Return the number of worlds, and means over them of RMSE and errors of the future."""
    rmse = [np.mean(record["scores"]["out_of_fold"]["rmse"][method]) for record in records]
    future = [record["future"][method] for record in records]
    return [
        str(len(records)),
        f"{MILLI * np.mean(rmse):.2f}",
        f"{MILLI * np.mean([mean(each['change']) for each in future]):.2f}",
        f"{SLOPES * np.mean([mean(each['slope']) for each in future]):.2f}",
    ]


def _verdicts(records: Sequence[Record], other: str) -> str:
    """Return in how many layers of all worlds the RMSE is lower, higher, or undecided."""
    triples = [layer for record in records for layer in record["intervals"].get(other, ())]
    lower = sum(high < 0 for _, _, high in triples)
    higher = sum(low > 0 for _, low, _ in triples)
    return f"{lower} / {higher} / {len(triples) - lower - higher}" if triples else "-"


def beside_the_paper(records: Sequence[Record]) -> str:
    """Return the paper's scores above those of its method under both protocols."""
    rows = [["Li et al. 2024, shuffled, real data, width 64", "", *_scores_of(PUBLISHED)]]
    for record in records:
        if record["attempt"] in PROTOCOLS and "failed" not in record:
            scores = record["scores"]["out_of_fold"]
            own = {metric: candidate(scores[metric]) for metric in PUBLISHED}
            rows.append([f"`{record['attempt']}`", str(record["seed"]), *_scores_of(own)])
    if len(rows) == 1:
        return ""
    heads = ["method", "world", *layer_heads("RMSE"), *layer_heads("R")]
    return "## Beside the paper\n\n" + table(heads, rows)


def _scores_of(scores: Mapping[str, Sequence[float]]) -> list[str]:
    return [f"{MILLI * value:.1f}" for value in scores["rmse"]] + [
        f"{value:.3f}" for value in scores["r"]
    ]
