"""The commands of `soilfuse`; each imports what it needs when it runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from soilfuse import config, names
from soilfuse.cli import profiles
from soilfuse.cli.champion_commands import compare, promote, rollback
from soilfuse.errors import UserError

app = typer.Typer(
    help="Fuse the soil moisture of many climate models into one product, and prove its origin. "
    "Exit codes: 0 done, 1 a check failed, 2 bad input, 130 interrupted (docs/commands.md). "
    "Completion: `soilfuse --install-completion`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _known_experiments() -> list[str]:
    return list(names.EXPERIMENT_YEARS)


def _known_profiles() -> list[str]:
    return sorted(path.stem for path in profiles.PROFILES.glob("*.yaml"))


Experiments = Annotated[
    list[str] | None,
    typer.Argument(
        help="Experiments such as ssp370; all of params.yaml if left out.",
        autocompletion=_known_experiments,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Make them anew, up to date or not.")]


@app.command()
def profile(
    name: Annotated[
        str,
        typer.Argument(
            help="A file of profiles/ without .yaml: demo, paper, ...",
            autocompletion=_known_profiles,
        ),
    ],
    force: Annotated[bool, typer.Option(help="Overwrite a params.yaml with own changes.")] = False,
) -> None:
    """Check a profile and write it to params.yaml."""
    profiles.write(name, force=force)
    typer.echo(f"params.yaml is now the {name} profile; `dvc repro` runs it")


@app.command()
def infer(experiments: Experiments = None, force: Force = False) -> None:
    """Make products with the champion, e.g. `soilfuse infer ssp370`; nothing before them runs.

    `mlflow run . -e infer -P ssp=ssp370` does this, trends and page, and logs all three.
    """
    from soilfuse.cli import making

    _tell(making.made("infer", experiments or [], force))


@app.command()
def trends(experiments: Experiments = None, force: Force = False) -> None:
    """Test products for trends, e.g. `soilfuse trends ssp370 ssp585`; nothing before runs."""
    from soilfuse.cli import making

    _tell(making.made("trends", experiments or [], force))


@app.command()
def report(force: Force = False) -> None:
    """Make every page of the report from products, trends and scores as they are."""
    from soilfuse.cli import making

    _tell([making.report(force)])


def _tell(made: Iterable[Path]) -> None:
    for path in made:
        typer.echo(path.as_posix())


@app.command()
def verify(
    products: Annotated[list[Path], typer.Argument(help="Product files, e.g. products/ssp370.nc.")],
) -> None:
    """Re-check a product: bytes, champion, release gate, origin, record, and some numbers."""
    from soilfuse.cli.verification import verify_file

    params = config.load()
    failed = 0
    for product in products:
        for check in verify_file(product, params):
            verdict = "ok    " if check.passed else "FAILED"
            typer.echo(f"{verdict}  {check.name}: {check.got} (allowed: {check.allowed})")
            failed += not check.passed
    raise typer.Exit(code=int(failed > 0))


@app.command()
def export(
    product: Annotated[Path, typer.Argument(help="A product, e.g. products/ssp370.nc.")],
    target: Annotated[Path, typer.Argument(help="OUT.nc, or OUT.zarr, which is a folder.")],
    region: Annotated[
        list[str] | None,
        typer.Option(help="Only this region of the file, e.g. yangtze; may be repeated."),
    ] = None,
    box: Annotated[
        str, typer.Option(help="Only cell centres in west,south,east,north: 90,32,95,35.")
    ] = "",
    years: Annotated[str, typer.Option(help="Only these, e.g. 2071-2100.")] = "",
    layers: Annotated[str, typer.Option(help="Only these, 1 the uppermost, e.g. 1,2.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a target that is there.")] = False,
) -> None:
    """Write a product or a part of it as a NetCDF file or a Zarr store, for use elsewhere."""
    from soilfuse.cli.exporting import exported

    typer.echo(exported(product, target, region or [], box, years, layers, force))


@app.command()
def lineage(
    path: Annotated[
        Path, typer.Argument(help="A product, page, table, model, processed or raw file or folder.")
    ],
    forward: Annotated[
        bool, typer.Option("--forward", help="To all that came from it, not back to raw files.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Nodes and edges, no tree.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Also into a file: .json, .txt, .svg or .png.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="A line for every file of raw folders, every output.")
    ] = False,
    runs: Annotated[bool, typer.Option(help="Ask MLflow for runs and commits.")] = True,
    check: Annotated[bool, typer.Option(help="Hash the files that lie here.")] = True,
) -> None:
    """Tell what a file came from, back to raw files, or all that came from it.

    Exits with 1 where a file was changed since dvc.lock recorded it.
    """
    from soilfuse.cli.lineage import told

    shown, changed = told(path, forward, as_json, output, every, runs, check)
    typer.echo(shown)
    raise typer.Exit(code=int(changed))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects, no table.")] = False,
) -> None:
    """List every expected raw file: present, period, calendar, units, verdict."""
    from soilfuse.cli import findings
    from soilfuse.cli.doctor import examine

    rows = examine(config.load())
    typer.echo(findings.as_json(rows) if as_json else findings.table(rows))
    raise typer.Exit(code=int(any(row.refused for row in rows)))


@app.command()
def fetch(
    source: Annotated[str, typer.Argument(help="cmip6 or era5-land; both if left out.")] = "",
    archive: Annotated[
        str, typer.Option("--from", help="Archive of CMIP6: cloud or esgf.")
    ] = "cloud",
    model: Annotated[
        list[str] | None, typer.Option(help="A source_id of cmip6.models; may be repeated.")
    ] = None,
    experiment: Annotated[
        list[str] | None, typer.Option(help="One of experiments; may be repeated.")
    ] = None,
    years: Annotated[str, typer.Option(help="Only these, e.g. 1995-2014.")] = "",
    to: Annotated[Path | None, typer.Option(help="Folder in place of raw_root.")] = None,
    store: Annotated[
        str, typer.Option(help="Bucket of the cloud archive, in place of s3://cmip6-pds.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the files only.")] = False,
) -> None:
    """Fetch the raw files that params.yaml asks for and that are not there yet.

    CMIP6 soil moisture comes without an account and is cut to the domain.

    ERA5-Land comes from the Climate Data Store with your key.

    The same command resumes after a failure.

    Keys, other addresses, and what has no open API: docs/archives.md.
    """
    from soilfuse.cli.fetch_words import Asked
    from soilfuse.cli.fetching import Fetching

    asked = Asked(source, archive, model or [], experiment or [], years, to, store, dry_run)
    Fetching(config.load(), asked, typer.echo).run()


for command in (promote, rollback, compare):
    app.command()(command)


@app.command(
    hidden=True,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def entry_point(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="An entry point of MLproject.")],
    ssp: Annotated[str | None, typer.Option(help="The experiment.")] = None,
) -> None:
    """Run one entry point of MLproject inside `mlflow run`."""
    from soilfuse.cli.entry_points import run_entry_point

    if context.args:  # MLflow hands every -P on as an option
        raise UserError(
            f"unknown parameter {context.args[0].removeprefix('--')!r} of entry point {name!r}; "
            "expected ssp for infer and trends, and none for the others: leave out this -P"
        )
    run_entry_point(name, ssp)
