"""What dvc.yaml declares is what stages use: params that exist, data that some stage makes."""

from pathlib import Path

import pytest

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.tracking.lineage import read_yaml
from soilfuse.tracking.stages import declared

ROOT = Path(__file__).parents[2]
STAGES = read_yaml(ROOT / "dvc.yaml")["stages"]


@pytest.fixture(autouse=True)
def in_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def params():
    return config.load(ROOT / "params.yaml")


def outs_of(stage):
    body = STAGES[stage].get("do", STAGES[stage])
    for out in [*body.get("outs", ()), *body.get("metrics", ())]:
        yield next(iter(out)) if isinstance(out, dict) else out


@pytest.mark.parametrize("stage", STAGES)
def test_declared_params_exist(stage, params):
    for name in declared(stage, params)[0]:
        value = params
        for part in name.split("."):
            value = getattr(value, part)


@pytest.mark.parametrize("stage", STAGES)
def test_declared_data_is_made_by_a_stage(stage, params):
    made = {
        Path(out.replace("${item}", item))
        for other in STAGES
        for out in outs_of(other)
        for item in ("historical", "0")
    }
    for path in declared(stage, params, "historical")[1]:
        parents = {path, *path.parents}
        assert any(out in parents or path in out.parents for out in made), path


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_runs_the_script_of_its_name_and_depends_on_it(stage):
    body = STAGES[stage].get("do", STAGES[stage])
    script = f"pipelines/{stage}.py"
    assert body["cmd"].split()[:2] == ["python", script]
    assert script in body["deps"]
    assert (ROOT / script).is_file()


def test_items_and_raw_root_are_put_in(params):
    inputs = declared("cmip6", params, "ssp370")[1]
    assert inputs == [Path("data/raw/pseudo/cmip6")]
    assert Path("products/ssp370.nc") in declared("trends", params, "ssp370")[1]


def test_an_unknown_stage_is_refused_with_the_nearest(params):
    with pytest.raises(UserError, match="did you mean 'sweep'"):
        declared("swep", params)
