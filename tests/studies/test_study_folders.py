"""Every study: its parameters, its pipeline, and where its runs and checkpoints go."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from soilfuse import config
from soilfuse.config.studies import STUDIES
from soilfuse.errors import UserError
from soilfuse.tracking import lineage

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "studies").glob("*/params.yaml"))
PIPELINES = [folder for folder in FOLDERS if (folder / "dvc.yaml").exists()]
OWN = shutil.ignore_patterns("tmp", "cache", "config.local")  # of the machine that ran it
TOY = """
stages:
  look:
    cmd: python look.py
    params: [world]
    deps: [look.py, ../../src/soilfuse/layout.py, given.txt]
    outs: [results/seen.txt]
"""
LOOK = """
from pathlib import Path
from soilfuse import config, layout
from soilfuse.tracking.stages import declared_run
with declared_run("look", config.load()) as run:
    Path("results").mkdir()
    Path("results/seen.txt").write_text(str(layout.STATE.resolve()))
"""


def folder_id(folder):
    return folder.name


def parsed(path):
    return YAML(typ="safe", pure=True).load(path.read_text())


@pytest.fixture(params=FOLDERS, ids=folder_id)
def folder(request):
    return request.param


@pytest.fixture(params=PIPELINES, ids=folder_id)
def pipeline(request):
    return request.param


def test_parameters_are_valid_and_name_the_folder(folder):
    params = config.load(folder / "params.yaml")
    assert params.study == folder.name
    assert type(params) is STUDIES[folder.name]
    assert config.load_study(STUDIES[folder.name], folder / "params.yaml") == params


def test_the_papers_size_is_valid_too(folder):
    for path in folder.glob("params.*.yaml"):
        assert config.load(path).study == folder.name


def test_an_unknown_key_is_refused_in_one_line(folder):
    content = parsed(folder / "params.yaml")
    content["world"]["sed"] = 1
    with pytest.raises(UserError) as caught:
        config.validate(content)
    assert len(caught.value.problems) == 1
    assert "unknown parameter 'world.sed'; did you mean 'world.seed'?" in caught.value.problems[0]


def test_an_unknown_study_is_refused_with_the_nearest(folder):
    content = parsed(folder / "params.yaml") | {"study": folder.name[:-1]}
    with pytest.raises(UserError, match=f"did you mean '{folder.name}'"):
        config.validate(content)


def test_the_main_pipeline_s_parameters_are_no_study_s():
    with pytest.raises(UserError, match="is not of the study 'cmip6_evaluation'"):
        config.load_study(STUDIES["cmip6_evaluation"], ROOT / "params.yaml")


def expanded(value, content):
    for key, one in content.items():
        value = value.replace(f"${{{key}}}", str(one))
    return value


def stages_of(folder):
    content = parsed(folder / "params.yaml")
    found = {}
    for name, body in lineage.read_yaml(folder / "dvc.yaml")["stages"].items():
        if "foreach" not in body:
            found[name] = body
            continue
        for item in content[body["foreach"].strip("${}")]:
            text = json.dumps(body["do"]).replace("${item}", item)
            found[f"{name}@{item}"] = json.loads(text)
    return found


def paths_of(body, kind, content):
    listed = [next(iter(one)) if isinstance(one, dict) else one for one in body.get(kind, ())]
    return [expanded(one, content) for one in listed]


def test_dependencies_exist_or_are_made_by_a_stage(pipeline):
    content = parsed(pipeline / "params.yaml")
    stages = stages_of(pipeline)
    kinds = ("outs", "metrics")
    made = [p for body in stages.values() for kind in kinds for p in paths_of(body, kind, content)]
    for name, body in stages.items():
        for dep in paths_of(body, "deps", content):
            there = (pipeline / dep).exists() or any(
                Path(dep).is_relative_to(out) or Path(out).is_relative_to(dep) for out in made
            )
            assert there, f"{name} needs {dep}, which no stage makes"


def test_declared_parameters_exist(pipeline):
    content = parsed(pipeline / "params.yaml")
    for name, body in stages_of(pipeline).items():
        for dotted in body.get("params", ()):
            value = content
            for part in dotted.split("."):
                assert part in value, f"{name} declares {dotted}"
                value = value[part]


def test_dvc_metrics_show_finds_the_study_s_numbers(pipeline):
    stages, content = stages_of(pipeline).values(), parsed(pipeline / "params.yaml")
    shown = [path for body in stages for path in paths_of(body, "metrics", content)]
    assert shown and all(Path(path).name == "metrics.json" for path in shown)


def test_outs_are_not_kept_twice(pipeline):
    for name, body in stages_of(pipeline).items():
        for out in (*body.get("outs", ()), *body.get("metrics", ())):
            assert isinstance(out, dict) and not next(iter(out.values()))["cache"], (name, out)


@pytest.mark.slow
def test_a_study_that_nobody_ran_is_no_matter_to_the_root(pipeline, tmp_path):
    project = tmp_path / "studies" / pipeline.name
    project.mkdir(parents=True)
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(pipeline / name, project / name)
    shutil.copytree(pipeline / ".dvc", project / ".dvc", ignore=OWN)
    (tmp_path / "dvc.yaml").write_text("stages: {a: {cmd: echo 1 > a.txt, outs: [a.txt]}}\n")
    a_project(tmp_path)
    dvc(tmp_path, "remote", "add", "-q", "-d", "there", str(tmp_path / "remote"))
    assert "studies" not in dvc(tmp_path, "repro").stdout
    assert "up to date" in dvc(tmp_path, "status").stdout
    dvc(tmp_path, "push", "-q")
    (tmp_path / "a.txt").unlink()
    shutil.rmtree(tmp_path / ".dvc" / "cache")
    dvc(tmp_path, "pull", "-q")
    dvc(tmp_path, "checkout", "-q")
    assert (tmp_path / "a.txt").exists()


def test_outs_are_ignored_by_git(pipeline):
    content = parsed(pipeline / "params.yaml")
    outs = [p for body in stages_of(pipeline).values() for p in paths_of(body, "outs", content)]
    for out in outs:
        command = ["git", "-C", str(pipeline), "check-ignore", "-q", out]
        assert subprocess.run(command, check=False).returncode == 0, out


@pytest.mark.slow
def test_dvc_reads_the_pipeline(pipeline, tmp_path):
    project = tmp_path / "studies" / pipeline.name
    project.mkdir(parents=True)
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(pipeline / name, project / name)
    a_project(tmp_path)
    shutil.copytree(pipeline / ".dvc", project / ".dvc", ignore=OWN)
    graph = dvc(project, "dag", "--dot").stdout
    assert all(name in graph for name in stages_of(pipeline))


def a_project(root):
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    dvc(root, "init", "-q")


def dvc(folder, *arguments):
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)


@pytest.mark.slow
def test_a_study_shares_the_root_s_store_and_keeps_its_own_state(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    study = tmp_path / "studies" / "cmip6_evaluation"
    study.mkdir(parents=True)
    (tmp_path / "src").symlink_to(ROOT / "src")
    shutil.copy(ROOT / "studies" / study.name / "params.yaml", study)
    for name, text in (("dvc.yaml", TOY), ("look.py", LOOK), ("given.txt", "1\n")):
        (study / name).write_text(text)
    a_project(tmp_path)
    shutil.copytree(ROOT / "studies" / study.name / ".dvc", study / ".dvc", ignore=OWN)
    dvc(study, "repro", "-q")
    seen = (study / "results" / "seen.txt").read_text()
    assert Path(seen) == tmp_path / ".state" / study.name
    assert (tmp_path / "mlflow.db").exists()
    assert not (study / "mlflow.db").exists()
    monkeypatch.chdir(tmp_path)
    from soilfuse.tracking import store

    client = store.open_client()
    (run,) = client.search_runs(
        [store.experiment_id(client)], "tags.`soilfuse.stage` = 'cmip6_evaluation/look'"
    )
    assert run.data.tags["mlflow.source.name"] == "studies/cmip6_evaluation/look.py"
    assert "soilfuse.input/studies/cmip6_evaluation/given.txt" in run.data.tags
    assert "soilfuse.output/studies/cmip6_evaluation/results/seen.txt" in run.data.tags
    inputs = {key for key in run.data.tags if key.startswith("soilfuse.input/")}
    assert len(inputs) == 1, "code is no input"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("experiments", ["ssp126"], "historical among them"),
        ("experiments", ["historical", "ssp999"], "unknown experiment 'ssp999'"),
        ("scenarios", ["ssp126"], "expected those of experiments"),
    ],
)
def test_china_s_scenarios_are_those_that_are_read(key, value, told):
    content = parsed(ROOT / "studies" / "china" / "params.yaml") | {key: value}
    with pytest.raises(UserError, match=told):
        config.validate(content)
