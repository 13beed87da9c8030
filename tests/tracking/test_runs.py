"""Runs: the tree they form, what each carries, and how it ends."""

import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.tracking import store
from soilfuse.tracking.runs import stage_run, stages_run, tracking_uri, world_of
from soilfuse.tracking.trial_runs import log_trial
from soilfuse.training.finished import Finished


def runs_of():
    """Return every run of every experiment by name."""
    client = store.open_client()
    experiments = [each.experiment_id for each in client.search_experiments()]
    return {run.info.run_name: run for run in client.search_runs(experiments)}


def parents(runs):
    """Return {run name: parent's name or None}."""
    names = {run.info.run_id: name for name, run in runs.items()}
    return {name: names.get(run.data.tags.get("mlflow.parentRunId")) for name, run in runs.items()}


def given_run(client):
    return client.create_run(client.create_experiment("elsewhere"), run_name="given").info


def test_folds_lie_under_their_stage_and_trials_under_theirs(params):
    for fold in ("0", "1"):
        with stage_run("finetune", params, ["seed"], [], fold):
            pass
    now = datetime.now(UTC)
    with stage_run("sweep", params, ["sweep"], []) as sweep:
        log_trial(sweep, Finished(0, "complete", "tpe", 0.03, {"learning_rate": 1e-3}, now, now))
    runs = runs_of()
    above = parents(runs)
    (pipeline,) = [name for name, parent in above.items() if parent is None]
    assert above["finetune@0"] == above["finetune@1"] == "finetune"
    assert above["finetune"] == above["sweep"] == pipeline
    assert above["trial 0"] == "sweep"
    assert runs["trial 0"].data.params == {"learning_rate": "0.001"}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert runs[pipeline].data.params["finetune.epochs"] == str(params.finetune.epochs)


def test_other_parameters_make_another_pipeline_run(params, change_params):
    for seed in (params.seed, params.seed, params.seed + 1):
        change_params(seed=seed)
        with stage_run("world", config.load(), ["world"], []):
            pass
    client = store.open_client()
    found = client.search_runs([store.experiment_id(client)])
    tops = {run.data.tags.get("soilfuse.pipeline") for run in found} - {None}
    assert len(tops) == 2
    assert len(found) == 5


def test_a_run_carries_what_decides_it(root, git, params):
    (root / "input.nc").write_bytes(b"abc")
    (root / "results").mkdir()
    (root / "results" / "metrics.json").write_text("{}")
    (root / "dvc.lock").write_text("stages: {}\n")
    git("add", "input.nc")
    git("commit", "-qm", "input")
    (root / "untracked.py").write_text("")
    with stage_run("finetune", params, ["seed", "finetune", "network.width"], ["input.nc"], "3"):
        pass
    run = runs_of()["finetune@3"]
    assert run.data.params["seed"] == str(params.seed)
    assert run.data.params["finetune.loss.content"] == str(params.finetune.loss.content)
    assert run.data.params["network.width"] == str(params.network.width)
    assert not any(key.startswith(("pretrain", "network.depth")) for key in run.data.params)
    tags = run.data.tags
    assert tags["mlflow.source.git.commit"] == git("rev-parse", "HEAD")
    assert tags["soilfuse.dirty"] == "true"
    assert tags["soilfuse.item"] == "3"
    assert tags["soilfuse.world"] == f"seed {params.world.seed}"
    assert tags["soilfuse.input/input.nc"] == "900150983cd24fb0d6963f7d28e17f72"  # md5 of abc
    artifacts = root / "mlruns" / "soilfuse" / run.info.run_id / "artifacts"
    assert (artifacts / "params.yaml").read_text() == (root / "params.yaml").read_text()


def raw_files(params, text):
    path = Path(params.raw_root) / "world.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_the_world_is_the_raw_files_own(params):
    assert world_of(params) == f"seed {params.world.seed}"
    path = raw_files(params, '{"seed": 7, "version": 2}')
    assert world_of(params) == "v2 seed 7"
    path.unlink()
    assert world_of(params) == "real"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[2, 7]", "holds [2, 7]; expected named entries"),
        ("7", "holds 7; expected named entries"),
        ('{"version": 2}', "lacks seed; expected all of its entries"),
        ("{}", "lacks version, seed; expected all of its entries"),
        ('{"version": 2, "seed": "7"}', "has version 2 and seed 7; expected whole numbers"),
        ('{"version": [2], "seed": 7}', "has version [2] and seed 7; expected whole numbers"),
        ('{"version": true, "seed": 7}', "has version True and seed 7; expected whole numbers"),
        ('{"version": 2', "is broken: "),
    ],
)
def test_a_damaged_world_is_one_line_before_the_stage_starts(params, text, told):
    path = raw_files(params, text)
    with pytest.raises(UserError) as raised, stage_run("insitu", params, [], []):
        raise AssertionError("the stage must not start")
    [line] = raised.value.problems
    assert line.startswith(f"{path} {told}")
    assert f"run `dvc checkout {path}`" in line
    assert runs_of() == {}


def test_an_exception_marks_the_run_and_its_group_failed(params):
    with (
        pytest.raises(ZeroDivisionError),
        stage_run("infer", params, ["infer"], [], "ssp370") as run,
    ):
        run.log_metrics({"seconds": 1.0})
        raise ZeroDivisionError("no months")
    runs = runs_of()
    assert {run.info.status for run in runs.values()} == {"FAILED"}
    assert runs["infer@ssp370"].data.tags["soilfuse.error"] == "ZeroDivisionError: no months"
    with stage_run("infer", params, ["infer"], [], "ssp370"):
        pass
    assert runs_of()["infer"].info.status == "FINISHED"


@pytest.fixture
def refusing(monkeypatch):
    """Return a function that lets the client's method refuse from now on."""
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    def refuse(method):
        def refused(*_, **__):
            raise MlflowException("disk I/O error")

        monkeypatch.setattr(MlflowClient, method, refused)

    return refuse


def test_a_store_that_refuses_while_a_stage_logs_is_one_line(params, refusing):
    with (
        pytest.raises(UserError, match="the MLflow store .* refused: disk I/O error") as raised,
        stage_run("finetune", params, ["seed"], [], "0") as run,
    ):
        refusing("log_batch")
        run.log_metrics({"loss": 1.0})
    assert len(raised.value.problems) == 1
    runs = runs_of()
    assert runs["finetune@0"].info.status == runs["finetune"].info.status == "FAILED"


def test_a_refusal_before_the_stage_starts_leaves_no_run_running(params, refusing):
    refusing("log_text")
    for _ in range(2):  # the pipeline's run is new, then found
        with pytest.raises(UserError, match="disk I/O error"), stage_run("world", params, [], []):
            raise AssertionError("the stage must not start")
    assert {run.info.status for run in runs_of().values()} == {"FAILED"}
    assert "world" in runs_of()


def test_the_stage_s_own_error_is_told_when_the_store_refuses_too(params, refusing):
    with pytest.raises(ZeroDivisionError), stage_run("world", params, [], []):
        refusing("set_terminated")
        raise ZeroDivisionError("no months")


def test_metrics_nest_and_survive_nan(params):
    with stage_run("evaluate", params, ["evaluate"], []) as run:
        run.log_metrics({"outer": {"layer_1": {"rmse": 0.03}}, "note": "text", "none": None})
        run.log_metrics({"loss": math.nan, "ratio": math.inf})
        with run.epochs() as log:
            for epoch, inner in ((1, 0.5), (2, 0.4)):
                log({"epoch": epoch, "inner": inner})
    found = store.open_client()
    metrics = found.get_run(run.run_id).data.metrics
    assert metrics["outer/layer_1/rmse"] == 0.03
    assert math.isnan(metrics["loss"])
    own = {name for name in metrics if not name.startswith("system/")}
    assert own == {"outer/layer_1/rmse", "loss", "ratio", "inner"}
    curve = found.get_metric_history(run.run_id, "inner")
    assert [(point.step, point.value) for point in curve] == [(1, 0.5), (2, 0.4)]


def test_files_folders_and_text_become_artifacts(root, params):
    (root / "figures").mkdir()
    (root / "figures" / "map.txt").write_text("map")
    with stage_run("page", params, ["report"], [], "ssp370") as run:
        run.log_artifact(root / "figures")
        run.log_artifact(root / "params.yaml", "copies")
        run.log_text("a,b\n", "tables/t.csv")
    artifacts = root / "mlruns" / "soilfuse" / run.run_id / "artifacts"
    found = {p.relative_to(artifacts).as_posix() for p in artifacts.rglob("*") if p.is_file()}
    assert found == {"params.yaml", "figures/map.txt", "copies/params.yaml", "tables/t.csv"}


@pytest.mark.parametrize("variable", ["SOILFUSE_PARENT_RUN_ID", "MLFLOW_RUN_ID"])
def test_a_given_run_stands_in_the_pipeline_s_place(params, monkeypatch, variable):
    given = given_run(store.open_client())
    monkeypatch.setenv(variable, given.run_id)
    with stage_run("infer", params, ["infer"], [], "ssp370") as run:
        pass
    runs = runs_of()
    above = parents(runs)
    assert above == {"given": None, "infer": "given", "infer@ssp370": "infer"}
    assert runs["given"].info.status == "RUNNING"
    assert run.experiment_id == given.experiment_id
    assert stages_run(run) == set()
    assert stages_run(type(run)(run.client, run.experiment_id, given.run_id)) == {"infer@ssp370"}


def test_our_parent_comes_before_mlflow_s(params, monkeypatch):
    client = store.open_client()
    given = given_run(client)
    stage = client.create_run(given.experiment_id, run_name="other").info
    monkeypatch.setenv("SOILFUSE_PARENT_RUN_ID", given.run_id)
    monkeypatch.setenv("MLFLOW_RUN_ID", stage.run_id)
    with stage_run("world", params, ["world"], []):
        pass
    assert parents(runs_of())["world"] == "given"


def test_a_parent_that_the_store_lacks_is_a_user_error(params, monkeypatch):
    monkeypatch.setenv("SOILFUSE_PARENT_RUN_ID", "0" * 32)
    with (
        pytest.raises(UserError, match="no run 0000.*unset them"),
        stage_run("world", params, [], []),
    ):
        raise AssertionError("the stage must not start")


def test_the_store_lies_in_the_root_wherever_the_stage_runs(root, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    study = root / "studies" / "china"
    study.mkdir(parents=True)
    monkeypatch.chdir(study)
    assert tracking_uri() == f"sqlite:///{root}/mlflow.db"
    monkeypatch.setenv("DVC_ROOT", str(study))  # a study is a DVC repository of its own
    assert tracking_uri() == f"sqlite:///{root}/mlflow.db"
    monkeypatch.setenv("DVC_ROOT", str(root / "elsewhere"))
    assert tracking_uri() == f"sqlite:///{root}/elsewhere/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///own.db")
    assert tracking_uri() == f"sqlite:///{study}/own.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example.org")
    assert tracking_uri() == "http://tracking.example.org"


def test_an_outdated_store_says_how_to_mend_it(root):
    import sqlite3

    with sqlite3.connect(root / "mlflow.db") as database:
        database.execute("update alembic_version set version_num = '451aebb31d03'")
    with pytest.raises(UserError, match="mlflow db upgrade sqlite:///") as raised:
        store.open_client()
    assert len(raised.value.problems) == 1


@pytest.mark.slow
def test_stages_that_start_together_share_one_new_store(root):
    (root / "mlflow.db").unlink()
    code = (
        "import sys\n"
        "from soilfuse import config\n"
        "from soilfuse.tracking.runs import stage_run\n"
        "with stage_run('finetune', config.load(), ['seed'], [], sys.argv[1]):\n"
        "    pass\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(fold)], stderr=subprocess.PIPE, text=True, cwd=root
        )
        for fold in range(2)
    ]
    told = [process.communicate()[1] for process in started]
    assert told == ["", ""]
    above = parents(runs_of())
    assert above["finetune@0"] == above["finetune@1"] == "finetune"
    assert len(above) == 4
