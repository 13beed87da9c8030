"""Later verification of a released product: bytes, weights, gate, origin, record, numbers."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5netcdf
import numpy as np

from soilfuse import names
from soilfuse.checks import Check
from soilfuse.errors import UserError
from soilfuse.files import read_mapping, sha256_of_file, sha256_of_files
from soilfuse.layout import CHAMPION_FILE
from soilfuse.product import layout
from soilfuse.product.checks import Limits
from soilfuse.product.gate import inspect
from soilfuse.product.provenance import read_prov

Recompute = Callable[[np.ndarray], np.ndarray]
CHAIN = ("experiment", "weights_sha256", "params_sha256", "inputs_sha256", "regions_sha256")
MONTHS = 4  # recomputed, spread over the product
DEVICE_ROUNDING = 1e-5  # m3 m-3 by which devices and thread counts may differ


@dataclass(frozen=True)
class Origin:
    """What a product should have been made from, as the project holds it today.

    params_sha256: see `attributes.params_hash`; inputs_sha256: of the climate models' file;
    regions_sha256: of their names and cells; used: path in the project -> DVC hash of what the
    product's record must name; recompute: given (n,) indices of months, returns their (n, D, H, W)
    soil moisture in m3 m-3.
    """

    params_sha256: str
    inputs_sha256: str
    regions_sha256: str
    used: Mapping[str, str]
    recompute: Recompute


def verify_product(
    path: Path,
    champion: Path,
    limits: Limits,
    outs: Mapping[str, str] | None = None,
    origin_of: Callable[[str], Origin] | None = None,
) -> list[Check]:
    """Return every check of a released product.

    champion: the folder of champion.json; outs: path -> md5 as dvc.lock has them, checked where
    given; origin_of: returns the origin of an experiment, compared where given. A file that is not
    the recorded one and cannot be read fails its checks; so does a broken champion.json, without
    which the origin is not looked at. Raises UserError where a file is missing, or the recorded one
    is no product.
    """
    path, champion = Path(path), Path(champion)
    if not path.is_file():
        near = ", ".join(sorted(other.name for other in path.parent.glob("*.nc"))) or "none"
        raise UserError(f"no product {path} (there: {near}); run `dvc pull` or `dvc repro infer`")
    checks = [] if outs is None else [_bytes(path, outs)]
    try:
        attributes = _attributes(path)
        gate = inspect(path, attributes["experiment"], limits)
    except UserError as error:
        if all(check.passed for check in checks):
            raise
        return [*checks, _unreadable("readable", error)]
    record = champion / CHAMPION_FILE
    if not record.is_file():
        raise UserError(f"no {CHAMPION_FILE} in {champion}; run `dvc pull`, or `dvc repro promote`")
    try:
        recorded = read_mapping(record, ["weights_sha256"])["weights_sha256"]
    except UserError as error:
        return [*checks, _unreadable("weights", error), *gate]
    checks += [_weights(attributes, str(recorded), champion), *gate]
    if origin_of is not None:
        checks += _of_today(path, attributes, origin_of(attributes["experiment"]))
    return checks


def _of_today(path: Path, attributes: Mapping[str, str], origin: Origin) -> list[Check]:
    """Check that a product is what the project would make today."""
    return [
        _same("parameters", attributes["params_sha256"], origin.params_sha256, "params.yaml"),
        _same("inputs", attributes["inputs_sha256"], origin.inputs_sha256, "climate models"),
        _same("regions", attributes["regions_sha256"], origin.regions_sha256, "regions"),
        _record(path, origin.used),
        _numbers(path, origin.recompute),
    ]


def _attributes(path: Path) -> dict[str, str]:
    """Return the global attributes that the chain hangs on."""
    try:
        with h5netcdf.File(path, "r") as file:
            attributes = {key: str(file.attrs.get(key)) for key in CHAIN}
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


def _unreadable(name: str, error: UserError) -> Check:
    why = "a damaged file cannot be checked further"
    return Check(name, False, str(error), "a file that can be read", why)


def _same(name: str, of_product: str, of_today: str, what: str) -> Check:
    """Check that a hash in the product is that of what the project holds today."""
    return Check(
        name=name,
        passed=of_product == of_today,
        got=f"product {of_product[:12]}",
        allowed=f"that of today's {what}, {of_today[:12]}",
        why="the product must come from what the project holds",
    )


def _record(path: Path, used: Mapping[str, str]) -> Check:
    """Check that the sidecar is this product's, and names the files of today."""
    found = sha256_of_file(path)
    try:
        recorded, then = read_prov(path.with_suffix(".prov.json"))
        wrong = [] if recorded == found else [f"product of SHA-256 {recorded[:12]}"]
        wrong += [f"another {name}" for name, digest in used.items() if then.get(name) != digest]
    except UserError as error:
        wrong = [str(error)]
    return Check(
        name="record",
        passed=not wrong,
        got=f"names {', '.join(wrong)}" if wrong else "names this product and today's files",
        allowed=f"SHA-256 {found[:12]}, made from {', '.join(used)} of today",
        why="the record beside a product must tell what it was made from",
    )


def _bytes(path: Path, outs: Mapping[str, str]) -> Check:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
    found, recorded = digest.hexdigest(), outs.get(path.as_posix(), "no entry")
    return Check(
        name="bytes",
        passed=found == recorded,
        got=f"md5 {found}",
        allowed=f"that of dvc.lock, {recorded}",
        why="the pipeline recorded the file that it made",
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


def _numbers(path: Path, recompute: Recompute) -> Check:
    """Recompute some months and compare them within the product's rounding."""
    with h5netcdf.File(path, "r") as file:
        variable = file.variables[names.SOIL_MOISTURE]
        months = np.unique(np.linspace(0, variable.shape[0] - 1, MONTHS).round().astype(int))
        stored = np.stack([variable[month] for month in months])
        bits = int(variable.attrs[layout.BITS])
    exact = np.asarray(recompute(months))
    if exact.shape != stored.shape:
        raise UserError(
            f"recomputed months of {path} have shape {exact.shape}, the product's {stored.shape}; "
            "expected the same: is params.yaml:domain the product's?"
        )
    stored = np.where(stored == layout.FLOAT_FILL, np.nan, stored)
    excess = np.abs(stored - exact) - (np.abs(exact) * 2.0 ** -(bits + 1) + DEVICE_ROUNDING)
    agree = (excess <= 0) | (np.isnan(stored) & np.isnan(exact))
    return Check(
        name="numbers",
        passed=bool(agree.all()),
        got=f"{int((~agree).sum())} of {agree.size} values apart in {len(months)} months",
        allowed=f"none by more than rounding to {bits} bits and {DEVICE_ROUNDING:g}",
        why="the weights and inputs of today must give the published numbers",
    )
