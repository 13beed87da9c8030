"""What dvc.yaml declares is what stages use: params that exist, data that some stage makes."""

import ast
import subprocess
from pathlib import Path

import pytest

from soilfuse import config, layout
from soilfuse.errors import UserError
from soilfuse.tracking.lineage import read_yaml
from soilfuse.tracking.stages import declared

ROOT = Path(__file__).parents[2]
STAGES = read_yaml(ROOT / "dvc.yaml")["stages"]
# Rooms that decide how a result is recorded, shown, stored or refused, not what it is.
UNDECLARED = {"tracking", "progress", "processes", "errors", "layout", "checks", "files", "config"}


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
    content = params.model_dump()
    for name in declared(stage, params)[0]:
        value = content
        for part in name.split("."):
            assert part in value, f"{stage} declares {name}"
            value = value[part]


@pytest.mark.parametrize("stage", STAGES)
def test_declared_data_is_made_by_a_stage(stage, params):
    made = {
        Path(out.replace("${item}", item))
        for other in STAGES
        for out in outs_of(other)
        for item in ("historical", "ssp245", "0")
    }
    for path in declared(stage, params, "historical")[1]:
        if path == layout.REGIONS:  # the user's
            continue
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


def test_only_evaluate_may_read_the_truth():
    readers = {
        stage
        for stage in STAGES
        for dep in STAGES[stage].get("do", STAGES[stage]).get("deps", ())
        if "truth" in dep or dep in ("data/raw/pseudo", "${raw_root}")
    }
    assert readers == {"evaluate"}


def modules_named(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def code_reached(starts, declared_code):
    """Return the library's modules that scripts reach, as dvc.yaml's header limits them."""
    reached, waiting = set(), list(starts)
    while waiting:
        path = waiting.pop()
        reached.add(path)
        for name in modules_named(ROOT / path):
            found = Path("src", *name.split(".")).with_suffix(".py")
            if not name.startswith("soilfuse.") or not (ROOT / found).is_file():
                continue
            free = found.relative_to("src/soilfuse").parts[0].removesuffix(".py") in UNDECLARED
            if found not in reached and (found in declared_code or not free):
                waiting.append(found)
    return reached


def code_of(stage):
    deps = STAGES[stage].get("do", STAGES[stage])["deps"]
    return {Path(dep) for dep in deps if dep.startswith(("src/", "pipelines/"))}


def test_the_gate_decides_what_is_promoted():
    gate = {Path("src/soilfuse/tracking") / name for name in ("promotion.py", "promoting.py")}
    assert gate <= code_of("promote")


def test_only_what_is_always_searched_leaves_the_sweep_alone(params):
    def leaves(values, prefix):
        for name, value in values.items():
            if isinstance(value, dict):
                yield from leaves(value, f"{prefix}{name}.")
            else:
                yield prefix + name

    every = set(leaves(params.finetune.model_dump(), ""))
    listed = {
        name.removeprefix("finetune.")
        for name in declared("sweep", params)[0]
        if name.startswith("finetune.")
    }
    left_out = {name for name in every if not {name, name.split(".")[0]} & listed}
    assert left_out == {*config.SEARCHED, "epochs"}


def test_evaluate_declares_era5_land_which_the_stations_are_compared_with(params):
    assert Path("data/processed/era5_land.nc") in declared("evaluate", params)[1]
    assert Path("data/processed/era5_land.nc") not in declared("finetune", params, "0")[1]


@pytest.mark.parametrize("stage", STAGES)
def test_stages_that_use_regions_watch_the_user_s_files_and_others_ignore_the_choice(stage, params):
    called = any(
        isinstance(node, ast.Name) and node.id == "regions_of"
        for path in code_reached([Path(f"pipelines/{stage}.py")], code_of(stage))
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
    )
    names, inputs = declared(stage, params, "historical")
    assert ("domain" in names or "domain.regions" in names) == (layout.REGIONS in inputs) == called


def test_the_folder_of_regions_is_there_in_every_clone():
    listed = subprocess.run(
        ["git", "check-ignore", "-q", "data/regions/mine.gpkg"], cwd=ROOT, check=False
    )
    assert listed.returncode == 1  # not ignored
    assert (ROOT / layout.REGIONS / "README.md").is_file()  # DVC refuses a stage without its deps
