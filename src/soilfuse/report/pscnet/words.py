"""What the study's page says first: what came out, and what to know before it is used."""

from typing import TYPE_CHECKING

from soilfuse.config import PscnetStudy
from soilfuse.evaluation.pscnet.outputs import Evaluation
from soilfuse.evaluation.pscnet.scored import TRUTH, later
from soilfuse.report import labels
from soilfuse.report.pscnet import looks
from soilfuse.report.pscnet.tables import PAPER_R, PAPER_UBRMSE, top_three
from soilfuse.sources.netcdf import REAL

if TYPE_CHECKING:
    import pandas as pd

NO_EVIDENCE = (
    "These numbers come from a pseudo-reality ({world}) that soilfuse made itself: the files carry "
    "the names of SMAP, ERA5-Land and real station networks and hold none of their data. They show "
    "that the calculation runs, and are no evidence about any real product or about the plateau."
)
PAPER_R_MEAN = 0.881
PLACES = ("first", "second", "third", "fourth", "fifth", "last")
MEASURES = {  # of a target and a column: how it is said, and whether less of it is better
    (looks.SMAP, "r"): ("R against SMAP", False),
    (looks.SMAP, "ubrmse"): ("ubRMSE against SMAP", True),
    (TRUTH, "r"): ("R against the truth", False),
    (TRUTH, "ubrmse"): ("ubRMSE against the truth", True),
    (TRUTH, "detail_r"): ("R of the detail inside coarse cells", False),
    (TRUTH, "detail_change_r"): ("R of how that detail changes", False),
}


def caveats(world: str, params: PscnetStudy, found: Evaluation) -> list[str]:
    """Return what a reader must know before the numbers are used."""
    told = [] if world == REAL else [NO_EVIDENCE.format(world=world)]
    told += _beaten(found, params)
    told.append(
        "PSCNet is a reconstruction: of the paper only abstract and captions of figures are known, "
        "and no code. How it ranks here says nothing about the authors' network."
    )
    told.append(
        "Each network learned once, from one seed: with other seeds of the demo the order of the "
        "networks changed (README.md), so a lead of 0.02 in R or less says nothing."
    )
    sample = params.sample
    if params.profile == "demo":
        told.append(
            f"The sample is a window ({sample.south:g}–{sample.north:g}°N {sample.west:g}–"
            f"{sample.east:g}°E, {len(sample.months)} months a year), the networks are small and "
            f"learn {params.train.epochs} epochs at most; the paper has the whole plateau "
            "(params.full.yaml)."
        )
    return told


def _beaten(found: Evaluation, params: PscnetStudy) -> list[str]:
    """Return a sentence a target where a yardstick is better than the best learned method."""
    told = []
    for target, words in ((looks.SMAP, "SMAP"), (TRUTH, "the truth")):
        rows = _rows(found.tables["scores"], target, later(params))
        if rows.empty:
            continue
        learned = rows.loc[[name for name in params.methods if name in rows.index], "r"]
        best = learned.max()
        better = [name for name in looks.YARDSTICKS if rows.loc[name, "r"] > best]
        if better:
            listed = " and ".join(
                f"{looks.title(name)} (R {labels.plain(rows.loc[name, 'r'])})" for name in better
            )
            verb = "beats" if len(better) == 1 else "beat"
            told.append(
                f"Against {words}, {listed} {verb} every learned method; the best of them is "
                f"{looks.title(str(learned.idxmax()))} (R {labels.plain(best)})."
            )
    return told


def summary(found: Evaluation, params: PscnetStudy) -> list[str]:
    """Return what came out in plain words: who is best at what, and where PSCNet stands."""
    period, scores = later(params), found.tables["scores"]
    told = []
    for (target, column), (words, less) in MEASURES.items():
        rows = _rows(scores, target, period)
        if not rows.empty:
            told.append(_ranking(rows, params, column, f"{words}, {period}", less))
    if "truth" in set(scores["method"]):
        reached = _rows(scores, looks.SMAP, period, with_truth=True).loc[TRUTH, "r"]
        told.append(
            f"SMAP is noisy: the truth itself has R {labels.plain(reached)} with it, which no "
            f"method can beat but by luck. The paper's mean R of PSCNet is {PAPER_R_MEAN} on real "
            "data."
        )
    told += _stations(found, params) + _generalised(found, params)
    return told


def _ranking(rows: "pd.DataFrame", params: PscnetStudy, column: str, words: str, less: bool) -> str:
    """Say who is best, where PSCNet stands, and what needs no learning and is better than all."""
    learned = rows.loc[params.methods, column].dropna().sort_values(ascending=less)
    if learned.empty:
        return f"{words}: no learned method has one."
    best, simple = learned.iloc[0], rows.loc[list(looks.YARDSTICKS), column].dropna()
    told = f"{words}: of the learned methods {_named(learned.head(1), column)} is best"
    if looks.PSCNET in learned.index[1:]:
        place = list(learned.index).index(looks.PSCNET)
        shown = labels.plain(learned[looks.PSCNET], _digits(column))
        told += f", PSCNet {PLACES[place]} of {len(learned)} ({shown})"
    better = simple[simple < best] if less else simple[simple > best]
    if len(better):
        verb = "does" if len(better) == 1 else "do"
        return f"{told}. Without learning, {_named(better, column)} {verb} better than all of them."
    if len(simple):
        simple = simple.sort_values(ascending=less)
        told += f". The best without learning is {_named(simple.head(1), column)}"
    return f"{told}."


def _named(values: "pd.Series", column: str) -> str:
    return " and ".join(
        f"{looks.title(str(name))} ({labels.plain(value, _digits(column))})"
        for name, value in values.items()
    )


def _digits(column: str) -> int:
    return 4 if "rmse" in column else 3


def _stations(found: Evaluation, params: PscnetStudy) -> list[str]:
    counts, places = top_three(found.tables["stations"], later(params))
    if not places or looks.PSCNET not in params.methods:
        return []
    return [
        f"PSCNet is among the best three learned methods in R at {counts.get(looks.PSCNET, 0)} of "
        f"{places} stations; the paper's is at all of its stations."
    ]


def _generalised(found: Evaluation, params: PscnetStudy) -> list[str]:
    table = found.tables["generalisation"]
    rows = table[(table["target"] == looks.SMAP) & table["method"].isin(params.methods)]
    r, ubrmse = (rows[f"{name}_change_percent"] for name in ("r", "ubrmse"))
    within = int(((r.abs() <= PAPER_R) & (ubrmse.abs() <= PAPER_UBRMSE)).sum())
    spans = [
        f"{labels.signed(one.min(), 1)} to {labels.signed(one.max(), 1)} %" for one in (r, ubrmse)
    ]
    return [
        f"From held-out days to {later(params)}, R against SMAP changes by {spans[0]}, ubRMSE by "
        f"{spans[1]}: {within} of {len(rows)} methods stay within the paper's {PAPER_R:g} and "
        f"{PAPER_UBRMSE:g} %."
    ]


def _rows(
    scores: "pd.DataFrame", target: str, period: str, with_truth: bool = False
) -> "pd.DataFrame":
    chosen = scores[(scores["target"] == target) & (scores["period"] == period)]
    if not with_truth:
        chosen = chosen[chosen["method"] != TRUTH]
    return chosen.set_index("method")
