"""Simple methods in the place of the networks: what is scored is what products hold."""

import json
from pathlib import Path

import numpy as np
import pytest
from champion_cases import DOMAIN, SOURCES, write_champion
from small_sources import write_sources

from soilfuse import config, layout, names
from soilfuse.baselines import storing
from soilfuse.baselines.registry import build
from soilfuse.errors import UserError
from soilfuse.evaluation.material import Material, Series
from soilfuse.evaluation.yardsticks import ClimateModels, baseline_method
from soilfuse.files import read_json, sha256_of_files, write_json
from soilfuse.grids.months import month_axis, month_of
from soilfuse.grids.regions import regions_of
from soilfuse.inference import fitting
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.fitted import WHOLE, require_method
from soilfuse.inference.fitting import fit_folds
from soilfuse.inference.inputs import files_of, input_range, inputs_of, model_batches
from soilfuse.inference.manifests import read_manifests
from soilfuse.product.attributes import product_attributes
from soilfuse.sources.processed import read_field, read_models
from soilfuse.training.folds import final_test, folds

REGIONS = regions_of(config.Domain(**DOMAIN))
METHODS = [*names.BASELINES, "model:CESM2"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return the folder of a project with processed data and five trained networks."""
    place = tmp_path_factory.mktemp("methods")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        write_sources(DOMAIN, SOURCES)
        write_champion(layout.FINETUNE)
    return place


@pytest.fixture(autouse=True)
def in_the_project(project, monkeypatch):
    monkeypatch.chdir(project)


def champion_of(method, folder):
    folder.mkdir()
    fit_folds(method, read_manifests(layout.FINETUNE), REGIONS, folder)
    models = read_models(layout.climate_models("historical"))
    record = {
        "registered_model": "soilfuse-test",
        "weights_sha256": sha256_of_files(folder.glob("fold_*.safetensors")),
        "ensemble_hash": read_json(folder / "fold_0.json")["ensemble_hash"],
        "caveats": [],
        "input_range": input_range(models, REGIONS.grid, SOURCES),
        "world": "v1 seed 1",
    }
    write_json(folder / "champion.json", record)
    return folder


def product_of(method, experiment, folder, times=None):
    """Return (mean, fold_spread) of an experiment's months as the stage infer makes them."""
    ensemble = Ensemble.load(champion_of(method, folder))
    crops = inputs_of(experiment, ensemble.manifest)
    parts = list(ensemble.stream(model_batches(crops, ensemble, 50, times)))
    return tuple(np.concatenate([getattr(p, n) for p in parts]) for n in ("mean", "fold_spread"))


def scored(method):
    """Return what evaluate judges of a method."""

    def inputs(experiment):
        crops = read_models(layout.climate_models(experiment))
        order = [crops.source_ids.index(name) for name in SOURCES]
        return Series(crops.time, crops.interpolated(REGIONS.grid)[:, order])

    target = read_field(layout.AMSMQTP)
    material = Material(
        grid=REGIONS.grid,
        regions=REGIONS.masks,
        target=Series(target["time"].values, target[names.SOIL_MOISTURE].values),
        source_ids=SOURCES,
        experiments=("historical", "ssp245"),
        inputs=inputs,
        truth=None,
        folds=folds("blocked", 1),
        stations=None,
        world="v1 seed 1",
    )
    kept = {"historical": material.outer_months, "ssp245": final_test()}
    return baseline_method(method, material, ClimateModels(inputs, kept), final_test())


@pytest.mark.parametrize("method", METHODS)
def test_a_product_holds_what_was_scored(method, tmp_path):
    judged = scored(method)
    for experiment in ("historical", "ssp245"):
        mean, spread = product_of(method, experiment, tmp_path / experiment)
        np.testing.assert_allclose(mean, judged.future(experiment).values, atol=2e-6)
        learned = method not in ("ensemble_mean", "model:CESM2")
        assert (spread.max() > 0) == learned
    wanted = np.isin(judged.future("ssp245").time, final_test())
    np.testing.assert_allclose(mean[wanted], judged.final.values, atol=2e-6)


def test_the_product_of_the_climatology_repeats_it(tmp_path):
    mean, _ = product_of("climatology", "ssp245", tmp_path / "one")
    target = read_field(layout.AMSMQTP)
    values, calendar = target[names.SOIL_MOISTURE].values, month_of(target["time"].values)
    seen = target["time"].values < np.datetime64("2015")
    for month in range(1, 13):
        own = values[seen & (calendar == month)].mean(axis=0, dtype=np.float64)
        np.testing.assert_allclose(mean[month - 1 :: 12] - own, 0, atol=1e-6)


def test_a_single_model_is_that_model_in_every_layer(tmp_path):
    mean, _ = product_of("model:CESM2", "ssp245", tmp_path / "one")
    crops = read_models(layout.climate_models("ssp245"))
    own = crops.interpolated(REGIONS.grid)[:, crops.source_ids.index("CESM2")]
    for layer in range(5):
        np.testing.assert_array_equal(mean[:, layer], own)


@pytest.mark.parametrize("method", ["delta_change", "quantile_delta_mapping"])
def test_chosen_months_are_those_of_the_whole(method, tmp_path):
    whole, _ = product_of(method, "ssp245", tmp_path / "whole")
    times = np.array([0, 500, 1031])
    some, _ = product_of(method, "ssp245", tmp_path / "some", times)
    np.testing.assert_array_equal(some, whole[times])


@pytest.mark.parametrize("method", METHODS)
def test_what_was_fitted_is_read_bit_for_bit(method, tmp_path):
    folder = champion_of(method, tmp_path / "one")
    champion_of(method, tmp_path / "two")
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    loaded = storing.load(folder / WHOLE, build(method, SOURCES))
    storing.save(tmp_path / "again.safetensors", loaded)
    assert (tmp_path / "again.safetensors").read_bytes() == (folder / WHOLE).read_bytes()


def test_quantile_delta_mapping_of_single_months_is_refused(tmp_path):
    ensemble = Ensemble.load(champion_of("quantile_delta_mapping", tmp_path / "one"))
    given = np.full((1, 3, *REGIONS.grid.shape), 0.3, np.float32), np.array([1])
    with pytest.raises(UserError, match="^quantile delta mapping places each month among the 31"):
        ensemble.predict(*given)
    assert [p.name for p in files_of("ssp245", ensemble.manifest)] == [
        "historical.nc",
        "ssp245.nc",
    ]
    assert files_of("historical", ensemble.manifest) == files_of("ssp245", ensemble.manifest)


def test_a_fit_of_another_method_or_a_changed_one_is_refused(tmp_path):
    folder = champion_of("delta_change", tmp_path / "one")
    other = champion_of("ridge", tmp_path / "two")
    (folder / WHOLE).write_bytes((other / WHOLE).read_bytes())
    with pytest.raises(UserError, match=r"fold_all.safetensors holds inside, models, penalties"):
        Ensemble.load(folder)
    third = champion_of("delta_change", tmp_path / "three")
    (third / WHOLE).write_bytes((third / "fold_0.safetensors").read_bytes())
    with pytest.raises(UserError, match=r"fold_all.safetensors has SHA-256 .* manifest says"):
        Ensemble.load(third)
    (third / WHOLE).unlink()
    with pytest.raises(UserError, match=r"fold_all.safetensors is no whole safetensors file"):
        Ensemble.load(third)


@pytest.mark.parametrize(
    ("axis", "kept", "lacking"),
    [
        ([0, 1, 2], [0, 2], "1 months missing in x.nc, the first 2000-02"),
        ([0, 1, 2, 3], [0, 1], "2 months missing in x.nc, the first 2000-03"),
    ],
    ids=["within", "at its end"],
)
def test_a_missing_month_is_no_other_one(axis, kept, lacking):
    months = month_axis(2000, 2000)
    with pytest.raises(UserError, match=lacking):
        fitting._places(months[kept], months[axis], Path("x.nc"))
    assert fitting._places(months, months[kept], Path("x.nc")).tolist() == kept


def test_an_unknown_method_is_sent_to_where_it_was_named(tmp_path):
    manifests = read_manifests(layout.FINETUNE)
    with pytest.raises(UserError, match=r"did you mean 'model:CESM2'.*params.yaml:promote.method"):
        fit_folds("model:CESM", manifests, REGIONS, tmp_path)


def test_an_unknown_method_gets_the_nearest_name(tmp_path):
    with pytest.raises(UserError, match="did you mean 'model:CESM2'"):
        build("model:CESM", SOURCES)
    folder = champion_of("delta_change", tmp_path / "one")
    for path in folder.glob("fold_*.json"):
        path.write_text(path.read_text().replace('"delta_change"', '"delta_chnage"'))
    with pytest.raises(UserError, match="was changed after training"):
        Ensemble.load(folder)


def test_a_manifest_of_no_known_method_is_told_what_there_is():
    manifest = {"source_ids": SOURCES, "method": "delta_chnage"}
    with pytest.raises(UserError, match="^x.json names method 'delta_chnage'; expected") as raised:
        require_method(Path("x.json"), manifest)
    line = str(raised.value)
    assert "one of climatology, " in line and "soilfuse" not in line
    assert "run `dvc checkout x.json`" in line


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("delta_change", "delta change, fitted to AMSMQTP of 2000-2014, of monthly mrsos of 3"),
        ("climatology", "the climatology of AMSMQTP in 2000-2014; climate models have no part"),
        ("model:CESM2", "monthly mrsos of climate model CESM2 alone, the same in every layer"),
    ],
)
def test_a_product_says_which_method_made_it(method, told, tmp_path):
    folder = champion_of(method, tmp_path / "one")
    given = read_json(folder / "champion.json"), read_json(folder / "fold_0.json"), SOURCES
    got = product_attributes("ssp245", *given, "trsr", "a", "b", "c")
    assert told in got["source"]
    assert got["title"].endswith(f", by {names.method_title(method)}")
    assert "network" not in json.dumps({key: got[key] for key in ("title", "source", "history")})
    assert got["method"] == method
    networks = read_json(layout.FINETUNE / "fold_0.json")
    own = product_attributes("ssp245", given[0], networks, SOURCES, "trsr", "a", "b", "c")
    assert "mean of networks" in own["source"]
