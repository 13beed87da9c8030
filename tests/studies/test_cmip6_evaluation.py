"""The study of CMIP6 skill from raw files to its page, on a small globe."""

import re
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from soilfuse import config
from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.errors import UserError
from soilfuse.evaluation.cmip6.evaluate import evaluate
from soilfuse.evaluation.cmip6.outputs import TABLES, read_skill, write_skill
from soilfuse.grids.grid import Grid
from soilfuse.grids.land import land_mask
from soilfuse.report.cmip6.page import write_study_page
from soilfuse.sources.reanalyses import REANALYSES
from soilfuse.sources.water import VARIABLES, model_water, read_water, reanalysis_water, write_water
from soilfuse.world.wide.globe import write_globe

PARAMS = """
study: cmip6_evaluation
profile: test
seed: 1
raw_root: raw
years: [1995, 1997]
domain: {name: globe, west: -175.0, east: 175.0, south: -55.0, north: 75.0, resolution: 5.0,
         regions: world_boxes}
compute: {threads: 1, device: cpu, devices: 1, deterministic: false}
world: {seed: 1, coarsen: 8}
models:
  CESM2: [r1i1p1f1]
  CNRM-CM6-1: [r1i1p1f2]
  CNRM-ESM2-1: [r1i1p1f2]
  MIROC6: [r1i1p1f1, r2i1p1f1]
skill: {good_tss: 0.6, alpha: 0.05}
report: {title: A small globe}
"""


@pytest.fixture(scope="module")
def params():
    return config.validate(YAML(typ="safe", pure=True).load(PARAMS))


@pytest.fixture(scope="module")
def grid(params):
    return Grid.of(params.domain)


@pytest.fixture(scope="module")
def root(params, tmp_path_factory):
    root = tmp_path_factory.mktemp("globe")
    write_globe(root, params.models, params.years, params.world.coarsen, params.world.seed)
    return root


@pytest.fixture(scope="module")
def models(params, grid, root):
    return {
        name: model_water(root, name, members, params.years, grid)
        for name, members in params.models.items()
    }


@pytest.fixture(scope="module")
def references(params, grid, root):
    return {name: reanalysis_water(root, name, params.years, grid) for name in REANALYSES}


@pytest.fixture(scope="module")
def skill(models, references, grid):
    return evaluate(models, references, grid, 0.6, 0.05)


def test_every_file_of_the_world_is_read_onto_the_land(models, references, grid):
    inland = land_mask(grid)
    for name, water in (models | references).items():
        for variable in water.data_vars:
            values = water[variable].values
            assert values.shape == (36, *grid.shape)
            # A cell on a coast may be sea on a coarse grid of a model's own.
            assert np.isfinite(values[:, inland]).mean() > 0.97, (name, variable)
    assert set(models["CESM2"].data_vars) == set(VARIABLES)


def test_members_are_averaged_first(params, grid, root, models):
    each = [
        model_water(root, "MIROC6", [member], params.years, grid)["deep"].values
        for member in params.models["MIROC6"]
    ]
    assert not np.allclose(*each, equal_nan=True)
    np.testing.assert_allclose(models["MIROC6"]["deep"].values, np.mean(each, axis=0), rtol=1e-5)


def test_what_table_1_lacks_is_named_and_weighs_nothing(models, skill):
    assert models["CNRM-ESM2-1"].attrs["left_out"] == "shallow"
    rows = skill.tables["models"].set_index("source_id")
    assert rows["weight_shallow"].to_dict() == pytest.approx(
        {"CESM2": 1 / 3, "CNRM-CM6-1": 1 / 3, "CNRM-ESM2-1": 0.0, "MIROC6": 1 / 3}
    )
    assert rows.loc["CNRM-ESM2-1", "weight_deep"] == pytest.approx(1 / 6)
    assert rows.loc["CNRM-ESM2-1", "left_out"] == "shallow"
    tss = skill.tables["tss"]
    assert set(tss[tss["source"] == "CNRM-ESM2-1"]["variable"]) == {"deep"}


def test_tables_hold_every_region_reference_and_group(skill):
    taylor = skill.tables["taylor"]
    assert taylor.groupby(["variable", "reference"])["region"].nunique().eq(15).all()
    shallow = taylor[(taylor["variable"] == "shallow") & (taylor["reference"] == "era5")]
    assert set(shallow["kind"]) == {"model", "mean", "reanalysis"}
    assert {"MMEM", "MMEM-high", "MMEM-low"} <= set(shallow["source"])
    near = shallow[shallow["source"] == "era_interim"]["tss"]
    assert (near > 0.8).all()
    counts = skill.tables["counts"]
    regions = counts[(counts["by"] == "region") & (counts["variable"] == "shallow")]
    assert (regions["of"] == 3).all()
    chosen = shallow[(shallow["kind"] == "model") & (shallow["region"] == "AUS")]
    row = regions[(regions["name"] == "AUS") & (regions["reference"] == "era5")]
    assert row["good"].item() == (chosen["tss"] > 0.6).sum()


def test_maps_agree_with_the_fields(skill, models, references, grid):
    maps = skill.maps
    gained = maps["mean"].sel(variable="P-E-R", source="era5").values
    era5 = references["era5"]
    expected = (era5["pr"] - era5["evspsbl"] - era5["mrros"]).mean("time").values * 365.25
    np.testing.assert_allclose(gained, expected, rtol=1e-3, atol=0.1)
    model = maps["mean"].sel(variable="deep", source="MMEM").values
    reference = maps["mean"].sel(variable="deep", source="gldas").values
    ratio = maps["ratio_of_bias"].sel(depth="deep", reference="gldas").values
    np.testing.assert_allclose(ratio, (model - reference) / model, atol=1e-4)
    row, column = np.argwhere(land_mask(grid) & np.isfinite(ratio))[40]
    series = era5["shallow"][:, row, column], (era5["pr"] - era5["evspsbl"])[:, row, column]
    r = maps["r"].sel(gain="P-E", source="era5").values[row, column]
    assert r == pytest.approx(np.corrcoef(*series)[0, 1], abs=1e-5)


def test_results_are_read_as_they_were_written(skill, tmp_path):
    write_skill(tmp_path / "one", skill)
    found = read_skill(tmp_path / "one")
    write_skill(tmp_path / "two", found)
    for path in (tmp_path / "one").iterdir():
        if path.suffix != ".nc":
            assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
    assert set(found.tables) == set(TABLES)
    assert found.facts["world"] == "globe v1 seed 1"


def test_water_comes_back_from_its_file_and_its_bytes_repeat(models, tmp_path):
    for folder in ("one", "two"):
        write_water(tmp_path / folder / "CESM2.nc", models["CESM2"])
    assert len({path.read_bytes() for path in tmp_path.rglob("*.nc")}) == 1
    (found,) = read_water([tmp_path / "one" / "CESM2.nc"]).values()
    np.testing.assert_array_equal(found["pr"], models["CESM2"]["pr"])
    assert found.attrs["members"] == 1


def test_sources_of_two_worlds_or_of_other_months_are_refused(models, references, grid):
    other = models["CESM2"].assign_attrs(world="real")
    with pytest.raises(UserError, match="world of era5 differ from those of CESM2"):
        evaluate({"CESM2": other}, references, grid, 0.6, 0.05)
    late = models["CESM2"].isel(time=slice(12, None))
    with pytest.raises(UserError, match="months of era5 differ from those of CESM2"):
        evaluate({"CESM2": late}, references, grid, 0.6, 0.05)


@pytest.mark.slow
def test_the_page_says_first_that_it_is_no_evidence_and_asks_for_nothing(params, skill, tmp_path):
    write_skill(tmp_path / "skill", skill)
    page = tmp_path / "page" / "index.html"
    write_study_page(page, tmp_path / "skill", params)
    text = page.read_text()
    warning = text.index("are no evidence about any real model or reanalysis")
    assert warning < text.index("In short</h2>") < text.index("<img ")
    assert "the paper&#39;s are 1979–2014" in text or "the paper's are 1979–2014" in text
    assert "CNRM-ESM2-1 is left out of what needs shallow soil moisture" in text
    drawn = sorted(path.name for path in (tmp_path / "page" / "figures").glob("*.png"))
    numbers = {int(name[3:5]) for name in drawn}
    assert numbers == set(range(2, 15)), "every figure of the paper from 2 to 14"
    assert text.count("<img ") == len(drawn)
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)


def test_the_paper_s_parameters_have_its_models_years_and_grid():
    folder = Path(__file__).parents[2] / "studies" / "cmip6_evaluation"
    paper = config.load(folder / "paper.yaml")
    assert list(paper.models) == list(EVALUATED_MODELS)
    assert paper.years == (1979, 2014)
    grid = Grid.of(paper.domain)
    assert (grid.lon.size, np.diff(grid.lat).mean()) == (320, 1.125)
    assert land_mask(grid).any(axis=1)[[0, -1]].tolist() == [False, False]
    assert set(paper.model_dump()) == set(config.load(folder / "params.yaml").model_dump())


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ({"CESM3": ["r1i1p1f1"]}, "unknown climate model 'CESM3'.*did you mean 'CESM2'"),
        ({"CESM2": []}, "models.CESM2 has members"),
        ({"CESM2": ["first"]}, "expected one or more as r1i1p1f1"),
        ({"E3SM-1-0": ["r1i1p1f1"]}, "none of models has mrsol"),
    ],
)
def test_models_that_cannot_be_evaluated_are_refused(models, told):
    content = YAML(typ="safe", pure=True).load(PARAMS) | {"models": models}
    with pytest.raises(UserError, match=told):
        config.validate(content)
