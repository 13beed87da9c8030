"""`mlflow run`: the bare command, and what each entry point makes, refuses and says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from soilfuse import layout
from soilfuse.cli.commands import app
from soilfuse.cli.entry_points import TARGETS, run_entry_point
from soilfuse.cli.making import made as made_alone
from soilfuse.errors import UserError
from soilfuse.tracking import lineage, store
from soilfuse.tracking.registry import register_champion

PROJECT = Path(__file__).parents[2] / "MLproject"
PIPELINE = """
stages:
  promote:
    cmd: cp source.txt champion.txt
    deps: [source.txt]
    outs: [champion.txt]
  finetune:
    foreach: [0, 1]
    do:
      cmd: cp source.txt fold_${item}.txt
      deps: [source.txt]
      outs: ["fold_${item}.txt"]
  infer:
    foreach: [historical, ssp370]
    do:
      cmd: env > environment.txt && cp champion.txt ${item}.nc
      deps: [champion.txt]
      outs: ["${item}.nc"]
  trends:
    foreach: [ssp370]
    do:
      cmd: cat ${item}.nc historical.nc > ${item}.csv
      deps: ["${item}.nc", historical.nc]
      outs: ["${item}.csv"]
  page:
    foreach: [ssp370]
    do:
      cmd: cat ${item}.csv > ${item}.html
      deps: ["${item}.csv"]
      outs: ["${item}.html"]
"""
# A stage that records itself as the real ones do.
RECORDED = """
from soilfuse import config
from soilfuse.tracking.runs import stage_run
with stage_run("trends", config.load(), ["trends"], ["ssp370.nc"], "ssp370"):
    open("ssp370.csv", "w").write("trends")
"""


def dvc(*arguments, cwd=None):
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, capture_output=True, env=environment, cwd=cwd, check=True)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Return a folder where all has run but the infer, trends and page of ssp370."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "source.txt").write_text("wet")
    dvc("init", "-q", "--no-scm", cwd=folder)
    dvc("repro", "-q", "promote", "infer@historical", cwd=folder)
    return folder


@pytest.fixture
def project(root, made):
    shutil.copytree(made, root, dirs_exist_ok=True)
    return root


@pytest.fixture
def given(project, monkeypatch):
    """Return the run that `mlflow run` would have given."""
    client = store.open_client()
    run_id = client.create_run(client.create_experiment("elsewhere"), run_name="given").info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    return run_id


def test_infer_makes_then_logs_what_is_there(project, given, capsys):
    run_entry_point("infer", "ssp370")
    outs = lineage.dvc_outs(project)
    assert (project / "ssp370.html").read_text() == "wetwet"
    leaked = dict(
        line.split("=", 1)
        for line in (project / "environment.txt").read_text().splitlines()
        if "=" in line
    )
    assert "MLFLOW_RUN_ID" not in leaked
    assert leaked["SOILFUSE_PARENT_RUN_ID"] == given
    capsys.readouterr()
    run_entry_point("infer", "ssp370")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{name}: up to date, md5 {outs[name]}"
        for name in ("ssp370.nc", "ssp370.csv", "ssp370.html")
    ]
    run = store.open_client().get_run(given)
    assert run.data.tags["soilfuse.output/ssp370.nc"] == outs["ssp370.nc"]
    artifacts = {each.path for each in store.open_client().list_artifacts(given)}
    assert artifacts == {"ssp370.csv", "ssp370.html"}
    (project / "ssp370.nc").unlink()
    run_entry_point("infer", "ssp370")
    assert f"ssp370.nc: restored from DVC's cache, md5 {outs['ssp370.nc']}" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize("infer", [run_entry_point, lambda stage, one: made_alone(stage, [one])])
def test_an_alias_that_was_moved_by_hand_is_refused_and_the_product_stays(
    project, given, params, champion_of, versions, infer
):
    name = params.promote.registered_model
    register_champion(champion_of(project / "second", seed=2), name, {})
    register_champion(champion_of(project / layout.CHAMPION, seed=1), name, {})
    infer("infer", "ssp370")
    before = (project / "ssp370.nc").stat()
    store.open_client().set_registered_model_alias(name, "champion", "1")
    with pytest.raises(UserError, match="points to version 1 .* moved by hand"):
        infer("infer", "ssp370")
    assert (project / "ssp370.nc").stat().st_mtime_ns == before.st_mtime_ns


def test_a_stale_upstream_is_refused_with_the_command_that_mends_it(project, given):
    (project / "source.txt").write_text("dry")
    with pytest.raises(
        UserError, match=r"promote \(source.txt modified\).*`dvc repro infer@ssp370 .*page@ssp370`"
    ):
        run_entry_point("infer", "ssp370")
    assert not (project / "ssp370.nc").exists()


def test_trends_wants_the_product_first(project, given):
    with pytest.raises(UserError, match=r"infer@ssp370 \(.*ssp370.nc deleted"):
        run_entry_point("trends", "ssp370")


def test_train_makes_every_fold(project, given, capsys):
    run_entry_point("train")
    assert (project / "fold_0.txt").exists()
    assert (project / "fold_1.txt").exists()
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "fold_0.txt",
        "fold_1.txt",
    ]


def test_a_stage_that_fails_is_one_line(project, given):
    (project / "dvc.yaml").write_text(PIPELINE.replace("cat ${item}.csv", "false &&"))
    with pytest.raises(UserError, match=r"`dvc repro --single-item .*` failed with exit code 255"):
        run_entry_point("infer", "ssp370")


def test_unknown_names_and_a_missing_run_are_user_errors(project):
    with pytest.raises(UserError, match="unknown experiment 'ssp999'; expected one of historical"):
        run_entry_point("infer", "ssp999")
    with pytest.raises(UserError, match="unknown entry point 'infr'.*did you mean 'infer'"):
        run_entry_point("infr")
    with pytest.raises(UserError, match="runs inside `mlflow run . -e report`"):
        run_entry_point("report")


def test_a_parameter_that_no_entry_point_has_is_one_line():
    done = CliRunner().invoke(app, ["entry-point", "infer", "--ssp", "ssp370", "--bad", "1"])
    assert isinstance(done.exception, UserError)
    assert str(done.exception).startswith(
        "unknown parameter 'bad' of entry point 'infer'; expected"
    )


def test_mlproject_has_every_entry_point_and_none_with_a_path():
    from mlflow.projects._project_spec import load_project

    project = load_project(PROJECT.parent)
    assert set(project._entry_points) == set(TARGETS)
    assert project.get_entry_point("infer").parameters["ssp"].default == "ssp245"
    assert project.databricks_spark_job_spec is not None


@pytest.fixture
def bare(project):
    """Return a function for the bare `mlflow run` of a fresh shell: no pyenv, no activation."""
    shutil.copyfile(PROJECT, project / "MLproject")
    (project / "recorded.py").write_text(RECORDED)
    recorded = PIPELINE.replace("cat ${item}.nc historical.nc > ${item}.csv", "python recorded.py")
    (project / "dvc.yaml").write_text(recorded)
    (project / ".venv").symlink_to(Path(sys.executable).parents[1])
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYENV", "VIRTUAL"))
    }
    environment = {**kept, "PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1"}

    def run(ssp):
        command = [".venv/bin/mlflow", "run", ".", "-e", "infer", "-P", f"ssp={ssp}"]
        return subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.slow
def test_the_bare_command_runs_here_and_joins_its_run(project, bare):
    lock = (project / "dvc.lock").read_text()
    done = bare("ssp999")
    assert done.returncode != 0
    assert len([line for line in done.stderr.splitlines() if "soilfuse: error:" in line]) == 1
    assert "Traceback" not in done.stderr
    assert (project / "dvc.lock").read_text() == lock
    done = bare("ssp370")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ssp370.csv: made now" in done.stdout
    client = store.open_client()
    everywhere = [each.experiment_id for each in client.search_experiments()]
    runs = {run.info.run_id: run for run in client.search_runs(everywhere)}
    (stage,) = [run for run in runs.values() if run.info.run_name == "trends@ssp370"]
    group = runs[stage.data.tags["mlflow.parentRunId"]]
    given = runs[group.data.tags["mlflow.parentRunId"]]
    assert given.data.params == {"ssp": "ssp370"}
    assert given.info.status == stage.info.status == "FINISHED"
    assert given.data.tags["soilfuse.output/ssp370.nc"] == lineage.dvc_outs(project)["ssp370.nc"]
