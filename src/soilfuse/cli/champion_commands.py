"""The commands that judge, keep and compare ensembles; commands.py adds them to `soilfuse`."""

from typing import Annotated

import typer

from soilfuse.cli import helping, rooted


def promote(
    version: Annotated[
        str,
        typer.Argument(
            metavar="VERSION",
            help="A registered version, by number or alias; the candidate if left out.",
            autocompletion=helping.versions,
        ),
    ] = "",
    challenger: Annotated[
        bool, typer.Option("--challenger", help="Register the candidate, and move no champion.")
    ] = False,
) -> None:
    """Make an ensemble champion, if it passes the gate.

    The champion is what products are made with. The candidate is what params.yaml:promote.method
    names: the networks just trained, or a simple method. A registered version that passes is
    pinned, as by `soilfuse rollback` (docs/tracking.md).
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
        str,
        typer.Argument(
            metavar="VERSION",
            help="A registered version, by number or alias.",
            show_default="previous",
            autocompletion=helping.versions,
        ),
    ] = "previous",
) -> None:
    """Go back to the champion before, or to another version.

    Writes its number to params.yaml:promote.pin; the next `dvc repro` makes it champion, unasked
    by the gate, and the products anew. `promote.pin: null` ends that.
    """
    from soilfuse.cli import promotions

    typer.echo(promotions.pin(version))


def compare(
    one: Annotated[
        str,
        typer.Argument(
            metavar="ONE",
            help="A registered version, by number or alias, or `candidate`.",
            autocompletion=helping.sides,
        ),
    ],
    other: Annotated[
        str,
        typer.Argument(
            metavar="OTHER",
            help="What it is compared with, named likewise.",
            autocompletion=helping.sides,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Compare two ensembles: scores and settings.

    RMSE and R of each layer out of fold, the interval of their difference, and settings that
    differ; or why their scores cannot be compared.
    """
    from soilfuse.cli import comparison

    found = comparison.compared(rooted.params(), one, other)
    typer.echo(comparison.as_json(found) if as_json else comparison.table(found))
