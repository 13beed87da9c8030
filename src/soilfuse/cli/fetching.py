"""`soilfuse fetch`: the raw files that params.yaml asks for, from archives with an open API."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from soilfuse import config, names
from soilfuse.archives import cds, cloud, esgf
from soilfuse.archives.storing import readable
from soilfuse.archives.wanted import MARGIN, Offer, Region, Wanted
from soilfuse.cli.expected import read_on_grid
from soilfuse.cli.fetch_words import (
    CLOUD,
    CMIP6,
    ERA5_LAND,
    Asked,
    Span,
    check_words,
    span_of,
    target_of,
)
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources import cmip6, era5_land

MEGABYTE = 1e6

Refusal = Callable[[], str | None]  # why a reader would not take a thing; None where it would


class Fetching:
    """One run of the command: counts files and gathers problems, so that the rest goes on."""

    def __init__(self, params: config.Params, asked: Asked, say: Callable[[str], None]) -> None:
        """Check the words of the command line; raise UserError for what is wrong."""
        check_words(params, asked)
        self.params, self.asked, self.say = params, asked, say
        self.root, self.years = target_of(params, asked), span_of(asked.years)
        self.grid = Grid.of(params.domain)
        self.files = self.wanted = 0
        self.problems: list[str] = []

    def run(self) -> None:
        """Fetch what no reader takes yet; raise UserError with every problem at the end."""
        with _installed():
            if self.asked.source in ("", CMIP6):
                self._climate_models()
            if self.asked.source in ("", ERA5_LAND):
                self._era5_land()
        verb = "to fetch" if self.asked.dry_run else "fetched"
        if not self.wanted:
            self.problems.append(
                f"nothing of {self.asked.years} is wanted; there are "
                f"{', '.join(self._years_there())}: edit --years"
            )
        problems = list(dict.fromkeys(self.problems))
        self.say(f"{self.files} {verb}, {len(problems)} problem{'s' * (len(problems) != 1)}")
        if problems:
            raise UserError(*problems)

    def _years_there(self) -> list[str]:
        """Return the years that `--years` can choose of what the command asks for."""
        spans: dict[str, Span] = {}
        if self.asked.source in ("", CMIP6):
            chosen = self.asked.experiments or self.params.experiments
            spans |= {name: names.EXPERIMENT_YEARS[name] for name in chosen}
        if self.asked.source in ("", ERA5_LAND):
            section = self.params.era5_land
            spans["params.yaml:era5_land"] = section.first_year, section.last_year
        return [f"{first}-{last} of {name}" for name, (first, last) in spans.items()]

    def _climate_models(self) -> None:
        section = self.params.cmip6
        wanted = [
            Wanted(
                *cmip6.variable_and_table(section),
                source_id,
                section.models[source_id],
                experiment,
                span,
            )
            for source_id in self.asked.models or section.models
            for experiment in self.asked.experiments or self.params.experiments
            if (span := _within(self.years, names.EXPERIMENT_YEARS[experiment]))
        ]
        refusals = {
            str(item): partial(_refused_model, item, self.root, section, self.grid)
            for item in wanted
        }
        absent = [item for item in wanted if refusals[str(item)]()]
        self.wanted += len(wanted)
        self._say_there("CMIP6", len(wanted) - len(absent), len(wanted), "experiments")
        region = Region(self.grid, MARGIN + section.fill_cells)
        folder = self.root / cmip6.FOLDER
        if not absent:
            return
        with self._noting():
            if self.asked.archive == CLOUD:
                offers, lacking = cloud.offers(
                    absent, region, folder, self.asked.store or cloud.BUCKET
                )
            else:
                offers, lacking = esgf.offers(absent, region, folder)
            self.problems += lacking
            self._take(offers, refusals)

    def _era5_land(self) -> None:
        section = self.params.era5_land
        span = _within(self.years, (section.first_year, section.last_year))
        stretches = cds.stretches(*span) if span else []
        refusals = {
            cds.name_of(years): partial(_refused_years, years, self.root, self.grid)
            for years in stretches
        }
        absent = [years for years in stretches if refusals[cds.name_of(years)]()]
        self.wanted += len(stretches)
        there = len(stretches) - len(absent)
        self._say_there("ERA5-Land", there, len(stretches), "stretches of years")
        folder = self.root / era5_land.FOLDER
        with self._noting():
            if absent and not self.asked.dry_run:
                cds.require_store()
            self._take([cds.offer(years, self.grid, folder) for years in absent], refusals)

    def _say_there(self, source: str, there: int, wanted: int, things: str) -> None:
        if wanted:
            self.say(f"{source}: {there} of {wanted} {things} are there")

    def _take(self, offers: Sequence[Offer], refusals: Mapping[str, Refusal]) -> None:
        """Save every offer that is still refused, damaged files first: they hide whole ones."""
        for offer in sorted(offers, key=lambda offer: not _damaged(offer.target)):
            with self._noting():
                if refusals[offer.what]() is None:
                    continue
                size = offer.size() if self.asked.dry_run else None
                about = [f"{size / MEGABYTE:.1f} MB there"] if size else []
                about += [offer.note] if offer.note else []
                in_brackets = f" ({'; '.join(about)})" if about else ""
                self.say(f"{offer.target} from {offer.origin}{in_brackets}")
                if not self.asked.dry_run:
                    offer.save()
                    if refused := refusals[offer.what]():
                        raise UserError(f"fetched {offer.what}, but its reader refuses: {refused}")
                self.files += 1

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            self.problems += error.problems


def _within(years: Span | None, allowed: Span) -> Span | None:
    """Return the years that both ranges have; None where there are none."""
    first, last = years or allowed
    first, last = max(first, allowed[0]), min(last, allowed[1])
    return (first, last) if first <= last else None


def _refused_model(item: Wanted, root: Path, section: config.Cmip6, grid: Grid) -> str | None:
    named = root, item.source_id, item.variant_label, item.experiment
    try:
        read_on_grid(*named, item.years, section, grid)
    except UserError as error:
        return error.problems[0]
    return None


def _refused_years(years: Span, root: Path, grid: Grid) -> str | None:
    try:
        era5_land.read(root, grid, *years)
    except UserError as error:
        return error.problems[0]
    return None


def _damaged(target: Path) -> bool:
    return target.exists() and not readable(target)


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise UserError(
            f"soilfuse fetch needs {error.name}, which is not installed: "
            "pip install -c constraints.txt -e '.[archives]'"
        ) from None
