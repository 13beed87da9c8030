"""What stands on the page of the evaluation: a section each, as far as its table was made."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from soilfuse.report import labels
from soilfuse.report.comparison import BLOCK_TITLES, HELD_OUT, headline, intervals_of
from soilfuse.report.density_figure import density_panels
from soilfuse.report.evaluation_figures import (
    future_bars,
    methods_of,
    quantity_title,
    score_bars,
)
from soilfuse.report.leakage_section import leakage_section
from soilfuse.report.pictures import Folder, Picture
from soilfuse.report.records import Evaluation, pick
from soilfuse.report.score_tables import by_layer, climate_models_table, scores_table
from soilfuse.report.sections import Section
from soilfuse.report.skill_sections import detail_section, parts_section, spread_section
from soilfuse.report.station_section import station_section
from soilfuse.report.table import Table
from soilfuse.report.taylor_figure import taylor_diagram, taylor_panels
from soilfuse.report.words import joined

if TYPE_CHECKING:
    import pandas as pd

SHOWN = (("rmse", f"RMSE ({labels.UNIT})"), ("anomaly_r", "Anomaly R"))


def score_pictures(folder: Folder, evaluation: Evaluation) -> list[Picture]:
    """Draw the error of every method by layer, and the intervals of the differences."""
    rows = headline(evaluation, HELD_OUT)
    methods = joined([labels.method_title(method) for method in methods_of(rows)])
    picture = folder.draw(
        "scores",
        lambda: score_bars(rows, intervals_of(evaluation, HELD_OUT), "rmse"),
        f"Error of every method, {BLOCK_TITLES[HELD_OUT]}",
        "Left: RMSE by layer. Right: paired differences with 95 % intervals from months "
        "resampled in blocks.",
        f"Bar chart of RMSE by layer of {methods}, and differences with intervals.",
    )
    return [picture]


def score_tables(evaluation: Evaluation) -> list[Table]:
    """Return the headline scores by method and layer, that of the held-out years first."""
    shown = []
    for block, title in BLOCK_TITLES.items():
        rows = headline(evaluation, block)
        for metric, what in SHOWN:
            if (rows["metric"] == metric).any():
                shown.append(scores_table(rows, metric, f"{what}, {title}"))
    return shown


def _scores(folder: Folder, evaluation: Evaluation) -> Section:
    tables = score_tables(evaluation)
    return Section(
        "scores",
        "Skill beside the baselines",
        pictures=score_pictures(folder, evaluation),
        tables=tables[:1],
        folded=tables[1:],
    )


def _density(folder: Folder, evaluation: Evaluation) -> Section | None:
    table = evaluation.table("density")
    if table is None:
        return None
    scores = headline(evaluation, HELD_OUT)
    method = methods_of(scores)[0]
    picture = folder.draw(
        "density",
        lambda: density_panels(table, scores, method),
        f"Predicted against target, {BLOCK_TITLES[HELD_OUT]}",
        "Each class holds its share, by area, of all cells and months of a layer; the dashed line "
        f"is equality. MAE and RMSE in {labels.UNIT}. R pools seasons, places and years, so most "
        "of it is where and when the soil is wet on average; a climatology has that too.",
        "Density of predicted against target soil moisture in every layer, with R², R, MAE, RMSE.",
    )
    return Section("density", "Predicted against target", pictures=[picture])


def _taylor(folder: Folder, evaluation: Evaluation) -> Section | None:
    table = evaluation.table("taylor")
    if table is None:
        return None
    first, *others = sorted(int(layer) for layer in table["layer"].unique())
    rows = pick(table, layer=first)
    pictures = [
        folder.draw(
            "taylor",
            lambda: taylor_diagram(rows),
            f"Taylor diagram, {labels.layer_title(first)}",
            "Nearer to the star is better. Angle: correlation; radius: standard deviation; dotted "
            "circles: centred root-mean-square difference.",
            f"Taylor diagram of {len(rows)} models and methods against the target.",
        )
    ]
    if others:
        picture = folder.draw(
            "taylor_layers",
            lambda: taylor_panels(table, others),
            "Taylor diagrams of the layers below",
            "As above. A climate model has one field, of the upper 10 cm, which is held against "
            "every layer: what it lacks in depth is part of its distance.",
            f"Taylor diagrams of models and methods against the target in {len(others)} layers.",
        )
        pictures.append(picture)
    return Section(
        "taylor", "Every climate model", pictures=pictures, folded=_models_alone(evaluation)
    )


def _models_alone(evaluation: Evaluation) -> list[Table]:
    """Return the scores of every climate model alone, a table a block and layer."""
    models = evaluation.table("climate_models")
    if models is None:
        return []
    return [
        climate_models_table(models, block, layer, f"{labels.layer_title(layer)}, {title}")
        for block, title in BLOCK_TITLES.items()
        for layer in sorted(pick(models, block=block)["layer"].unique())
    ]


def _future(folder: Folder, evaluation: Evaluation) -> Section | None:
    table = evaluation.table("future")
    if table is None:
        return None
    picture = folder.draw(
        "future",
        lambda: future_bars(table),
        "Error of the projected future, where its truth is known",
        "Bars: mean over scenarios; dots: single scenarios.",
        "Bar charts of the errors of projected changes and trends by layer and method.",
    )
    signs = _sign_table(table)
    tables = [] if signs is None else [signs]
    return Section("future", "Skill of the future", pictures=[picture], tables=tables)


def _sign_table(future: "pd.DataFrame") -> Table | None:
    """Show how often a method knows whether a place gets wetter or drier."""
    if "right_sign" not in future:
        return None
    changes = future[future["quantity"].astype(str).str.match(r"change_\d")]
    if changes.empty:
        return None
    what = quantity_title(str(changes["quantity"].iloc[0]))
    means = changes.groupby(["method", "layer"], sort=False)["right_sign"].mean().reset_index()
    return by_layer(
        means,
        "right_sign",
        f"Share of the area with the right sign of the {what[0].lower()}{what[1:]} (%)",
        0,
        100,
        "Mean over scenarios; of the area where both sides change. A climatology has no change and "
        "so no sign.",
    )


Maker = Callable[[Folder, Evaluation], Section | None]
MAKERS: tuple[Maker, ...] = (
    _scores,
    parts_section,
    _density,
    _taylor,
    station_section,
    leakage_section,
    _future,
    spread_section,
    detail_section,
)


def evaluation_sections(folder: Folder, evaluation: Evaluation) -> list[Section]:
    """Draw and order what the page of the evaluation shows."""
    made = [make(folder, evaluation) for make in MAKERS]
    return [section for section in made if section is not None]
