"""Verification finds changed bytes, changed weights and numbers that cannot be made again."""

import hashlib
import shutil

import h5py
import numpy as np
import pytest

from soilfuse.errors import UserError
from soilfuse.files import sha256_of_files, write_json
from soilfuse.product.attributes import product_attributes
from soilfuse.product.checks import Limits
from soilfuse.product.verify import verify_product

LIMITS = Limits(min_coverage=1.0, max_soil_moisture=0.8)


@pytest.fixture
def chain(writing, tmp_path):
    """Return a product, its champion's folder, the outs of dvc.lock and what makes it again."""
    folder = tmp_path / "champion"
    folder.mkdir()
    for fold in range(2):
        (folder / f"fold_{fold}.safetensors").write_bytes(bytes([fold]) * 100)
    champion = {
        "weights_sha256": sha256_of_files(folder.glob("*.safetensors")),
        "ensemble_hash": "e",
        "registered_model": "m",
        "world": "real",
    }
    write_json(folder / "champion.json", champion)
    writing.attributes = product_attributes("ssp370", champion, ["MIROC6"], "trsr", "c", "d")
    path = tmp_path / "ssp370.nc"
    writing.write(path)
    outs = {path.as_posix(): hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}
    return path, folder, outs, lambda months: writing.mean[months]


def failed(path, folder, outs, recompute):
    checks = verify_product(path, folder, LIMITS, outs, recompute)
    return [check.name for check in checks if not check.passed]


def test_whole_chain_holds(chain):
    assert failed(*chain) == []
    names = [check.name for check in verify_product(chain[0], chain[1], LIMITS)]
    assert "bytes" not in names
    assert "numbers" not in names


def test_real_data_carries_no_synthetic_caveat(chain):
    with h5py.File(chain[0]) as file:
        assert "comment" not in file.attrs


def test_edited_number_is_found(chain):
    with h5py.File(chain[0], "r+") as file:
        file["soil_moisture"][0, 0, 0, 0] += 0.01
    assert failed(*chain) == ["bytes", "numbers"]


def test_product_that_dvc_does_not_know(chain):
    path, folder, _, recompute = chain
    checks = {c.name: c for c in verify_product(path, folder, LIMITS, {}, recompute)}
    assert not checks["bytes"].passed
    assert "no entry" in checks["bytes"].allowed


def test_other_weights_are_found(chain):
    (chain[1] / "fold_1.safetensors").write_bytes(b"other")
    assert failed(*chain) == ["weights"]


def test_recomputed_months_are_spread_over_the_product(chain):
    asked = []

    def recompute(months):
        asked.extend(months)
        return chain[3](months)

    verify_product(chain[0], chain[1], LIMITS, chain[2], recompute)
    assert asked == [0, 344, 687, 1031]


def test_recomputed_numbers_on_another_grid(chain):
    path, folder, outs, _ = chain
    with pytest.raises(UserError, match="recomputed months of .* have shape"):
        verify_product(path, folder, LIMITS, outs, lambda months: np.zeros((4, 5, 2, 2)))


def test_missing_product_names_what_is_there(chain):
    path, folder, _, _ = chain
    with pytest.raises(UserError, match=r"no product .*ssp585.nc \(there: ssp370.nc\)"):
        verify_product(path.with_name("ssp585.nc"), folder, LIMITS)


def test_no_champion(chain, tmp_path):
    shutil.rmtree(chain[1])
    with pytest.raises(UserError, match="no champion.json"):
        verify_product(chain[0], chain[1], LIMITS)


def test_file_that_is_no_product(chain):
    path, folder, _, _ = chain
    with h5py.File(path, "r+") as file:
        del file.attrs["experiment"]
    with pytest.raises(UserError, match="says experiment 'None'"):
        verify_product(path, folder, LIMITS)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="no readable NetCDF-4 file"):
        verify_product(path, folder, LIMITS)
