"""The commands that judge, keep and compare ensembles; commands.py adds them to `soilfuse`."""

from typing import Annotated

import typer

from soilfuse import config


def promote(
    version: Annotated[
        str, typer.Argument(help="A registered version or alias; the candidate if left out.")
    ] = "",
    challenger: Annotated[
        bool, typer.Option("--challenger", help="Register the candidate, and move no champion.")
    ] = False,
) -> None:
    """Make the candidate champion if it passes the gate, or pin a registered version.

    The candidate is what params.yaml:promote.method names: the networks, or a simple method.
    """
    from soilfuse.cli import promotions

    if challenger:
        done, told = promotions.challenge(version)
    else:
        done, told = promotions.pin_checked(version) if version else promotions.judge_candidate()
    typer.echo(told)
    raise typer.Exit(code=int(not done))


def rollback(
    version: Annotated[
        str, typer.Argument(help="A registered version or alias, e.g. 3.")
    ] = "previous",
) -> None:
    """Keep a registered version as champion: write promote.pin, which `dvc repro` obeys."""
    from soilfuse.cli import promotions

    typer.echo(promotions.pin(version))


def compare(
    one: Annotated[str, typer.Argument(help="A registered version, an alias, or `candidate`.")],
    other: Annotated[str, typer.Argument(help="What it is compared with, named likewise.")],
    as_json: Annotated[bool, typer.Option("--json", help="An object, no table.")] = False,
) -> None:
    """Compare two ensembles: scores by layer with the interval of their difference, settings."""
    from soilfuse.cli import comparison

    found = comparison.compared(config.load(), one, other)
    typer.echo(comparison.as_json(found) if as_json else comparison.table(found))
