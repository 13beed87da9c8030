"""Later verification of a released product: bytes, weights, gate, origin, record, numbers."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import h5netcdf

from soilfuse import names
from soilfuse.checks import Check
from soilfuse.errors import UserError
from soilfuse.files import read_mapping, sha256_of_files
from soilfuse.layout import CHAMPION_FILE
from soilfuse.product.checks import Limits, absent
from soilfuse.product.gate import inspect
from soilfuse.product.origin import Origin, of_today

__all__ = ["Origin", "verify_product"]

CHAIN = ("experiment", "weights_sha256", "params_sha256", "inputs_sha256", "regions_sha256")


def verify_product(
    path: Path,
    champion: Path,
    limits: Limits,
    outs: Mapping[str, str] | None = None,
    origin_of: Callable[[str], Origin] | None = None,
    require: Callable[[Path], None] | None = None,
) -> list[Check]:
    """Return every check of a released product.

    champion: the folder of champion.json; outs: path -> md5 as dvc.lock has them, checked where
    given; origin_of: returns the origin of an experiment, compared where given; require: called
    before a file is read that is not the recorded one, see `require_readable`. A file that is not
    the recorded one and cannot be read fails its checks; so does a broken champion.json, without
    which the origin is not looked at. Raises UserError where a file is missing, or the recorded one
    is no product.
    """
    path, champion = Path(path), Path(champion)
    if not path.is_file():
        raise UserError(absent(path))
    checks: list[Check] = []
    try:
        for check in _checks(path, champion, limits, outs, origin_of, require):
            checks.append(check)
    except Exception as error:
        # Of a damaged file, libraries raise whatever its bytes happen to mean.
        if all(check.passed for check in checks):
            raise
        checks.append(_unreadable("readable", error))
    return checks


def _checks(
    path: Path,
    champion: Path,
    limits: Limits,
    outs: Mapping[str, str] | None,
    origin_of: Callable[[str], Origin] | None,
    require: Callable[[Path], None] | None,
) -> Iterator[Check]:
    sidecar = path.with_suffix(".prov.json")
    recorded_one = False
    if outs is not None:
        own = _bytes("bytes", path, outs)
        recorded_one = own.passed
        yield own
        if sidecar.as_posix() in outs:
            yield _bytes("record bytes", sidecar, outs)
    if require is not None and not recorded_one:
        require(path)
    attributes = _attributes(path)
    yield _named(path, attributes["experiment"])
    gate = inspect(path, attributes["experiment"], limits)
    record = champion / CHAMPION_FILE
    if not record.is_file():
        raise UserError(f"no {CHAMPION_FILE} in {champion}; run `dvc pull`, or `dvc repro promote`")
    try:
        recorded = read_mapping(record, ["weights_sha256"])["weights_sha256"]
    except UserError as error:
        yield _unreadable("weights", error)
        yield from gate
        return
    yield _weights(attributes, str(recorded), champion)
    yield from gate
    if origin_of is not None:
        yield from of_today(path, attributes, origin_of(attributes["experiment"]))


def _attributes(path: Path) -> dict[str, str]:
    """Return the global attributes that the chain hangs on."""
    try:
        with h5netcdf.File(path, "r") as file:
            attributes = {key: str(file.attrs.get(key)) for key in (*CHAIN, "precision")}
    except OSError as error:
        raise UserError(
            f"{path} is no readable NetCDF-4 file ({error}); run `dvc checkout {path}`"
        ) from None
    if attributes["experiment"] not in names.EXPERIMENT_YEARS:
        raise UserError(
            f"{path} says experiment {attributes['experiment']!r}; expected one of "
            f"{', '.join(names.EXPERIMENT_YEARS)}: is it a product of soilfuse?"
        )
    return attributes


def _unreadable(name: str, error: Exception) -> Check:
    why = "a damaged file cannot be checked further"
    told = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return Check(name, False, " ".join(told.split()), "a file that can be read", why)


def _bytes(name: str, path: Path, outs: Mapping[str, str]) -> Check:
    found, recorded = "no file", outs.get(path.as_posix(), "no entry")
    if path.is_file():
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
        found = f"md5 {digest.hexdigest()}"
    return Check(
        name=name,
        passed=found == f"md5 {recorded}",
        got=found,
        allowed=f"that of dvc.lock, {recorded}",
        why="the pipeline recorded the file that it made",
    )


def _named(path: Path, experiment: str) -> Check:
    return Check(
        name="name",
        passed=path.stem == experiment,
        got=f"{path.name} of experiment {experiment}",
        allowed=f"{experiment}.nc",
        why="a product under another's name is taken for it",
    )


def _weights(attributes: Mapping[str, str], recorded: str, folder: Path) -> Check:
    """Check that the champion's files are whole and the ones that made the product."""
    found = sha256_of_files(folder.glob("fold_*.safetensors"))
    return Check(
        name="weights",
        passed=attributes["weights_sha256"] == recorded == found,
        got=f"product {attributes['weights_sha256'][:12]}, {CHAMPION_FILE} {recorded[:12]}, files "
        f"{found[:12]}",
        allowed="one hash",
        why="the product must come from the champion's weights",
    )
