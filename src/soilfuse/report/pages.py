"""The pages: one self-contained HTML file an experiment, and the first page over all of them.

Pictures and styles are inside the file: no script, no request to anywhere. Equal inputs give equal
bytes, so pages carry hashes and never a time of day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse import files, names
from soilfuse.config import Report
from soilfuse.report import comparison, figures, inputs, labels, summary, tables
from soilfuse.report.pictures import Folder, Picture
from soilfuse.report.records import Evaluation, Moisture, Trends
from soilfuse.report.tables import Table
from soilfuse.report.trend_maps import place_of, significant_share

if TYPE_CHECKING:
    from soilfuse.report.maps import Place

ATTRIBUTION = "basin outlines: Li et al. 2024"


@dataclass(frozen=True)
class Section:
    """A heading with its sentences, pictures and tables."""

    key: str
    title: str
    lead: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    folded: Sequence[Table] = ()
    template: str = ""


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
    links: Sequence[tuple[str, str]] = field(default_factory=tuple)


def write_page(
    target: Path,
    figures_dir: Path,
    experiment: str,
    product_path: Path,
    trends_dir: Path,
    champion: Mapping[str, Any],
    settings: Report,
) -> None:
    """Write one experiment's page to `target` and its PNG to `figures_dir`.

    champion: the content of champion.json. Raises UserError where the product or a trend file is
    absent, or a layer of settings.map_layers is not in it.
    """
    trends = inputs.read_trends(experiment, trends_dir)
    layers = list(settings.map_layers)
    inputs.require_layers(trends.maps, layers)
    inputs.require_period(trends.maps, trends.main_period, experiment)
    moisture = inputs.read_moisture(
        product_path, trends.future_period or trends.reference_period
    )
    place = place_of(trends, moisture.basin)
    sha256 = files.sha256_of_file(product_path)
    source = f"soilfuse  |  {product_path.name}, sha256 {sha256[:16]}  |  {ATTRIBUTION}"
    folder = Folder(Path(figures_dir), source, sha256)
    first = trends.layers[0]
    shares = significant_share(trends, place, "annual", trends.main_period, first)
    world = str(champion.get("world", moisture.attributes.get("world", "")))
    first_year, last_year = names.EXPERIMENT_YEARS[experiment]
    page = Page(
        title=settings.title,
        heading=labels.experiment_title(experiment),
        subtitle=(
            f"Monthly soil moisture in {len(trends.layers)} layers, "
            f"{labels.years_title(f'{first_year}-{last_year}')}"
        ),
        caveats=[*comparison.world_caveat(world), *map(str, champion.get("caveats", []))],
        summary=summary.page_summary(trends, shares),
        sections=_page_sections(folder, place, trends, moisture, layers),
        lineage={
            "product": product_path.name,
            "product sha256": sha256,
            **_named_hashes("product", moisture.attributes),
            **_named_hashes("champion", champion),
        },
        links=[("index.html", "All scenarios and the evaluation")],
    )
    _write(target, page)


def _page_sections(
    folder: Folder, place: "Place", trends: Trends, moisture: Moisture, layers: list[int]
) -> list[Section]:
    title = labels.experiment_title(trends.experiment)
    period = trends.main_period
    sections = [
        Section(
            "moisture",
            "Where the soil is wet",
            pictures=[figures.moisture_picture(folder, place, moisture, layers, title)],
        ),
        Section(
            "trends",
            "Trend of every cell",
            pictures=figures.slope_pictures(folder, place, trends, layers),
        ),
        Section(
            "series",
            "Regions and seasons",
            pictures=figures.series_pictures(folder, trends),
            tables=[
                tables.rates_by_region(trends, period),
                tables.rates_by_season(trends, summary.REGION, [period]),
            ],
        ),
        Section(
            "periods",
            "Parts of the century" if trends.future_period else "The reference period",
            pictures=figures.period_pictures(folder, trends),
            folded=[
                tables.rates_by_season(trends, summary.REGION, trends.part_periods),
                tables.period_means(trends, summary.REGION),
            ],
        ),
    ]
    changes = figures.change_pictures(folder, place, trends, layers)
    if changes:
        sections.append(Section("change", "Change by the end of the century", pictures=changes))
    return [*sections, Section("glossary", "Words used here", template="glossary.html.j2")]


def write_index(
    target: Path,
    experiments: Sequence[str],
    evaluate_dir: Path,
    sweep_dir: Path,
    verdict_json: Path,
    champion: Mapping[str, Any],
    trends_dir: Path,
    settings: Report,
) -> None:
    """Write the first page to `target`, its PNG to figures/index beside it.

    Raises UserError where trends, scores.csv or the verdict are absent; future.csv, stations.csv,
    taylor.csv, intervals.csv and the sweep's trials may be.
    """
    from soilfuse.grids.grid import Grid
    from soilfuse.grids.regions import basin_mask

    verdict_json = Path(verdict_json)
    inputs.require_files([verdict_json], "promote")
    verdict = files.read_json(verdict_json)
    all_trends = [inputs.read_trends(experiment, trends_dir) for experiment in experiments]
    evaluation = inputs.read_evaluation(evaluate_dir)
    maps = all_trends[0].maps
    place = place_of(
        all_trends[0], basin_mask(Grid(lat=maps["lat"].values, lon=maps["lon"].values))
    )
    read = [path for trends in all_trends for path in trends.files] + list(evaluation.files)
    sha256 = files.sha256_of_files([*read, verdict_json])
    source = f"soilfuse  |  trends and evaluation, sha256 {sha256[:16]}  |  {ATTRIBUTION}"
    folder = Folder(Path(target).parent / "figures" / "index", source, sha256)
    page = Page(
        title=settings.title,
        heading="Overview",
        subtitle="Scenarios side by side, skill beside simple baselines, methods",
        caveats=[
            *comparison.world_caveat(str(champion.get("world", ""))),
            *map(str, champion.get("caveats", [])),
        ],
        summary=[
            *comparison.scenarios_summary(all_trends),
            *comparison.skill_sentences(evaluation),
            *comparison.future_sentence(evaluation),
            comparison.verdict_sentence(verdict),
        ],
        sections=[
            _scenario_section(folder, place, all_trends),
            _evaluation_section(folder, evaluation),
            *_choice_sections(Path(sweep_dir), verdict),
            Section("methods", "Methods", template="methods.html.j2"),
            Section("glossary", "Words used here", template="glossary.html.j2"),
        ],
        lineage={"inputs sha256": sha256, **_named_hashes("champion", champion)},
        links=[(f"{name}.html", labels.experiment_title(name)) for name in experiments],
    )
    _write(target, page)


def _scenario_section(folder: Folder, place: "Place", all_trends: Sequence[Trends]) -> Section:
    changes = tables.scenario_changes(all_trends)
    return Section(
        "scenarios",
        "Scenarios side by side",
        pictures=figures.scenario_pictures(folder, place, all_trends),
        tables=[tables.scenario_rates(all_trends), *([changes] if changes else [])],
    )


def _evaluation_section(folder: Folder, evaluation: Evaluation) -> Section:
    shown = []
    for block, title in comparison.BLOCK_TITLES.items():
        rows = comparison.headline(evaluation.scores, block)
        for metric, what in (("rmse", f"RMSE ({labels.UNIT})"), ("anomaly_r", "Anomaly R")):
            if (rows["metric"] == metric).any():
                shown.append(tables.scores_table(rows, metric, f"{what}, {title}"))
    return Section(
        "evaluation",
        "Skill beside the baselines",
        pictures=figures.evaluation_pictures(folder, evaluation),
        tables=shown,
    )


def _choice_sections(sweep_dir: Path, verdict: Mapping[str, Any]) -> list[Section]:
    sections = []
    trials = inputs.read_trials(sweep_dir)
    if trials is not None:
        lead = ["Scored on inner validation years only, which no reported score uses."]
        sections.append(Section("sweep", "Sweep", lead, tables=[tables.trials_table(trials)]))
    checks = verdict.get("checks", [])
    sections.append(
        Section(
            "verdict",
            "Promotion",
            [comparison.verdict_sentence(dict(verdict)), *map(str, verdict.get("caveats", []))],
            tables=[tables.checks_table(checks)] if checks else [],
        )
    )
    return sections


def _named_hashes(owner: str, attributes: Mapping[str, Any]) -> dict[str, str]:
    return {f"{owner} {key}": value for key, value in inputs.hashes_of(dict(attributes)).items()}


def _write(target: Path, page: Page) -> None:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("soilfuse.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    files.write_text(Path(target), environment.get_template("page.html.j2").render(page=page))
