"""The commands about raw files; commands.py adds them to `soilfuse`."""

from pathlib import Path
from typing import Annotated

import typer

from soilfuse.cli import helping, rooted


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Check every raw file that params.yaml asks for.

    A line for each: how many files there are, period, calendar, units, and what their reader says
    (docs/data.md).
    """
    from soilfuse.cli import findings
    from soilfuse.cli.doctor import examine

    rows = examine(rooted.params())
    typer.echo(findings.as_json(rows) if as_json else findings.table(rows))
    raise typer.Exit(code=int(any(row.refused for row in rows)))


def fetch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="cmip6 or era5-land; both if left out.",
            autocompletion=lambda: ["cmip6", "era5-land"],
        ),
    ] = "",
    archive: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="ARCHIVE",
            help="Where CMIP6 comes from: cloud or esgf.",
            autocompletion=lambda: ["cloud", "esgf"],
        ),
    ] = "cloud",
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this one of params.yaml:cmip6.models; may be repeated.",
            autocompletion=helping.climate_models,
        ),
    ] = None,
    experiment: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this one of params.yaml:experiments; may be repeated.",
            autocompletion=helping.experiments,
        ),
    ] = None,
    years: Annotated[
        str, typer.Option(metavar="FIRST-LAST", help="Only these years, e.g. 1995-2014.")
    ] = "",
    to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where to, in place of params.yaml:raw_root."),
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="A copy of the cloud archive, in place of s3://cmip6-pds."
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the files, and fetch none.")
    ] = False,
) -> None:
    """Fetch the raw files that are not there yet.

    Those that params.yaml asks for and an open archive has: CMIP6 soil moisture, cut to the domain
    (no account needed), and ERA5-Land from the Climate Data Store, with your key. The same command
    goes on after a failure.

    Keys, other addresses, and what no archive gives to programs: docs/archives.md.
    """
    from soilfuse.cli.fetch_words import Asked
    from soilfuse.cli.fetching import Fetching

    asked = Asked(source, archive, model or [], experiment or [], years, to, store, dry_run)
    Fetching(rooted.params(), asked, typer.echo).run()
