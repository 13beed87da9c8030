"""What `soilfuse doctor` found, a row a source: as a table for a terminal, or as JSON."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

OK = "ok"
ABSENT = "optional, absent"
NOT_READ = "not read"
NOTHING = "-"
HEADINGS = ("source", "files", "period", "calendar", "units", "verdict")
SHORT = {"proleptic_gregorian": "proleptic"}  # so that a row of the table fits a terminal


@dataclass(frozen=True)
class Finding:
    """One row of the table: a source's files, and `verdict`, ok or why its reader refuses it."""

    source: str
    present: bool
    files: int
    period: str
    calendar: str
    units: str
    verdict: str

    @property
    def refused(self) -> bool:
        """Whether a stage would stop at it."""
        return self.verdict not in (OK, ABSENT) and not self.verdict.startswith(NOT_READ)


def table(findings: Sequence[Finding]) -> str:
    """Return the findings as one aligned table, long verdicts below it, and how many are well.

    Rows of one source that follow each other and are refused alike are told once.
    """
    groups = _alike(findings)
    told = [group for group in groups if group[0].verdict not in (OK, ABSENT)]
    number = {id(group): f"see [{place}]" for place, group in enumerate(told, start=1)}
    cells = [_cells(group[0], number.get(id(group), group[0].verdict)) for group in groups]
    rows = [HEADINGS, *cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    below = [f"[{place}] {_verdict(group)}" for place, group in enumerate(told, start=1)]
    return "\n".join([*lines, *below, _count(findings)])


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings as a JSON list."""
    return json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False)


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    groups: list[list[Finding]] = []
    for finding in findings:
        if groups and finding.refused and _kind(groups[-1][0]) == _kind(finding):
            groups[-1].append(finding)
        else:
            groups.append([finding])
    return groups


def _kind(finding: Finding) -> tuple[str, str]:
    """Return provider and verdict without what differs among its sources: names and numbers."""
    words = finding.source.split()
    own = "|".join(re.escape(word) for word in words[1:])
    verdict = re.sub(own, "", finding.verdict) if own else finding.verdict
    return words[0], re.sub(r"\d+", "", verdict)


def _verdict(group: Sequence[Finding]) -> str:
    verdict = group[0].verdict
    if len(group) == 1:
        return f"{group[0].source}: {verdict}"
    return f"{group[0].source}: {verdict} ({len(group) - 1} more like this, to {group[-1].source})"


def _cells(finding: Finding, verdict: str) -> tuple[str, ...]:
    calendar = "mixed" if "," in finding.calendar else finding.calendar
    period = finding.period.replace(" to ", "/")
    counted = finding.source, str(finding.files), period
    return *counted, SHORT.get(calendar, calendar), finding.units, verdict


def _count(findings: Sequence[Finding]) -> str:
    absent = sum(finding.verdict == ABSENT for finding in findings)
    well = sum(finding.verdict == OK for finding in findings)
    refused = sum(finding.refused for finding in findings)
    line = f"{well} of {well + refused} ok"
    return f"{line}, {absent} optional and absent" if absent else line
