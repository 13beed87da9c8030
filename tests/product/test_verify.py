"""Verification finds changed bytes, changed weights and numbers that cannot be made again."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from soilfuse import config, seeding
from soilfuse.cli import verification
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_files, write_json
from soilfuse.product.attributes import params_hash, product_attributes
from soilfuse.product.checks import Limits
from soilfuse.product.provenance import RunRecord, write_prov
from soilfuse.product.verify import Origin, verify_product
from soilfuse.tracking.graph import Recorded, Step
from soilfuse.tracking.lineage import content_hash

DEMO = Path(__file__).parents[2] / "profiles" / "demo.yaml"
USED = {"data/processed/cmip6/ssp370.nc": "1a", "models/champion": "2b.dir"}
LIMITS = Limits(min_coverage=1.0, max_soil_moisture=0.8)


@pytest.fixture
def chain(writing, tmp_path):
    """Return a product, its champion's folder, the outs of dvc.lock and the origin of today."""
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
    manifest = {"source_ids": ["MIROC6"], "smoothing_years": 1}
    writing.attributes = product_attributes(
        "ssp370", champion, manifest, ["MIROC6"], "trsr", "params", "inputs", "regions"
    )
    path = tmp_path / "ssp370.nc"
    writing.write(path)
    run = RunRecord("run-1", "m", "1", "89b561e", dirty=False)
    sidecar = path.with_suffix(".prov.json")
    write_prov(sidecar, path, "ssp370", {**USED, "params.yaml": "3c"}, run)
    outs = {
        made.as_posix(): hashlib.md5(made.read_bytes(), usedforsecurity=False).hexdigest()
        for made in (path, sidecar)
    }
    return (
        path,
        folder,
        outs,
        Origin("params", "inputs", "regions", USED, lambda months: writing.mean[months]),
    )


def verified(path, folder, outs, origin):
    def origin_of(experiment):
        assert experiment == "ssp370"
        return origin

    return verify_product(path, folder, LIMITS, outs, origin_of)


def failed(*chain):
    checks = verified(*chain)
    return [check.name for check in checks if not check.passed]


def test_whole_chain_holds(chain):
    assert failed(*chain) == []
    names = [check.name for check in verify_product(chain[0], chain[1], LIMITS)]
    assert "bytes" not in names
    assert "numbers" not in names
    assert "record" not in names


def test_real_data_carries_no_synthetic_caveat(chain):
    with h5py.File(chain[0]) as file:
        assert "comment" not in file.attrs


def test_edited_number_is_found(chain):
    with h5py.File(chain[0], "r+") as file:
        file["soil_moisture"][0, 0, 0, 0] += 0.01
    assert failed(*chain) == ["bytes", "record", "numbers"]


def test_product_that_dvc_does_not_know(chain):
    path, folder, _, origin = chain
    checks = {c.name: c for c in verified(path, folder, {}, origin)}
    assert not checks["bytes"].passed
    assert "no entry" in checks["bytes"].allowed


def test_a_product_under_another_s_name_is_found(chain):
    path, *rest = chain
    for suffix in (".nc", ".prov.json"):
        path.with_name(f"ssp245{suffix}").symlink_to(path.with_suffix(suffix).name)
    other = path.with_name("ssp245.nc")
    assert failed(other, *rest)[:2] == ["bytes", "name"]


def test_a_link_to_dvc_s_cache_is_the_product_and_one_to_another_is_not(chain, monkeypatch):
    path, folder, outs, origin = chain
    monkeypatch.chdir(folder.parent)
    cache = folder.parent / "cache"
    cache.mkdir()
    lock = {}
    for file in (path, path.with_suffix(".prov.json")):
        lock[file.name] = outs[file.as_posix()]
        file.rename(cache / outs[file.as_posix()])
        file.symlink_to(cache / outs[file.as_posix()])
    Path("ssp245.nc").symlink_to("ssp370.nc")
    lock["ssp245.nc"] = "another"
    made = {name: Recorded(name, md5) for name, md5 in lock.items()}
    step = Step("infer", "", {}, made)
    monkeypatch.setattr(verification, "locked_steps", lambda root: {"infer": step})
    monkeypatch.setattr(verification, "origin", lambda experiment, params: origin)
    monkeypatch.setattr(verification.layout, "CHAMPION", folder)
    params = config.load(DEMO)
    for given in (Path("ssp370.nc"), path):
        assert [c.name for c in verification.verify_file(given, params) if not c.passed] == []
    lines = verification.verify_file(Path("ssp245.nc"), params)
    assert [c.name for c in lines if not c.passed][:2] == ["bytes", "name"]


def test_a_damaged_lock_is_told_before_any_check(chain, monkeypatch):
    monkeypatch.chdir(chain[0].parent)
    Path("dvc.yaml").write_text("stages: {infer: {cmd: infer}}")
    Path("dvc.lock").write_text("stages: {infer: [")
    with pytest.raises(UserError, match="dvc.lock in .* is damaged .*run `git checkout dvc.lock`"):
        verification.verify_file(chain[0], config.load(DEMO))


def test_other_weights_are_found(chain):
    (chain[1] / "fold_1.safetensors").write_bytes(b"other")
    assert failed(*chain) == ["weights"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1, 2]", "holds [1, 2]; expected named entries"),
        ('"abc"', "holds abc; expected named entries"),
        ("{}", "lacks weights_sha256; expected all of its entries"),
        ("no JSON", "is broken: "),
    ],
)
def test_a_broken_record_of_the_champion_is_a_failed_check(chain, text, told):
    record = chain[1] / "champion.json"
    record.write_text(text)
    [broken] = [check for check in verified(*chain) if not check.passed]
    assert broken.name == "weights"
    assert broken.got.startswith(f"{record} {told}")
    assert broken.got.endswith(
        f"run `dvc checkout {record}`, or `dvc repro` for the stage that writes it"
    )


@pytest.mark.parametrize("junk", [7, None, ["a"], {}])
def test_weights_of_a_champion_that_are_no_hash_are_found(chain, junk):
    write_json(chain[1] / "champion.json", {"weights_sha256": junk})
    assert failed(*chain) == ["weights"]


def test_recomputed_months_are_spread_over_the_product(chain):
    path, folder, outs, origin = chain
    asked = []

    def recompute(months):
        asked.extend(months)
        return origin.recompute(months)

    verified(path, folder, outs, replace(origin, recompute=recompute))
    assert asked == [0, 344, 687, 1031]


@pytest.mark.parametrize(
    ("precision", "off", "wrong"),
    [
        ("fp32", 0.0, []),
        ("fp32", 1.5e-4, ["numbers"]),
        ("bf16", 1.5e-4, []),
        ("bf16", -1.5e-4, []),
        ("bf16", 1e-3, ["numbers"]),
    ],
)
def test_a_product_in_bf16_may_be_a_little_further_from_float32(
    chain, writing, precision, off, wrong
):
    """Far from zero rounding to the product's digits would hide it: the least value is near."""
    path, folder, outs, origin = chain
    writing.mean = writing.mean * np.float32(1e-3)
    writing.attributes["precision"] = precision
    writing.write(path)
    sidecar = path.with_suffix(".prov.json")
    write_prov(sidecar, path, "ssp370", USED, RunRecord("run-1", "m", "1", "89b561e", dirty=False))
    outs |= {made.as_posix(): content_hash(made) for made in (path, sidecar)}
    today = replace(origin, recompute=lambda months: writing.mean[months] + np.float32(off))
    assert failed(path, folder, outs, today) == wrong


def test_recomputed_numbers_on_another_grid(chain):
    path, folder, outs, origin = chain
    other = replace(origin, recompute=lambda months: np.zeros((4, 5, 2, 2)))
    with pytest.raises(UserError, match="recomputed months of .* have shape"):
        verified(path, folder, outs, other)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"params_sha256": "other"}, "parameters"),
        ({"inputs_sha256": "other"}, "inputs"),
        ({"used": {**USED, "models/champion": "other.dir"}}, "record"),
        ({"used": {**USED, "more.nc": "4d"}}, "record"),
    ],
)
def test_another_origin_is_found(chain, change, check):
    path, folder, outs, origin = chain
    assert failed(path, folder, outs, replace(origin, **change)) == [check]


@pytest.mark.parametrize("text", [None, "{}", "no JSON", '{"entity": {}, "wasGeneratedBy": {}}'])
def test_a_product_without_its_record_is_found(chain, text):
    sidecar = chain[0].with_suffix(".prov.json")
    sidecar.unlink()
    if text is not None:
        sidecar.write_text(text)
    assert failed(*chain) == ["record bytes", "record"]


def test_a_damaged_file_fails_where_the_recorded_bytes_are_known(chain):
    path, folder, outs, origin = chain
    path.write_bytes(path.read_bytes()[:200])
    checks = verified(path, folder, outs, origin)
    wrong = [(c.name, c.got) for c in checks if not c.passed]
    assert [name for name, _ in wrong] == ["bytes", "readable"]
    assert "no readable NetCDF-4 file" in wrong[1][1]


def test_a_record_that_was_only_laid_out_anew_is_found(chain):
    sidecar = chain[0].with_suffix(".prov.json")
    sidecar.write_text(sidecar.read_text() + "\n")
    assert failed(*chain) == ["record bytes"]


@pytest.mark.parametrize("name", ["fold_1.safetensors", "champion.json", "ssp370.prov.json"])
def test_any_changed_byte_of_what_stands_beside_a_product_is_found(chain, name, tmp_path):
    path, folder, outs, origin = chain
    run = RunRecord("run-1", "m", "1", "89b561e", dirty=False)
    sidecar = path.with_suffix(".prov.json")

    def used():  # as `soilfuse verify` takes it, from the files themselves
        return {**USED, "models/champion": content_hash(folder)}

    def today(experiment):
        return replace(origin, used=used())

    write_prov(sidecar, path, "ssp370", used(), run)
    outs[sidecar.as_posix()] = content_hash(sidecar)
    target = next(tmp_path.rglob(name))
    whole = target.read_bytes()
    assert all(c.passed for c in verify_product(path, folder, LIMITS, outs, today))
    for place in seeding.generator(7, name).choice(len(whole), 10).tolist():
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        target.write_bytes(changed)
        assert is_refused(path, folder, outs, today), f"byte {place} of {name}"


def is_refused(path, folder, outs, origin_of):
    """Return whether verification fails a check, or refuses in one line."""
    try:
        checks = verify_product(path, folder, LIMITS, outs, origin_of)
    except UserError as error:
        return len(error.problems) == 1
    wrong = [check for check in checks if not check.passed]
    assert all("\n" not in check.got for check in wrong)
    return bool(wrong)


def test_any_changed_byte_of_a_product_is_found(chain):
    """In headers, where libraries stumble, and anywhere else."""
    path, folder, outs, origin = chain
    whole = path.read_bytes()
    random = seeding.generator(8, "product")
    places = {*random.choice(4096, 10).tolist(), *random.choice(len(whole), 6).tolist()}
    for place in sorted(places):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        assert is_refused(path, folder, outs, lambda experiment: origin), f"byte {place}"


def test_the_hash_of_the_parameters_is_of_those_that_decide_the_numbers():
    params = config.load(DEMO)

    def changed(section, **changes):
        own = getattr(params, section).model_copy(update=changes)
        return params_hash(params.model_copy(update={section: own}))

    assert changed("infer", batch=7) == changed("report", title="x") == params_hash(params)
    assert changed("infer", significant_digits=2) != params_hash(params)
    assert changed("domain", west=90.0) != params_hash(params)


def test_regions_of_other_cells_are_found(chain):
    path, folder, outs, origin = chain
    assert failed(path, folder, outs, replace(origin, regions_sha256="others")) == ["regions"]


def test_missing_product_names_what_is_there(chain):
    path, folder, _, _ = chain
    with pytest.raises(UserError, match=r"no product .*ssp585.nc \(there: ssp370.nc\)"):
        verify_product(path.with_name("ssp585.nc"), folder, LIMITS)
    with pytest.raises(
        UserError, match=r"is a folder, no product \(there: ssp370.nc\); name a file"
    ):
        verify_product(path.parent, folder, LIMITS)


def test_a_file_of_other_bytes_is_looked_at_by_a_process_of_its_own_first(chain):
    path, folder, outs, _ = chain
    asked = []

    def crash(file):
        asked.append(file)
        raise UserError("it crashes the library")

    verify_product(path, folder, LIMITS, outs, None, crash)
    assert asked == []
    others = {**outs, path.as_posix(): "of other bytes"}
    checks = verify_product(path, folder, LIMITS, others, None, crash)
    assert asked == [path]
    assert [check.name for check in checks if not check.passed] == ["bytes", "readable"]


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
