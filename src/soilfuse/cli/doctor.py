"""`soilfuse doctor`: which raw files are there, and what their readers would say of them.

Of a gridded file the headers are read, and its first wanted year through the source's reader; files
of one year, maps without time and station records, whose period is in their lines only, are read
whole. What a stage does without may be absent.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from soilfuse import config
from soilfuse.cli.expected import expected
from soilfuse.cli.expected_kinds import Expected, Gridded, Maps, Other, Stations
from soilfuse.cli.findings import ABSENT, NOT_READ, NOTHING, OK, Finding
from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis, month_key, require_complete, year_of
from soilfuse.progress import progress
from soilfuse.sources import axes
from soilfuse.sources.joining import Piece, join, monthly
from soilfuse.sources.netcdf import opened


@dataclass
class _Seen:
    """What has been seen of one source so far; problems do not end the look."""

    files: list[Path] = field(default_factory=list)
    months: list[np.ndarray] = field(default_factory=list)
    calendars: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Turn what a user can act on into problems."""
        try:
            yield
        except UserError as error:
            self.problems += error.problems
        except OSError as error:
            self.problems.append(
                f"cannot read {error.filename}: {error.strerror}: check its permissions"
            )

    def finding(self, source: str, well: str = OK) -> Finding:
        """Return the row; of several problems the first is told and the others are counted."""
        more = f"; and {len(self.problems) - 1} more" if len(self.problems) > 1 else ""
        return Finding(
            source=source,
            present=bool(self.files),
            files=len(self.files),
            period=_period(self.months),
            calendar=_listed(self.calendars),
            units=_listed(self.units),
            verdict=self.problems[0] + more if self.problems else well,
        )


def examine(params: config.Params) -> list[Finding]:
    """Return a finding for every source that params.yaml asks for."""
    return [_examined(source) for source in progress(list(expected(params)), "raw files")]


def _examined(source: Expected) -> Finding:
    if isinstance(source, Maps):
        return _maps(source)
    if isinstance(source, Other):
        return _other(source)
    return _gridded(source) if isinstance(source, Gridded) else _stations(source)


def _gridded(source: Gridded) -> Finding:
    seen = _Seen()
    with seen.noting():
        seen.files = source.find()
    pieces = [piece for path in seen.files if (piece := _glance(path, source, seen)) is not None]
    if seen.files and not seen.problems:
        with seen.noting():
            _judge(pieces, source, seen.files)
    return seen.finding(source.source)


def _glance(path: Path, source: Gridded, seen: _Seen) -> Piece | None:
    """Return the wanted months of one file, with zeros for values; None where it holds none."""
    with seen.noting(), opened(path, source.source) as file:
        name = next((name for name in source.variables if name in file), source.variables[0])
        stored = file.variable(name)
        seen.units.append(str(stored.attributes.get("units", "")))
        months, calendar = axes.month_keys(file, stored)
        seen.months.append(months)
        seen.calendars.append(calendar)
        wanted = months[np.isin(months, month_axis(*source.years))]
        if wanted.size:
            lat = axes.latitudes(file, stored, None, 0).centres
            lon = axes.longitudes(file, stored, None, 0).centres
            zeros = np.zeros(wanted.size, dtype=np.float32)
            return Piece(str(path), wanted, zeros, lat, lon, calendar, file.world)
    return None


def _judge(pieces: list[Piece], source: Gridded, files: list[Path]) -> None:
    """Raise UserError where months, grids or worlds do not fit, or the reader refuses a file."""
    where = f"{files[0] if len(files) == 1 else files[0].parent} ({source.source})"
    once = [monthly(piece, source.frequency, 1, source.source) for piece in pieces]
    months = join(once).months if once else np.empty(0, dtype="datetime64[ns]")
    require_complete(months, *source.years, where)
    for year in dict.fromkeys(int(year_of(piece.months[:1])[0]) for piece in pieces):
        source.read(year)


def _stations(source: Stations) -> Finding:
    seen = _Seen()
    with seen.noting():
        seen.files = source.find()
    if source.optional and not seen.files:
        return _Seen().finding(source.source, ABSENT)
    for path in seen.files:
        with seen.noting():
            records = source.read(path)
            seen.months.append(month_key(records["year"], records["month"]))
            seen.calendars.append("standard")
            seen.units.append(source.units)
    if seen.files and not seen.problems and not sum(map(len, seen.months)):
        seen.problems.append(
            f"no good record in {seen.files[0].parent} ({source.source}): download the files "
            "again, or edit params.yaml:insitu.good_flags"
        )
    return seen.finding(source.source)


def _other(source: Other) -> Finding:
    seen = _Seen(files=[path for path in source.files if path.exists()])
    with seen.noting():
        source.read()
    told = f"{NOT_READ}: {source.note}" if source.note else OK
    return seen.finding(source.source, told)


def _maps(source: Maps) -> Finding:
    seen = _Seen(files=[source.path] if source.path.exists() else [])
    for path in seen.files:
        with seen.noting(), opened(path, source.source) as file:
            held = [file.variable(name) for name in source.variables if name in file]
            seen.units += [str(stored.attributes.get("units", "")) for stored in held]
        if not seen.problems:
            with seen.noting():
                source.read()
    return seen.finding(source.source, OK if seen.files else ABSENT)


def _period(months: Sequence[np.ndarray]) -> str:
    held = [part for part in months if part.size]
    if not held:
        return NOTHING
    ends = min(part.min() for part in held), max(part.max() for part in held)
    return " to ".join(str(end.astype("datetime64[M]")) for end in ends)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(value or "none" for value in values)) or NOTHING
