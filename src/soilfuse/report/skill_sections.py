"""Sections of the evaluation's page on what scores are made of: parts of R, spread, detail."""

from typing import TYPE_CHECKING

from soilfuse.report import labels
from soilfuse.report.comparison import BLOCK_TITLES, HELD_OUT
from soilfuse.report.evaluation_figures import methods_of
from soilfuse.report.pictures import Folder
from soilfuse.report.records import Evaluation, pick, value_of
from soilfuse.report.score_tables import by_layer
from soilfuse.report.sections import Section
from soilfuse.report.skill_figures import (
    INTERVAL_TITLES,
    PART_TITLES,
    part_dots,
    reliability,
    spectrum_lines,
)
from soilfuse.report.table import Table
from soilfuse.report.tables import layer_heads

if TYPE_CHECKING:
    import pandas as pd

FINAL = "final_test"
LEVELS = (0.5, 0.9)  # of the tables; the figure has them all


def _layers(table: "pd.DataFrame") -> list[int]:
    return sorted(int(layer) for layer in table["layer"].unique() if layer > 0)


def _parts_table(rows: "pd.DataFrame", layer: int) -> Table:
    return Table(
        caption=f"Parts of R at {labels.layer_title(layer)}, {BLOCK_TITLES[HELD_OUT]}",
        head=["Method", *(title.capitalize() for title in PART_TITLES.values())],
        rows=[
            [
                labels.method_title(method),
                *(
                    labels.plain(value_of(rows, "value", method=method, layer=layer, part=part), 2)
                    for part in PART_TITLES
                ),
            ]
            for method in methods_of(rows)
        ],
    )


def parts_section(folder: Folder, evaluation: Evaluation) -> Section | None:
    """Show what the correlation is made of."""
    table = evaluation.table("r_parts")
    if table is None:
        return None
    rows = pick(table, block=HELD_OUT, region=evaluation.whole)
    tables = [_parts_table(rows, layer) for layer in _layers(rows)]
    picture = folder.draw(
        "parts_of_r",
        lambda: part_dots(rows),
        f"Parts of the correlation, {BLOCK_TITLES[HELD_OUT]}",
        "In space: over the cells of one month, mean over months. In time, of seasons, between "
        "years: each cell's months, mean year, annual means; mean over cells.",
        "Dots of the correlation's parts by method, uppermost and deepest layer.",
    )
    lead = [
        "The pooled R is high for whatever knows where it is wet and when it rains: a climatology "
        "does. Skill beyond it shows between years and in anomalies. There a climatology of other "
        "years is below 0 out of fold, because leaving a wet year out makes its mean drier."
    ]
    title = "What the correlation is made of"
    return Section("parts", title, lead, [picture], tables=tables[:1], folded=tables[1:])


def _coverage_table(rows: "pd.DataFrame") -> Table:
    kinds = [kind for kind in INTERVAL_TITLES if kind in set(rows["interval"])]
    layers = _layers(rows)

    def line(title: str, column: str, scale: float, digits: int, **where: object) -> list[str]:
        values = [value_of(rows, column, layer=layer, **where) * scale for layer in layers]
        return [title, *(labels.plain(value, digits) for value in values)]

    lines = []
    for kind in kinds:
        for level in LEVELS:
            what = f"{100 * level:.0f} % interval {INTERVAL_TITLES[kind]}"
            where = {"interval": kind, "level": level}
            lines.append(line(f"{what}: holds (%)", "coverage", 100, 0, **where))
            lines.append(line(f"{what}: width ({labels.UNIT})", "width", 1, 3, **where))
            if level == LEVELS[-1]:
                lines.append(line(f"{what}: score ({labels.UNIT})", "score", 1, 3, **where))
    if len(kinds) > 1:
        where = {"interval": "residuals", "level": LEVELS[-1]}
        lines.append(line("Ratio of the 90 % widths", "factor", 1, 1, **where))
    caption = f"Coverage of the ensemble's intervals, {BLOCK_TITLES[FINAL]}"
    note = "The interval score punishes width and what lies outside; lower is better."
    return Table(caption, ["Interval", *layer_heads(layers)], lines, note)


def _crps_table(rows: "pd.DataFrame", when: str) -> Table:
    title = f"CRPS ({labels.UNIT}; without a spread the mean absolute error), {when}"
    return by_layer(rows, "crps", title, 4)


def _future_blocks(table: "pd.DataFrame") -> dict[str, str]:
    """Return the blocks of scenarios' periods with their titles, in the order of the table."""
    found = {}
    for block in dict.fromkeys(table["block"]):
        if block not in BLOCK_TITLES:
            scenario, first, last = str(block).rsplit("_", 2)
            found[str(block)] = f"{labels.experiment_title(scenario)}, {first}–{last}"
    return found


def _last_blocks(table: "pd.DataFrame") -> dict[str, str]:
    """Return those of the last period alone: crps.csv has the others."""
    found = _future_blocks(table)
    last = max((block.rsplit("_", 2)[1:] for block in found), default=[])
    return {block: title for block, title in found.items() if block.rsplit("_", 2)[1:] == last}


def _future_coverage(rows: "pd.DataFrame") -> Table | None:
    """Show how much of the true future the ensemble's 90 % intervals hold."""
    blocks, layers = _future_blocks(rows), _layers(rows)
    kinds = [kind for kind in INTERVAL_TITLES if kind in set(rows["interval"])]
    lines = []
    for kind in kinds:
        own = pick(rows, interval=kind, level=LEVELS[-1])
        for block, title in blocks.items():
            if pick(own, block=block).empty:
                continue
            values = [100 * value_of(own, "coverage", block=block, layer=n) for n in layers]
            shown = [labels.plain(value, 0) for value in values]
            lines.append([f"{title}, {INTERVAL_TITLES[kind]}", *shown])
    if not blocks:
        return None
    return Table(
        "Share of the pseudo-reality's truth that 90 % intervals of the ensemble hold (%)",
        ["Scenario, years, interval", *layer_heads(layers)],
        lines,
        "The truth has none of the target's own errors, which widen the intervals from "
        "out-of-fold errors.",
    )


def spread_section(folder: Folder, evaluation: Evaluation) -> Section | None:
    """Show how far the ensemble's spread may be trusted."""
    table = evaluation.table("spread")
    if table is None:
        return None
    whole = pick(table, block=FINAL, region=evaluation.whole)
    rows = pick(whole, method=methods_of(whole)[0])
    picture = folder.draw(
        "reliability",
        lambda: reliability(rows),
        f"Do intervals hold what they promise? {BLOCK_TITLES[FINAL].capitalize()}",
        "On the dashed line an interval holds as many observed values as it should; below it is "
        "too narrow.",
        "Share of observed values inside intervals against their nominal share, by layer.",
    )
    lead = [
        "The spread over the networks tells where they disagree. It knows neither the weather nor "
        "the errors that all share, and exists only beyond the training years. Intervals from "
        "out-of-fold errors take each cell's own errors of 2000–2014."
    ]
    future = _future_coverage(pick(table, region=evaluation.whole, method=methods_of(whole)[0]))
    folded = [] if future is None else [future]
    crps = evaluation.table("crps")
    if crps is not None:
        titles = {FINAL: BLOCK_TITLES[FINAL], **_last_blocks(crps)}
        of_whole = pick(crps, region=evaluation.whole)
        folded += [_crps_table(pick(of_whole, block=b), title) for b, title in titles.items()]
    return Section("spread", "Spread", lead, [picture], [_coverage_table(rows)], folded)


def detail_section(folder: Folder, evaluation: Evaluation) -> Section | None:
    """Show how much detail of each size the methods have."""
    table = evaluation.table("spectrum")
    if table is None:
        return None
    rows = pick(table, block=HELD_OUT)
    picture = folder.draw(
        "spectrum",
        lambda: spectrum_lines(rows),
        f"Power by wavelength, {BLOCK_TITLES[HELD_OUT]}",
        "1 is as much detail as the target has; less is smoother. The outline of the regions is "
        "the same for all, so ratios compare and absolute power does not.",
        "Ratio of spatial power to that of the target by wavelength and method, two layers.",
    )
    lead = [
        "Power says how much detail there is, not whether it is in the right place. A mean of "
        "many months has less of it than a single month, however good it is."
    ]
    return Section("detail", "Detail", lead, [picture])
