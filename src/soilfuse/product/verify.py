"""Later verification of a released product: its bytes, its weights, the gate, its numbers."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import h5netcdf
import numpy as np

from soilfuse import names
from soilfuse.checks import Check
from soilfuse.errors import UserError
from soilfuse.files import read_json, sha256_of_files
from soilfuse.product import layout
from soilfuse.product.checks import Limits
from soilfuse.product.gate import inspect

Recompute = Callable[[np.ndarray], np.ndarray]
MONTHS = 4  # recomputed, spread over the product
DEVICE_ROUNDING = 1e-5  # m3 m-3 by which devices and thread counts may differ


def verify_product(
    path: Path,
    champion: Path,
    limits: Limits,
    outs: Mapping[str, str] | None = None,
    recompute: Recompute | None = None,
) -> list[Check]:
    """Return every check of a released product.

    champion: the folder of champion.json; outs: path -> md5 as dvc.lock has them, checked where
    given; recompute: given (n,) indices of months, returns their (n, D, H, W) soil moisture in
    m3 m-3, compared where given. Raises UserError where a file is missing or unreadable.
    """
    path, champion = Path(path), Path(champion)
    if not path.is_file():
        near = ", ".join(sorted(other.name for other in path.parent.glob("*.nc"))) or "none"
        raise UserError(f"no product {path} (there: {near}); run `dvc pull` or `dvc repro infer`")
    attributes = _attributes(path)
    checks = [] if outs is None else [_bytes(path, outs)]
    checks += [_weights(attributes, champion), *inspect(path, attributes["experiment"], limits)]
    if recompute is not None:
        checks.append(_numbers(path, recompute))
    return checks


def _attributes(path: Path) -> dict[str, str]:
    """Return the global attributes that the chain hangs on."""
    try:
        with h5netcdf.File(path, "r") as file:
            attributes = {key: str(file.attrs.get(key)) for key in ("experiment", "weights_sha256")}
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


def _weights(attributes: Mapping[str, str], folder: Path) -> Check:
    """Check that the champion's files are whole and the ones that made the product."""
    record = folder / "champion.json"
    if not record.is_file():
        raise UserError(f"no champion.json in {folder}; run `dvc pull`, or `dvc repro promote`")
    recorded = read_json(record)["weights_sha256"]
    found = sha256_of_files(folder.glob("fold_*.safetensors"))
    return Check(
        name="weights",
        passed=attributes["weights_sha256"] == recorded == found,
        got=f"product {attributes['weights_sha256'][:12]}, champion.json {recorded[:12]}, files "
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
