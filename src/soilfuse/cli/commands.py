"""The commands of `soilfuse`; each imports what it needs when it runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from soilfuse.cli import helping, profiles
from soilfuse.cli.champion_commands import compare, promote, rollback
from soilfuse.cli.helping import ending
from soilfuse.cli.product_commands import export, lineage, verify
from soilfuse.cli.raw_file_commands import doctor, fetch
from soilfuse.errors import UserError

app = typer.Typer(
    help="Fuse the soil moisture of many climate models into one product, and prove its origin.\n\n"
    "All commands run in the project's root; `soilfuse COMMAND --help` has examples.",
    epilog="Exit codes: 0 done; 1 a check failed; 2 refused, and one line says why; 130 "
    "interrupted (docs/commands.md).",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


Experiments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="EXPERIMENT",
        help="historical, ssp126, ...; all of params.yaml:experiments if left out.",
        autocompletion=helping.experiments,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Make them anew, also where up to date.")]


@app.command(epilog=ending("profile best", "profile demo --force"))
def profile(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A file of profiles/ without its .yaml: demo, best, paper, ...",
            autocompletion=helping.known_profiles,
        ),
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Also over a params.yaml that you changed.")
    ] = False,
) -> None:
    """Check a file of profiles/ and write it to params.yaml.

    The next `dvc repro` runs it.
    """
    profiles.write(name, force=force)
    typer.echo(f"params.yaml is now the {name} profile; `dvc repro` runs it")


@app.command(epilog=ending("infer ssp370", "infer ssp370 ssp585 --force"))
def infer(experiments: Experiments = None, force: Force = False) -> None:
    """Make products with the champion, and nothing else.

    The champion is the ensemble of models/champion that the gate let through. Where what a product
    is made from is stale or missing, nothing runs, and a line names the command that makes it.

    `mlflow run . -e infer -P ssp=ssp370` makes product, trends and page, and logs all three.
    """
    from soilfuse.cli import making

    _tell(making.made("infer", experiments or [], force))


@app.command(epilog=ending("trends ssp370", "trends"))
def trends(experiments: Experiments = None, force: Force = False) -> None:
    """Test products for trends, and nothing else.

    Writes results/trends/EXPERIMENT.nc and tables beside it (docs/trends.md). Where a product is
    stale or missing, nothing runs, and a line names the command that makes it.
    """
    from soilfuse.cli import making

    _tell(making.made("trends", experiments or [], force))


@app.command(epilog=ending("report"))
def report(force: Force = False) -> None:
    """Make every page of the report, and nothing else.

    Writes reports/index.html and the pages that it links to, from products, trends and scores.
    Where one of these is stale or missing, nothing runs, and a line names the command that makes
    it.
    """
    from soilfuse.cli import making

    _tell([making.report(force)])


def _tell(made: Iterable[Path]) -> None:
    for path in made:
        typer.echo(path.as_posix())


for command, examples in (
    (verify, ending("verify products/ssp370.nc", failed="a check failed")),
    (
        export,
        ending(
            "export products/ssp370.nc ssp370.zarr",
            "export products/ssp370.nc out.nc --region yangtze --years 2071-2100 --layers 1,2",
            "export products/ssp370.nc box.nc --box 90,32,95,35",
        ),
    ),
    (
        lineage,
        ending(
            "lineage products/ssp370.nc",
            "lineage reports/ssp370.html --output chain.png",
            "lineage --forward data/raw/pseudo/cmip6",
            failed="a file was changed since dvc.lock recorded it",
        ),
    ),
    (doctor, ending("doctor", "doctor --json", failed="a file is missing or refused")),
    (
        fetch,
        ending(
            "fetch --dry-run",
            "fetch cmip6 --model CESM2 --experiment ssp370",
            "fetch era5-land --years 1995-2014 --to data/raw/real",
        ),
    ),
    (promote, ending("promote", "promote 3", failed="it did not pass")),
    (rollback, ending("rollback", "rollback 3")),
    (compare, ending("compare candidate champion", "compare 1 2 --json")),
):
    app.command(epilog=examples)(command)


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
