"""Whether a product is what the project would make today: parameters, inputs, record, numbers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5netcdf
import numpy as np

from soilfuse import names
from soilfuse.checks import Check
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_file
from soilfuse.product import layout
from soilfuse.product.provenance import read_prov

Recompute = Callable[[np.ndarray], np.ndarray]
MONTHS = 4  # recomputed, spread over the product
DEVICE_ROUNDING = 1e-5  # m3 m-3 by which devices and thread counts may differ
SHORTENED = 2e-4  # the same of bfloat16 convolutions; infer tries other months, to half of it


@dataclass(frozen=True)
class Origin:
    """What a product should have been made from, as the project holds it today.

    params_sha256: see `attributes.params_hash`; inputs_sha256: of the climate models' file;
    regions_sha256: of their names and cells; used: path in the project -> DVC hash of what the
    product's record must name; recompute: given (n,) indices of months, returns their (n, D, H, W)
    soil moisture in m3 m-3; respread: the same of the leave-one-out spread, None where no product
    has one.
    """

    params_sha256: str
    inputs_sha256: str
    regions_sha256: str
    used: Mapping[str, str]
    recompute: Recompute
    respread: Recompute | None = None


def of_today(path: Path, attributes: Mapping[str, str], origin: Origin) -> Iterator[Check]:
    """Check that a product is what the project would make today."""
    yield _same("parameters", attributes["params_sha256"], origin.params_sha256, "params.yaml")
    yield _same("inputs", attributes["inputs_sha256"], origin.inputs_sha256, "climate models")
    yield _same("regions", attributes["regions_sha256"], origin.regions_sha256, "regions")
    yield _record(path, origin.used)
    rounding = SHORTENED if attributes.get("precision") == "bf16" else DEVICE_ROUNDING
    yield _numbers(path, names.SOIL_MOISTURE, "numbers", origin.recompute, rounding)
    if origin.respread is not None:
        name = "leave-one-out numbers"
        yield _numbers(path, layout.LEAVE_ONE_OUT, name, origin.respread, rounding)


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


def _numbers(path: Path, name: str, check: str, recompute: Recompute, rounding: float) -> Check:
    """Recompute some months of a variable and compare them within the product's rounding."""
    with h5netcdf.File(path, "r") as file:
        if name not in file.variables:
            return Check(check, False, f"without {name}", "with it", "params.yaml asks for it")
        variable = file.variables[name]
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
    excess = np.abs(stored - exact) - (np.abs(exact) * 2.0 ** -(bits + 1) + rounding)
    agree = (excess <= 0) | (np.isnan(stored) & np.isnan(exact))
    return Check(
        name=check,
        passed=bool(agree.all()),
        got=f"{int((~agree).sum())} of {agree.size} values apart in {len(months)} months",
        allowed=f"none by more than rounding to {bits} bits and {rounding:g}",
        why="the weights and inputs of today must give the published numbers",
    )
