"""What stands on a page: its sections, in their order, and how they become one HTML file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse import files
from soilfuse.report import (
    comparison,
    figures,
    index_figures,
    inputs,
    labels,
    scenario_tables,
    tables,
)
from soilfuse.report.maps import Place
from soilfuse.report.pictures import Folder, Picture
from soilfuse.report.records import Moisture, Trends
from soilfuse.report.score_tables import checks_table, trials_table
from soilfuse.report.table import Table

if TYPE_CHECKING:
    from jinja2 import Environment

MAP_PAGE = "map.html"
MAP_LINK = (MAP_PAGE, "Every cell, season, period and layer on the map")
PLOTS_TOLD = "Plots of all trials: history, importance, parallel coordinates, slices"


@dataclass(frozen=True)
class Section:
    """A heading with its sentences, pictures and tables."""

    key: str
    title: str
    lead: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    folded: Sequence[Table] = ()
    links: Sequence[tuple[str, str]] = ()
    template: str = ""
    folded_pictures: Sequence[Picture] = ()


GLOSSARY = Section("glossary", "Words used here", template="glossary.html.j2")


@dataclass(frozen=True)
class Page:
    """All that a template shows."""

    title: str
    heading: str
    subtitle: str
    caveats: Sequence[str]
    summary: Sequence[str]
    sections: Sequence[Section]
    lineage: Mapping[str, str]
    links: Sequence[tuple[str, str]] = ()


def page_sections(
    folder: Folder, place: Place, trends: Trends, moisture: Moisture, layers: list[int]
) -> list[Section]:
    """Draw and order what an experiment's page shows."""
    title = labels.experiment_title(trends.experiment)
    period = trends.main_period
    parts = [part for part in trends.part_periods if part != period]
    whole = [part for part in trends.rate_periods if part not in parts]
    of_models = tables.rates_of_models(trends, trends.whole, period)
    by_part = [tables.rates_by_season(trends, trends.whole, parts)] if parts else []
    by_region = tables.rates_by_region_and_season(trends, period)
    sections = [
        Section(
            "moisture",
            "Where the soil is wet",
            pictures=[
                figures.moisture_picture(folder, place, moisture, layers, title),
                *figures.spread_pictures(folder, place, moisture, layers, title),
            ],
        ),
        Section(
            "trends",
            "Trend of every cell",
            pictures=figures.slope_pictures(folder, place, trends, layers),
            links=[MAP_LINK],
        ),
        Section(
            "series",
            "Regions and seasons",
            pictures=figures.series_pictures(folder, trends),
            folded_pictures=figures.region_season_pictures(folder, trends),
            tables=[
                tables.rates_by_region(trends, period),
                tables.rates_by_season(trends, trends.whole, whole),
            ],
            folded=[
                *([by_region] if by_region.rows else []),
                tables.rates_with_intervals(trends, trends.whole, period),
                *([of_models] if of_models else []),
            ],
        ),
        Section(
            "periods",
            "Parts of the century" if trends.future_period else "The reference period",
            pictures=figures.period_pictures(folder, trends),
            folded=[*by_part, tables.period_means(trends, trends.whole)],
        ),
    ]
    changes = figures.change_pictures(folder, place, trends, layers)
    if changes:
        title = f"Change against {labels.years_title(trends.reference_period)}"
        sections.append(Section("change", title, pictures=changes, links=[MAP_LINK]))
    return [*sections, GLOSSARY]


def scenario_section(folder: Folder, place: Place, all_trends: Sequence[Trends]) -> Section:
    """Draw the scenarios side by side."""
    changes = scenario_tables.scenario_changes(all_trends)
    return Section(
        "scenarios",
        "Scenarios side by side",
        pictures=index_figures.scenario_pictures(folder, place, all_trends),
        tables=[scenario_tables.scenario_rates(all_trends), *([changes] if changes else [])],
        folded_pictures=index_figures.season_pictures(folder, all_trends),
        folded=[
            scenario_tables.scenario_seasons(all_trends),
            scenario_tables.scenario_periods(all_trends),
        ],
        links=[MAP_LINK],
    )


def choice_sections(
    sweep_dir: Path, plots: Path | None, verdict: Mapping[str, Any], told: Sequence[str]
) -> list[Section]:
    """Tell how the ensemble was chosen: the sweep, where there was one, and the gate.

    plots: the page with the sweep's plots, beside the one that shows the section; told: the
    caveats that stand at the top of it.
    """
    sections = []
    trials = inputs.read_trials(sweep_dir)
    if trials is not None:
        lead = [
            "Scored on inner validation months of 2000–2014. The scores of held-out years cover "
            "these months too, so they are not independent of this choice; only the final test, "
            "2016–2021, was untouched by any choice."
        ]
        links = [(plots.name, PLOTS_TOLD)] if plots else []
        sections.append(Section("sweep", "Sweep", lead, tables=[trials_table(trials)], links=links))
    checks = verdict.get("checks", [])
    untold = [caveat for caveat in map(str, verdict.get("caveats", [])) if caveat not in told]
    sections.append(
        Section(
            "verdict",
            "Promotion",
            [comparison.verdict_sentence(verdict), *untold],
            tables=[checks_table(checks)] if checks else [],
        )
    )
    return sections


def environment() -> "Environment":
    """Return what renders the templates of this room, escaping all that it is given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("soilfuse.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write(target: Path, page: Page) -> None:
    """Write a page as one HTML file that asks for nothing outside itself."""
    files.write_text(Path(target), environment().get_template("page.html.j2").render(page=page))
