"""A product with its leave-one-out spread from champion to file, and one without it."""

import runpy
from contextlib import nullcontext
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import xarray as xr
from champion_cases import DOMAIN, SOURCES, write_champion
from small_sources import write_sources

from soilfuse import config, layout, names
from soilfuse.cli.verification import origin
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_content
from soilfuse.inference.inputs import files_of, model_batches
from soilfuse.inference.jackknife import Tally
from soilfuse.inference.opening import opened
from soilfuse.product import layout as of_product
from soilfuse.product.attributes import params_hash, product_attributes
from soilfuse.product.checks import Limits
from soilfuse.product.export import export
from soilfuse.product.gate import inspect
from soilfuse.product.part import Part
from soilfuse.product.provenance import RunRecord, read_prov, write_prov
from soilfuse.product.verify import verify_product
from soilfuse.product.writer import write_product
from soilfuse.tracking import lineage, prov, registry, stages

SPREAD = of_product.LEAVE_ONE_OUT
LIMITS = Limits(min_coverage=1.0, max_soil_moisture=0.8)
EXPERIMENT = "ssp245"


def params_of(root, leave_one_out):
    params = config.load(root / "profiles" / "demo.yaml")
    infer = {"leave_one_out": leave_one_out, "precision": "fp32", "batch": 100}
    compute = {"threads": 1, "device": "cpu"}
    changes = {
        "domain": config.Domain(**DOMAIN),
        "infer": params.infer.model_copy(update=infer),
        "compute": params.compute.model_copy(update=compute),
    }
    return params.model_copy(update=changes)


def made(path, params):
    """Write a product as the stage infer does; return its tally."""
    ensemble, crops, regions = opened(EXPERIMENT, params)
    attributes = product_attributes(
        EXPERIMENT,
        ensemble.champion,
        ensemble.manifest,
        crops.source_ids,
        "trsr",
        params_hash(params),
        str(crops.attrs["inputs_sha256"]),
        regions.sha256,
    )
    tally = Tally()
    batches = model_batches(crops, ensemble, params.infer.batch)
    write_product(
        path,
        EXPERIMENT,
        regions,
        crops.time,
        ensemble.depth_bounds,
        tally.watched(ensemble.stream(batches)),
        attributes,
        4,
        LIMITS,
        ensemble.left_out,
    )
    return tally


@pytest.fixture(scope="module")
def project(tmp_path_factory, request):
    """Return a project's folder with a champion, and ssp245 with and without the spread."""
    place = tmp_path_factory.mktemp("leaving")
    root = request.config.rootpath
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        write_sources(DOMAIN, SOURCES)
        write_champion(layout.CHAMPION)
        made(place / "with" / "ssp245.nc", params_of(root, True))
        made(place / "without" / "ssp245.nc", params_of(root, False))
    return place


@pytest.fixture(autouse=True)
def in_the_project(project, monkeypatch):
    monkeypatch.chdir(project)


@pytest.fixture
def asked(pytestconfig):
    return params_of(pytestconfig.rootpath, True)


def test_the_file_holds_what_was_predicted_and_says_what_it_is(project, asked):
    ensemble, crops, _ = opened(EXPERIMENT, asked)
    [part] = ensemble.stream(model_batches(crops, ensemble, 4, np.array([0, 500, 1031])))
    with xr.open_dataset(project / "with" / "ssp245.nc") as product:
        spread = product[SPREAD]
        assert spread.dims == ("time", "depth", "lat", "lon") and spread.attrs["units"] == "1"
        np.testing.assert_allclose(spread[[0, 500, 1031]], part.leave_one_out, rtol=5e-3)
        assert spread.min() > 0
        assert "jackknife standard error" in spread.attrs["long_name"]
        assert "No interval of error" in spread.attrs["comment"]
        assert spread.attrs["left_out_model"].startswith("its departure from its own climatology")
        assert SPREAD in product[names.SOIL_MOISTURE].attrs["ancillary_variables"]
        assert spread.encoding["chunksizes"] == product[names.SOIL_MOISTURE].encoding["chunksizes"]


def test_compliance_checker_finds_nothing_in_it(project, tmp_path):
    checker = pytest.importorskip("compliance_checker.runner")
    checker.CheckSuite.load_all_available_checkers()
    report = tmp_path / "report.txt"
    passed, errors = checker.ComplianceChecker.run_checker(
        "with/ssp245.nc", ["cf:1.11"], 0, "strict", output_filename=str(report)
    )
    assert passed, report.read_text(encoding="utf-8")
    assert not errors


def test_a_product_that_was_not_asked_for_it_is_as_before(project, tmp_path, asked):
    with h5py.File("without/ssp245.nc") as file:
        assert SPREAD not in file and "leave" not in str(dict(file.attrs)).lower()
        beside = file[names.SOIL_MOISTURE].attrs["ancillary_variables"].decode()
    assert beside == ("soil_moisture_fold_spread soil_moisture_model_spread outside_training_range")
    plain = asked.model_copy(
        update={"infer": asked.infer.model_copy(update={"leave_one_out": False})}
    )
    ensemble, *_ = opened(EXPERIMENT, plain)
    assert ensemble.leaving_out is None and ensemble.left_out == ""
    with h5py.File("with/ssp245.nc") as one, h5py.File("without/ssp245.nc") as other:
        for name in other:
            np.testing.assert_array_equal(one[name][...], other[name][...])


def test_the_hash_of_the_parameters_is_the_one_that_products_have(asked):
    infer = {"precision": "fp32", "significant_digits": 4}
    before = sha256_of_content([asked.domain.model_dump(), infer])
    without = asked.infer.model_copy(update={"leave_one_out": False})
    assert params_hash(asked.model_copy(update={"infer": without})) == before
    assert params_hash(asked) == sha256_of_content(
        [asked.domain.model_dump(), {**infer, "leave_one_out": True}]
    )


def test_what_is_made_twice_has_equal_bytes(project, tmp_path, asked):
    tally = made(tmp_path / "ssp245.nc", asked)
    assert (tmp_path / "ssp245.nc").read_bytes() == (project / "with/ssp245.nc").read_bytes()
    assert tally.months == 1032 and tally.sums.shape == (3, 5) and (tally.sums > 0).all()


def test_the_gate_looks_at_it(project, tmp_path):
    path = tmp_path / "ssp245.nc"
    path.write_bytes((project / "with" / "ssp245.nc").read_bytes())
    names_of = [check.name for check in inspect(path, EXPERIMENT, LIMITS)]
    assert "leave-one-out spread" in names_of
    plain = [check.name for check in inspect(project / "without/ssp245.nc", EXPERIMENT, LIMITS)]
    assert plain == [name for name in names_of if name != "leave-one-out spread"]
    for wrong in (-1e-3, np.nan, np.float32(of_product.FLOAT_FILL)):
        with h5py.File(path, "r+") as file:
            file[SPREAD][400, 2] = wrong
        failed = [c.name for c in inspect(path, EXPERIMENT, LIMITS) if not c.passed]
        assert failed == ["leave-one-out spread"]
    with h5py.File(path, "r+") as file:
        del file[SPREAD].attrs["left_out_model"]
    checks = {check.name: check for check in inspect(path, EXPERIMENT, LIMITS)}
    assert checks["variable attributes"].got == f"without {SPREAD}:left_out_model"


def test_verification_computes_it_again(project, tmp_path, asked):
    path = tmp_path / "ssp245.nc"
    path.write_bytes((project / "with" / "ssp245.nc").read_bytes())
    today = origin(EXPERIMENT, asked)
    assert sorted(today.used) == [
        "data/processed/cmip6/historical.nc",
        "data/processed/cmip6/ssp245.nc",
        "models/champion",
    ]

    def failed():
        record = RunRecord("run-1", "m", "1", "89b561e", dirty=False)
        write_prov(path.with_suffix(".prov.json"), path, EXPERIMENT, today.used, record)
        checks = verify_product(path, layout.CHAMPION, LIMITS, None, lambda _: today)
        return [check.name for check in checks if not check.passed]

    assert failed() == []
    with h5py.File(path, "r+") as file:
        file[SPREAD][0, 1, 3, 3] += 1e-3
    assert failed() == ["leave-one-out numbers"]
    path.write_bytes((project / "without" / "ssp245.nc").read_bytes())
    assert failed() == ["parameters", "leave-one-out numbers"]
    plain = asked.infer.model_copy(update={"leave_one_out": False})
    today = origin(EXPERIMENT, asked.model_copy(update={"infer": plain}))
    assert failed() == []


def test_climatologies_are_named_among_what_was_read_only_where_they_are(asked):
    ensemble, *_ = opened(EXPERIMENT, asked)
    names_of = [path.name for path in files_of(EXPERIMENT, ensemble.manifest, True)]
    assert names_of == ["historical.nc", "ssp245.nc"]
    assert [p.name for p in files_of(EXPERIMENT, ensemble.manifest)] == ["ssp245.nc"]
    assert [p.name for p in files_of("historical", ensemble.manifest, True)] == ["historical.nc"]
    told = {**ensemble.manifest["network"], "inputs": "differences"}
    held = {**ensemble.manifest, "network": told}
    assert [p.name for p in files_of(EXPERIMENT, held, True)] == ["ssp245.nc"]


def test_exports_take_it_along(project, tmp_path):
    part = Part(years=(2021, 2030), layers=[2])
    export(project / "with" / "ssp245.nc", tmp_path / "out.nc", part)
    with (
        xr.open_dataset(project / "with/ssp245.nc") as whole,
        xr.open_dataset(tmp_path / "out.nc") as out,
    ):
        expected = whole[SPREAD].sel(time=slice("2021", "2030")).isel(depth=[1])
        np.testing.assert_array_equal(out[SPREAD], expected)
        assert out[SPREAD].attrs == whole[SPREAD].attrs


@pytest.mark.parametrize(
    ("method", "models", "message"),
    [
        ("model:CESM2", None, "promote.method is 'model:CESM2', of which nothing would be left"),
        ("climatology", None, "in which climate models have no part; expected one of soilfuse, bi"),
        ("quantile_delta_mapping", None, "ranks months over whole series, once more for each"),
        ("soilfuse", {"CESM2": "r1i1p1f1"}, "is true with 1 climate model; expected 2 or more"),
    ],
)
def test_params_that_ask_for_what_there_is_not_are_refused(
    method, models, message, asked, pytestconfig
):
    content = config.load(pytestconfig.rootpath / "profiles/demo.yaml").model_dump(mode="json")
    content["infer"]["leave_one_out"] = True
    config.validate(content)
    content["promote"]["method"] = method
    content["cmip6"]["models"] = models or content["cmip6"]["models"]
    with pytest.raises(UserError, match=message) as raised:
        config.validate(content)
    assert len(raised.value.problems) == 1
    content["infer"]["leave_one_out"] = False
    config.validate(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"leave_one_out": "yes"}, "'infer.leave_one_out': got 'yes'"),
        ({"leave_one_out": 1}, "'infer.leave_one_out': got 1"),
        ({"leave_one_ot": True}, "did you mean 'infer.leave_one_out'"),
    ],
)
def test_a_key_or_value_that_is_nearly_right_is_told(change, message, pytestconfig):
    content = config.load(pytestconfig.rootpath / "profiles/demo.yaml").model_dump(mode="json")
    if "leave_one_ot" in change:
        del content["infer"]["leave_one_out"]
    content["infer"] |= change
    with pytest.raises(UserError, match=message):
        config.validate(content)


def test_predictions_without_it_are_no_product_that_has_it(project, tmp_path, asked):
    plain = asked.infer.model_copy(update={"leave_one_out": False})
    ensemble, crops, regions = opened(EXPERIMENT, asked.model_copy(update={"infer": plain}))
    given = ensemble.predict(*next(model_batches(crops, ensemble, 1)))
    with pytest.raises(ValueError, match="no leave_one_out"):
        write_product(
            tmp_path / "ssp245.nc",
            EXPERIMENT,
            regions,
            crops.time,
            ensemble.depth_bounds,
            [given],
            {},
            4,
            LIMITS,
            "some way",
        )
    assert list(tmp_path.iterdir()) == []


def test_the_stage_writes_it_and_logs_which_model_matters_most(
    project, tmp_path, asked, monkeypatch, pytestconfig
):
    logged = {}
    run = SimpleNamespace(
        run_id="run-1",
        log_metrics=logged.update,
        log_text=lambda text, name: logged.update({name: text}),
    )
    monkeypatch.setattr(config, "load", lambda: asked)
    monkeypatch.setattr(stages, "declared_run", lambda *_: nullcontext(run))
    monkeypatch.setattr(registry, "require_champion", lambda *_: 1)
    monkeypatch.setattr(lineage, "git_state", lambda _: ("89b561e", False))
    monkeypatch.setattr(prov, "upstream", lambda _: {})
    monkeypatch.setattr(layout, "product", lambda name: tmp_path / f"{name}.nc")
    monkeypatch.setattr(layout, "provenance", lambda name: tmp_path / f"{name}.prov.json")
    (project / "params.yaml").touch()
    runpy.run_path(str(pytestconfig.rootpath / "pipelines" / "infer.py"))["main"](EXPERIMENT)
    with h5py.File(tmp_path / "ssp245.nc") as file, h5py.File("with/ssp245.nc") as other:
        np.testing.assert_array_equal(file[SPREAD][...], other[SPREAD][...])
    used = read_prov(tmp_path / "ssp245.prov.json")[1]
    assert "data/processed/cmip6/historical.nc" in used
    means = logged["leave_one_out"]
    assert set(means) == set(SOURCES) and min(means.values()) > 0
    rows = logged["leave_one_out.csv"].splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == sorted(means, key=means.get, reverse=True)
