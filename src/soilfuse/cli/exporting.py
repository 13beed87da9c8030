"""`soilfuse export`: the words of its command line, checked, and files that it must leave alone."""

from collections.abc import Sequence
from pathlib import Path

from soilfuse.cli.fetch_words import span_of
from soilfuse.cli.outputs import require_unrecorded
from soilfuse.errors import UserError
from soilfuse.product.export import export
from soilfuse.product.part import Part
from soilfuse.product.readable import require_readable
from soilfuse.tracking.lineage import LOCK, content_hash, dvc_outs


def exported(
    product: Path,
    target: Path,
    regions: Sequence[str],
    box: str,
    years: str,
    layers: str,
    force: bool,
) -> str:
    """Write the part that the words ask for; return a line that tells what was written.

    Raises UserError for words that are no part, as `export` does, and for a target that the
    pipeline made or used.
    """
    part = Part(span_of(years), _layers_of(layers), regions, _box_of(box))
    if root := _project_of(target):
        require_unrecorded(root, target, "target")
    if product.is_file() and not _is_recorded(product):
        require_readable(product)
    sizes = export(product, target, part, force)
    files = [target] if target.is_file() else [p for p in target.rglob("*") if p.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    return (
        f"{target.as_posix()}: {sizes['time']} months, {sizes['depth']} layers, {sizes['lat']} x "
        f"{sizes['lon']} cells, {size:.1f} MB"
    )


def _project_of(path: Path) -> Path | None:
    """Return the nearest folder above a file that has a dvc.lock."""
    above = (path.parent.resolve() / path.name).parents
    return next((folder for folder in above if (folder / LOCK).is_file()), None)


def _is_recorded(product: Path) -> bool:
    root = _project_of(product)
    return root is not None and content_hash(product) in dvc_outs(root).values()


def _layers_of(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")] if text else []
    if not all(word.isdecimal() for word in words):
        raise UserError(f"--layers {text!r} names no layers; expected numbers such as 1 or 1,2")
    return [int(word) for word in words]


def _box_of(text: str) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    try:
        west, south, east, north = map(float, text.split(","))
        in_order = west <= east and south <= north
    except ValueError:
        in_order = False
    if not in_order:
        raise UserError(
            f"--box {text!r} is no box; expected west,south,east,north in degrees, as 90,32,95,35"
        )
    return west, south, east, north
