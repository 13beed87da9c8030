"""What the command line of `soilfuse fetch` asks for, checked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soilfuse import config, layout
from soilfuse.archives import cloud
from soilfuse.errors import UserError, unknown
from soilfuse.world.build import MANIFEST

CMIP6, ERA5_LAND = "cmip6", "era5-land"
CLOUD, ESGF = "cloud", "esgf"

Span = tuple[int, int]


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; what is empty means all that params.yaml does."""

    source: str
    archive: str
    models: Sequence[str]
    experiments: Sequence[str]
    years: str
    folder: Path | None
    store: str
    dry_run: bool


def check_words(params: config.Params, asked: Asked) -> None:
    """Raise UserError with a line for every word that params.yaml or this command does not know."""
    checks = (
        ("source", [asked.source] if asked.source else [], (CMIP6, ERA5_LAND)),
        ("archive", [asked.archive], (CLOUD, ESGF)),
        ("climate model", asked.models, tuple(params.cmip6.models)),
        ("experiment", asked.experiments, tuple(params.experiments)),
    )
    wrong = [
        unknown(what, word, allowed, "the command or params.yaml")
        for what, words, allowed in checks
        for word in words
        if word not in allowed
    ]
    if asked.source == ERA5_LAND and (asked.models or asked.experiments):
        wrong.append("--model and --experiment choose files of CMIP6: leave them out for era5-land")
    if asked.store and asked.archive == ESGF:
        wrong.append("--store names a copy of the cloud archive: leave it out with --from esgf")
    elif asked.store and cloud.on_disk(asked.store) and not Path(asked.store).is_dir():
        wrong.append(
            f"no folder {asked.store}; expected one with {cloud.CATALOGUE}, or an address such as "
            f"{cloud.BUCKET}: edit --store"
        )
    if wrong:
        raise UserError(*wrong)


def target_of(params: config.Params, asked: Asked) -> Path:
    """Return the folder to fetch into; raise UserError for that of a pseudo-reality."""
    root = asked.folder or Path(params.raw_root)
    if root.resolve().is_relative_to(layout.PSEUDO_REALITY.resolve()):
        raise UserError(
            f"{root} holds the pseudo-reality, which DVC makes and would delete: set "
            "params.yaml:raw_root: data/raw/real"
        )
    if (root / MANIFEST).exists():
        raise UserError(
            f"{root / MANIFEST} says that {root} is a pseudo-reality: delete {MANIFEST} if these "
            "are your own files, or give another folder: edit params.yaml:raw_root or --to"
        )
    return root


def span_of(text: str) -> Span | None:
    """Return the first and last year of `1995-2014` or `1995`, None of an empty text."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if first > last:
        raise UserError(f"--years {text!r} is no range of years; expected 1995-2014 or 1995")
    return first, last
