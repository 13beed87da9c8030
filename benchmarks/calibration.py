"""The calibration of the pseudo-reality as a page: the published numbers and those of five worlds.

Writes docs/calibration.md and docs/images/calibration.png; nothing is timed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import calibration_record as numbered
from benchmarks.calibration_figure import Compared, write_figure
from benchmarks.calibration_record import INFERRED, Numbers, Published
from soilfuse.files import write_text
from soilfuse.names import STATIONS_CAVEAT
from soilfuse.progress import progress
from soilfuse.world.build import WORLD_VERSION

SEEDS = (1, 2, 3, 4, 5)
HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
WORDS = HERE / "calibration_page.md"


@dataclass(frozen=True)
class Section:
    """How a table is shown: unit, digits; how far off is near enough, of the number or at all."""

    unit: str
    digits: int
    limit: float
    relative: bool = True

    def offset(self, value: float, published: float) -> float:
        """Return how far a value is from the published one, in the limit's unit."""
        return (value - published) / (abs(published) if self.relative else 1)

    def told(self, offset: float) -> str:
        """Return an offset as it is shown: signed, relative ones in per cent."""
        return f"{100 * offset:+z.0f} %" if self.relative else f"{offset:+z.{self.digits}f}"

    @property
    def limit_told(self) -> str:
        """The limit as it is shown."""
        return f"{100 * self.limit:.0f} %" if self.relative else f"{self.limit:g}"


SECTIONS = {
    numbered.SLOPES: Section("10^-4 m3 m-3 yr-1, Sen", 2, 0.2),
    numbered.SUMMERS: Section("10^-4 m3 m-3 yr-1, Sen", 3, 0.2),
    numbered.CHANGES: Section("%", 2, 0.2),
    numbered.RATES: Section("10^-4 m3 m-3 yr-1, Sen", 2, 0.2),
    numbered.MODELS_SD: Section("m3 m-3, space and time pooled", 4, 0.2),
    numbered.MODELS_R: Section("space and time pooled", 3, 0.08, relative=False),
    numbered.SPREAD: Section("m3 m-3", 4, 0.2),
    numbered.STATIONS: Section("", 3, 0.1, relative=False),
    numbered.MEANS: Section("m3 m-3", 3, 0.2),
}
SUMMARY = """
| | published numbers | limit | within it: seed 1 | all five worlds | farthest, seed 1 |
|---|---|---|---|---|---|
"""
TABLE = """
## {heading}{unit}

| | published | seed 1 | mean | lowest to highest | seed 1 is off by | within {limit} | origin |
|---|---|---|---|---|---|---|---|
"""


def page(numbers: list[Published], worlds: list[Numbers]) -> str:
    """Return the page's text."""
    summary, tables = SUMMARY.lstrip(), ""
    for heading, section in SECTIONS.items():
        rows = [number for number in numbers if number.key[0] == heading]
        summary += _summary(heading, section, rows, worlds)
        unit = f" ({section.unit})" if section.unit else ""
        tables += TABLE.format(heading=heading, unit=unit, limit=section.limit_told)
        for number in rows:
            tables += _row(section, number, [world[number.key] for world in worlds])
        if heading == numbered.STATIONS:
            tables += f"\n{STATIONS_CAVEAT}\n"
    seeds = ", ".join(map(str, SEEDS))
    words = WORDS.read_text(encoding="utf-8")
    return words.format(version=WORLD_VERSION, seeds=seeds, summary=summary, tables=tables)


def _summary(
    heading: str, section: Section, numbers: list[Published], worlds: list[Numbers]
) -> str:
    judged = [number for number in numbers if number.origin != INFERRED]
    if not judged:
        return ""
    off = np.array([[section.offset(w[n.key], n.value) for w in worlds] for n in judged])
    inside = np.abs(off) <= section.limit
    worst = int(np.abs(off[:, 0]).argmax())
    farthest = f"{judged[worst].key[1]}: {section.told(off[worst, 0])}"
    cells = [heading, str(len(judged)), section.limit_told, str(inside[:, 0].sum())]
    return f"| {' | '.join([*cells, str(inside.all(axis=1).sum()), farthest])} |\n"


def _row(section: Section, number: Published, values: list[float]) -> str:
    digits = section.digits
    off = [section.offset(value, number.value) for value in values]
    low, high = f"{min(values):z.{digits}f}", f"{max(values):z.{digits}f}"
    cells = [number.key[1], f"{number.value:g}", f"{values[0]:z.{digits}f}"]
    cells += [f"{np.mean(values):z.{digits}f}", f"{low} to {high}"]
    if number.origin == INFERRED:
        cells += [f"{values[0] - number.value:+z.{digits}f}", "not judged"]
    else:
        inside = sum(abs(offset) <= section.limit for offset in off)
        seed_1 = "yes" if abs(off[0]) <= section.limit else "**no**"
        cells += [section.told(off[0]), f"{seed_1}; {inside} of {len(values)} worlds"]
    return f"| {' | '.join([*cells, number.origin])} |\n"


def compared(numbers: list[Published], worlds: list[Numbers], section: str) -> list[Compared]:
    """Return a section's numbers beside those of the worlds."""
    return [
        Compared(n.key[1], n.value, n.origin == INFERRED, [world[n.key] for world in worlds])
        for n in numbers
        if n.key[0] == section
    ]


def main() -> None:
    """Write the page and its figure."""
    numbers = list(numbered.the_record())
    worlds = [numbered.measure(seed) for seed in progress(SEEDS, "worlds")]
    write_text(DOCS / "calibration.md", page(numbers, worlds))
    drawn = (
        numbered.MODELS_SD,
        numbered.MODELS_R,
        numbered.SLOPES,
        numbered.SUMMERS,
        numbered.CHANGES,
        numbered.STATIONS,
    )
    panels = [compared(numbers, worlds, section) for section in drawn]
    write_figure(DOCS / "images" / "calibration.png", *panels)


if __name__ == "__main__":
    main()
