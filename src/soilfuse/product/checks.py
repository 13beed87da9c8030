"""Conditions on a released file, and the refusal when one does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soilfuse.checks import Check
from soilfuse.errors import UserError


@dataclass(frozen=True)
class Limits:
    """What a released file must keep: share of the regions' cells with a value; m3 m-3."""

    min_coverage: float
    max_soil_moisture: float


def absent(path: Path) -> str:
    """Return the line for a product that is no file, with those that lie beside or in it."""
    folder = path if path.is_dir() else path.parent
    near = ", ".join(sorted(other.name for other in folder.glob("*.nc"))) or "none"
    what = f"{path} is a folder, no product" if path.is_dir() else f"no product {path}"
    return f"{what} (there: {near}); name a file, or run `dvc pull` or `dvc repro infer`"


def require(checks: Sequence[Check], path: Path) -> None:
    """Raise UserError with one line for every failed check."""
    failed = [check for check in checks if not check.passed]
    if failed:
        raise UserError(
            *(
                f"release gate refuses {path}: {check.name} is {check.got}; allowed "
                f"{check.allowed} ({check.why})"
                for check in failed
            )
        )
