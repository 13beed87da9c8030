"""The commands that check, copy and trace products; commands.py adds them to `soilfuse`."""

from pathlib import Path
from typing import Annotated

import typer

from soilfuse.cli import helping, rooted


def verify(
    products: Annotated[
        list[Path], typer.Argument(metavar="PRODUCT", help=f"{helping.ON_DISK} Or several.")
    ],
) -> None:
    """Check products anew, a line a check.

    Its bytes and those of its record against dvc.lock, the champion's weights, the conditions of a
    release (axes, range, coverage, attributes), what it was made from, and four of its months,
    which are computed again.
    """
    from soilfuse.cli.verification import verify_file

    params = rooted.params()
    failed = 0
    for product in products:
        for check in verify_file(product, params):
            verdict = "ok    " if check.passed else "FAILED"
            typer.echo(f"{verdict}  {check.name}: {check.got} (allowed: {check.allowed})")
            failed += not check.passed
    raise typer.Exit(code=int(failed > 0))


def export(
    product: Annotated[Path, typer.Argument(metavar="PRODUCT", help=helping.ON_DISK)],
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="OUT.nc, or OUT.zarr, which is a folder.")
    ],
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this region of the file, e.g. yangtze; may be repeated.",
            autocompletion=helping.regions,
        ),
    ] = None,
    box: Annotated[
        str,
        typer.Option(
            metavar="W,S,E,N", help="Only cells with centres from west to east, south to north."
        ),
    ] = "",
    years: Annotated[
        str, typer.Option(metavar="FIRST-LAST", help="Only these years, e.g. 2071-2100.")
    ] = "",
    layers: Annotated[
        str, typer.Option(metavar="N,...", help="Only these layers; 1 is the uppermost.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a target that is there.")] = False,
) -> None:
    """Write a product or a part of it as a NetCDF file or a Zarr store.

    Numbers and attributes are the product's (docs/products.md). A target is whole or absent.
    """
    from soilfuse.cli.exporting import exported

    typer.echo(exported(product, target, region or [], box, years, layers, force))


def lineage(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A product, page, table, model, processed or raw file, or a folder.",
        ),
    ],
    forward: Annotated[
        bool, typer.Option("--forward", help="To all that came from it, not back to raw files.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, for programs (docs/lineage.md).")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also into a file: .json, .txt, .svg or .png."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="A line for every output and every raw file.")
    ] = False,
    runs: Annotated[
        bool, typer.Option(help="Whether MLflow is asked for runs and commits; takes a while.")
    ] = True,
    check: Annotated[
        bool, typer.Option(help="Whether files are compared with their recorded hashes.")
    ] = True,
) -> None:
    """Tell what a file came from, or what came from it."""
    from soilfuse.cli.lineage import told

    shown, changed = told(path, forward, as_json, output, every, runs, check)
    typer.echo(shown)
    raise typer.Exit(code=int(changed))
