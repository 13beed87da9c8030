"""What shuffling months is worth: one table, the same methods under both protocols, in words."""

from typing import TYPE_CHECKING

from soilfuse.report import labels
from soilfuse.report.pictures import Folder
from soilfuse.report.records import Evaluation, pick, value_of
from soilfuse.report.sections import Section
from soilfuse.report.table import Table
from soilfuse.report.tables import layer_heads
from soilfuse.report.words import joined

if TYPE_CHECKING:
    import pandas as pd

PROTOCOLS = ("blocked", "shuffled")
TITLES = {
    "network": "This network, without pre-training",
    "paper_form": "The paper's form of network",
    "nearest_month": "Nearest training month",
}
WORDS = {
    "network": "the network of these parameters",
    "paper_form": "the paper's form of network",
}
SHOWN = (("rmse", f"RMSE ({labels.UNIT})", 4), ("r", "R", 3), ("anomaly_r", "Anomaly R", 2))
INTRODUCTION = (
    "The paper shuffles months into folds: nearly every held-out month then has a neighbour in "
    "training, and soil moisture remembers. Blocked folds hold out whole years, twelve months from "
    "any in training. The table trains the same methods under both, networks without "
    "pre-training and on their error alone; the paper's form of network takes the climate models "
    "as they are and says soil moisture itself."
)
OTHER_REASONS = (
    "Besides neighbours, shuffled folds have half as many months again to train on and stop on the "
    "very months that they report: the differences hold all three."
)
UNPAIRED = (
    "The two protocols hold out different months here, so that differences hold some chance and "
    "have no interval; with all five folds in params.yaml:leakage.folds both hold out every month."
)
NO_MEMORY = 0.1  # R of anomalies up to which a method has nothing of the single months


def leakage_section(folder: Folder, evaluation: Evaluation) -> Section | None:
    """Lay out the scores under both protocols, with sentences made of them."""
    table = evaluation.table("leakage")
    if table is None:
        return None
    shown = [protocol_table(pick(table, metric=metric), title, n) for metric, title, n in SHOWN]
    return Section(
        "leakage",
        "What shuffling months is worth",
        [INTRODUCTION, *sentences(table), OTHER_REASONS, *_paired(table)],
        tables=shown[:1],
        folded=shown[1:],
    )


def protocol_table(rows: "pd.DataFrame", title: str, digits: int) -> Table:
    """Return one metric: two rows a method, then their difference and its interval, if any."""
    layers = sorted(int(layer) for layer in rows["layer"].unique())
    lines = []
    for method in dict.fromkeys(rows["method"]):
        own = {layer: pick(rows, method=method, layer=layer) for layer in layers}
        for protocol in PROTOCOLS:
            cells = [labels.plain(value_of(own[layer], protocol), digits) for layer in layers]
            lines.append([f"{_title(method)}, {protocol}", *cells])
        if rows["low"].notna().any():
            changes = [labels.signed(value_of(own[n], "difference"), digits) for n in layers]
            lines.append([f"{_title(method)}, difference", *changes])
            lines.append(["its interval", *(_interval(own[layer], digits) for layer in layers)])
    months = int(rows["months"].max())
    return Table(
        f"{title} under both protocols, {months} held-out months",
        ["Method and protocol", *layer_heads(layers)],
        lines,
        "Differences are shuffled minus blocked, with 95 % intervals from months resampled in "
        "blocks."
        if rows["low"].notna().any()
        else "",
    )


def sentences(table: "pd.DataFrame") -> list[str]:
    """Say what the protocols change for each method, as means over the layers."""
    return [*_neighbours(table), *_errors(table), *_weather(table)]


def _mean(table: "pd.DataFrame", method: str, metric: str, protocol: str) -> float:
    return float(pick(table, method=method, metric=metric)[protocol].mean())


def _change(table: "pd.DataFrame", method: str) -> float:
    """Return by how many percent the mean RMSE differs under shuffled months."""
    blocked, shuffled = (_mean(table, method, "rmse", protocol) for protocol in PROTOCOLS)
    return 100 * (shuffled / blocked - 1)


def _neighbours(table: "pd.DataFrame") -> list[str]:
    if not {"nearest_month", "climatology"} <= set(table["method"]):
        return []
    own, others = (
        [_mean(table, method, "rmse", protocol) for protocol in PROTOCOLS]
        for method in ("nearest_month", "climatology")
    )
    changes = [
        labels.signed(100 * (one / other - 1), 0) for one, other in zip(own, others, strict=True)
    ]
    r = [labels.plain(_mean(table, "nearest_month", "anomaly_r", p), 2) for p in PROTOCOLS]
    return [
        "How much neighbours know is shown by a method that knows nothing else: the climatology "
        "plus what is left of the nearest training month's departure from it. Its RMSE, "
        f"mean of layers, differs from the climatology's by {changes[1]} % where months are "
        f"shuffled (R of anomalies {r[1]}) and by {changes[0]} % where they are blocked ({r[0]}). "
        "What neighbours give is of no use in years that have none, as those of the future."
    ]


def _errors(table: "pd.DataFrame") -> list[str]:
    parts = [
        f"{labels.signed(_change(table, method), 1)} % for {_words(method)}"
        for method in dict.fromkeys(table["method"])
        if method != "nearest_month"
    ]
    return [
        f"From blocked to shuffled months the RMSE, mean of layers, changes by {joined(parts)}."
    ]


def _weather(table: "pd.DataFrame") -> list[str]:
    """Say whether the networks have anything of the single months where months are shuffled."""
    found: dict[bool, list[str]] = {}
    for method in (name for name in WORDS if name in set(table["method"])):
        r = _mean(table, method, "anomaly_r", "shuffled")
        found.setdefault(r > NO_MEMORY, []).append(f"{_words(method)} ({labels.plain(r, 2)})")
    said = {
        True: "know the departures of months whose neighbours are in training",
        False: "know next to nothing of their neighbours' departures at this size and length of "
        "training",
    }
    return [
        f"By the R of anomalies under shuffled months, the maps of {joined(own)} {said[knows]}."
        for knows, own in found.items()
    ]


def _paired(table: "pd.DataFrame") -> list[str]:
    return [] if table["low"].notna().any() else [UNPAIRED]


def _title(method: str) -> str:
    return TITLES.get(method, labels.method_title(method))


def _words(method: str) -> str:
    return WORDS.get(method, labels.method_words(method))


def _interval(rows: "pd.DataFrame", digits: int) -> str:
    low, high = (labels.signed(value_of(rows, column), digits) for column in ("low", "high"))
    return f"{low}, {high}"
