"""Lineage through a real small pipeline, back and forward, with its runs in a real store."""

import json
import shutil
from pathlib import Path

import pytest
from small_pipeline import RAW, dvc, run_pipeline

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.tracking import prov, stages, store
from soilfuse.tracking.facts import swept_names, trial_of
from soilfuse.tracking.found import listing, reads
from soilfuse.tracking.graph import Graph, Step
from soilfuse.tracking.lineage import content_hash
from soilfuse.tracking.locked import locked_steps
from soilfuse.tracking.trace import trace
from soilfuse.tracking.trace_json import content
from soilfuse.tracking.trace_picture import draw
from soilfuse.tracking.trace_text import text

ROOT = Path(__file__).parents[2]
SSP585, HISTORICAL = (RAW.format(name) for name in ("ssp585", "historical"))
EVERY = {f"cmip6@{name}" for name in ("historical", "ssp126", "ssp245", "ssp370", "ssp585")}
STEPS = (("cmip6", "ssp585"), ("finetune", "0"), ("finetune", "1"), ("infer", "ssp585"))


@pytest.fixture(scope="session")
def has_run(tmp_path_factory):
    return run_pipeline(tmp_path_factory.mktemp("small"))


@pytest.fixture
def project(root, has_run):
    """Return a root that is a copy of the pipeline that ran, with an empty store."""
    shutil.rmtree(root / ".dvc")
    shutil.copytree(has_run, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("params.yaml"))
    return root


@pytest.fixture
def recorded(project, git):
    """Return the project, some of whose steps have runs, and git's commit."""
    params = config.load()
    for stage, item in STEPS:
        with stages.declared_run(stage, params, item):
            pass
    return git("rev-parse", "HEAD")


def files(found):
    return set(found.graph.files)


def test_back_from_a_product_to_the_raw_files(project):
    found = trace(project, Path("products/ssp585.nc"), runs=False)
    assert {"data/raw/pseudo", "data/own", "models/champion", "models/finetune"} <= files(found)
    assert "products/historical.nc" not in files(found)
    assert set(found.graph.steps) == {
        *("world", "cmip6@historical", "cmip6@ssp585", "data/own.dvc", "finetune@0", "finetune@1"),
        *("evaluate", "promote", "infer@ssp585"),
    }
    assert set(found.states.values()) == {"as recorded"} and found.warnings == ()


def test_forward_from_a_raw_file_only_to_what_its_experiment_touched(project):
    found = trace(project, Path(SSP585), forward=True, runs=False)
    by_numbers = files(found) - found.decided
    assert by_numbers == {
        *(SSP585, "data/processed/cmip6/ssp585.nc", "data/processed/cmip6", "results/evaluate"),
        *("results/evaluate/scores.csv", "products/ssp585.nc", "reports/ssp585.html"),
    }
    assert {"models/champion", "products/historical.nc"} <= found.decided
    lines = text(found).splitlines()
    assert "touched: products ssp585; pages ssp585" in lines
    decided = "by the gate's decision and caveats only: products historical; pages historical"
    assert decided in lines
    assert trace(project, Path(HISTORICAL), forward=True, runs=False).decided == frozenset()


@pytest.mark.parametrize(
    ("name", "readers"),
    [
        ("mrsos_Lmon_CESM2_ssp370_r1i1p1f1_gn_201501-210012.nc", {"cmip6@ssp370"}),
        ("mrsos_Lmon_CESM2_ssp370_r2i1p1f1_gn_201501-210012.nc", set()),
        ("mrsos_Lmon_AWI-CM-1-1-MR_ssp370_r1i1p1f1_gn_201501-210012.nc", set()),
        ("readme.txt", EVERY),
    ],
)
def test_who_reads_a_raw_climate_model_s_file_of_this_repository(name, readers):
    steps = locked_steps(ROOT).values()
    path = f"data/raw/pseudo/cmip6/CESM2/{name}"
    assert {s.name for s in steps if s.stage == "cmip6" and reads(s, path)} == readers


def test_parameters_that_are_no_mapping_are_no_names():
    def step(name, values):
        return Step(name, "", {}, {}, {"params.yaml": values})

    assert reads(step("cmip6@ssp585", {"cmip6": ["x"]}), SSP585)
    steps = [
        step("finetune@0", {"finetune": {"epochs": 1, "loss": {"mse": "sweep"}}}),
        *(step(f"finetune@{fold}", {"finetune": odd}) for fold, odd in enumerate(("x", [1], None))),
    ]
    graph = Graph({str(number): each for number, each in enumerate(steps)}, {}, ())
    assert swept_names(graph) == ["finetune.loss.mse"]


def test_forward_from_a_folder_and_from_a_file_that_dvc_added(project):
    for name in ("data/raw/pseudo", "data/raw", "data/own/static.nc", "data/own"):
        reached = files(trace(project, Path(name), forward=True, runs=False))
        assert {"products/ssp585.nc", "reports/historical.html"} <= reached, name
    found = trace(project, Path("data/own/static.nc"), runs=False)
    assert [step.command for step in found.graph.steps.values()] == ["dvc add"]


def test_runs_are_found_by_stage_item_and_inputs(recorded, project):
    found = trace(project, Path("products/ssp585.nc"))
    assert set(found.runs) == {f"{stage}@{item}" for stage, item in STEPS}
    run = found.runs["infer@ssp585"]
    assert (run.commit, run.alike, len(run.run_id)) == (recorded, 1, 32)
    lines = text(found).splitlines()
    (line,) = [line for line in lines if line.startswith("products/ssp585.nc")]
    assert line.split()[2:] == ["infer@ssp585", f"{recorded[:7]}*", run.run_id[:8]]
    assert any(line.split()[-2:] == ["evaluate", "restored"] for line in lines)
    assert "restored: from DVC's cache, no run here made it" in lines
    assert max(map(len, lines)) <= 100


def test_the_store_s_other_runs_are_not_loaded(recorded, project, monkeypatch):
    from mlflow.tracking import MlflowClient

    loaded, whole = [], MlflowClient.search_runs

    def counted(client, *arguments, **given):
        found = whole(client, *arguments, **given)
        loaded.extend(run.info.run_name for run in found)
        return found

    lock, champion = project / "dvc.lock", project / "models/champion/champion.json"
    kept = lock.read_text(), champion.read_text()
    lock.unlink()  # hashes are then those of the files
    champion.write_text("another")
    for _ in range(3):
        with stages.declared_run("infer", config.load(), "ssp585"):
            pass
    lock.write_text(kept[0])
    champion.write_text(kept[1])
    monkeypatch.setattr(MlflowClient, "search_runs", counted)
    assert trace(project, Path("products/ssp585.nc")).runs["infer@ssp585"].alike == 1
    assert loaded.count("infer@ssp585") == 1
    loaded.clear()
    assert trace(project, Path("models/finetune")).runs.keys() >= {"finetune@0", "finetune@1"}
    assert not any(name.startswith("infer") for name in loaded)


def test_runs_are_found_forward_too(recorded, project):
    found = trace(project, Path(SSP585), forward=True)
    assert set(found.runs) == {"cmip6@ssp585", "infer@ssp585"}
    lines = text(found).splitlines()
    (line,) = [line for line in lines if "data/processed/cmip6/ssp585.nc" in line]
    assert line.split()[-1] == found.runs["cmip6@ssp585"].run_id[:8] and len(line) <= 100


def test_runs_of_other_inputs_parameters_or_failed_ones_are_not_taken(recorded, project):
    lock = (project / "dvc.lock").read_text()
    (project / "dvc.lock").write_text(lock.replace("seed: 1", "seed: 2"))
    assert trace(project, Path("models/finetune")).runs == {}
    raw = trace(project, Path("models/champion"), check=False).graph.files["data/raw/pseudo"].md5
    (project / "dvc.lock").write_text(lock.replace(raw, f"{'0' * 32}.dir"))
    assert "cmip6@ssp585" not in trace(project, Path("products"), check=False).runs
    (project / "dvc.lock").write_text(lock)
    with pytest.raises(RuntimeError), stages.declared_run("evaluate", config.load()):
        raise RuntimeError
    assert "evaluate" not in trace(project, Path("results/evaluate")).runs


def test_without_a_store_none_is_made(project):
    (project / "mlflow.db").unlink()
    found = trace(project, Path("products/ssp585.nc"))
    assert found.warnings == ("no MLflow store here: runs and commits are not known",)
    assert not (project / "mlflow.db").exists()


def test_a_store_that_refuses_leaves_the_chain(project):
    (project / "mlflow.db").write_bytes(b"no database at all, but long enough to look at" * 20)
    found = trace(project, Path("products/ssp585.nc"))
    assert "runs and commits are not known: the MLflow store" in found.warnings[0]
    assert "data/raw/pseudo" in files(found)


def test_a_registered_version_is_named_with_its_alias(recorded, project):
    client = store.open_client()
    client.create_registered_model("m")
    made = client.create_model_version("m", "here", tags={"weights_sha256": "77bb"})
    client.set_registered_model_alias("m", "champion", made.version)
    told = text(trace(project, Path("models/champion")))
    assert "· registered as m version 1 (champion)" in told
    assert "pre-training 88aa" in told


def test_a_champion_that_was_kept_does_not_come_from_todays_folds(project):
    for fold in ("fold_0", "fold_1"):
        (project / f"models/champion/{fold}.safetensors").write_text("of an earlier training")
    (project / "models/champion/fold_0.json").write_text(
        json.dumps({"inputs": {"data/processed/cmip6/historical.nc": "another"}})
    )
    dvc("commit", "-f", "promote", cwd=project)
    with stages.declared_run("promote", config.load()) as run:
        client = run.client
    client.create_registered_model("m")
    client.create_model_version("m", "x", run_id=run.run_id, tags={"weights_sha256": "77bb"})
    found = trace(project, Path("products/ssp585.nc"))
    assert "finetune@0" not in found.graph.steps
    assert "sha256 another" in text(found)
    assert found.runs["an earlier promotion"].run_id == run.run_id
    raw = trace(project, Path("data/own"), forward=True, runs=False)
    assert "models/finetune" in files(raw)
    assert not any(path.startswith("products") for path in files(raw))


def test_a_record_that_was_not_made_with_its_product_is_not_believed(project):
    record = project / "products/ssp585.prov.json"
    own = {"activity": {"a": {"sf:mlflow_run_id": "77cc", "sf:model_version": "3"}}}
    record.write_text(json.dumps(own))
    lock = (project / "dvc.lock").read_text()
    start = lock.index("infer@ssp585")
    entry = f"    - path: products/ssp585.prov.json\n      md5: {content_hash(record)}\n"
    known = lock[:start] + lock[start:].replace("    outs:\n", "    outs:\n" + entry, 1)
    (project / "dvc.lock").write_text(known)
    product = Path("products/ssp585.nc")
    assert trace(project, product).runs["infer@ssp585"].run_id == "77cc"
    forward = trace(project, product, forward=True)
    assert forward.warnings == () and forward.facts[product.as_posix()]["run"] == "77cc"
    for other in (json.dumps(own).replace("77cc", "88dd"), "{"):
        record.write_text(other)
        found = trace(project, product)
        assert "infer@ssp585" not in found.runs and product.as_posix() not in found.facts
        assert found.changed == ["products/ssp585.prov.json"]
        told = " ".join(text(found).split())
        assert "note: products/ssp585.prov.json is not the one that dvc.lock recorded" in told
        assert trace(project, product, check=False).changed == []


def test_changed_and_absent_files_are_marked(project):
    (project / "data/processed/cmip6/historical.nc").write_text("edited")
    (project / "models/finetune/fold_1.json").unlink()
    found = trace(project, Path("products/ssp585.nc"), runs=False)
    assert "data/processed/cmip6/historical.nc" in found.changed
    assert found.states["models/finetune/fold_1.json"] == "not here"
    assert "historical.nc changed since" in text(found)
    assert trace(project, Path("products/ssp585.nc"), runs=False, check=False).changed == []
    (project / SSP585).write_text("edited too")
    assert trace(project, Path(SSP585), runs=False).changed == ["data/raw/pseudo", SSP585]


def test_a_raw_folder_s_files_are_known_from_a_cache_that_a_team_shares(project, tmp_path_factory):
    shared = tmp_path_factory.mktemp("shared")
    (project / ".dvc" / "cache" / "files").rename(shared / "files")
    dvc("cache", "dir", "--local", str(shared), cwd=project)
    shutil.rmtree(project / "data/raw")
    found = trace(project, Path(SSP585), forward=True, runs=False)
    assert "products/ssp585.nc" in files(found)
    raw = locked_steps(project)["world"].made["data/raw/pseudo"]
    assert set(listing(project, raw)) == {
        f"cmip6/CESM2/{Path(n).name}" for n in (SSP585, HISTORICAL)
    }


def test_a_stage_that_used_an_earlier_version_is_told(project):
    lock = (project / "dvc.lock").read_text()
    md5 = trace(project, Path("products"), runs=False).graph.files["products/ssp585.nc"].md5
    at = lock.index("page@ssp585")
    (project / "dvc.lock").write_text(lock[:at] + lock[at:].replace(md5, "f" * 32, 1))
    told = text(trace(project, Path("reports/ssp585.html"), runs=False))
    assert "· page@ssp585 used another version of it, md5 ffffffff" in told


def test_json_is_stable_and_whole(recorded, project):
    one, two = (content(trace(project, Path("products/ssp585.nc"))) for _ in range(2))
    assert json.dumps(one) == json.dumps(two)
    names = {node["id"] for node in one["nodes"]}
    assert {end for edge in one["edges"] for end in (edge["from"], edge["to"])} <= names
    nodes = {node["id"]: node for node in one["nodes"]}
    assert nodes["infer@ssp585"]["run"]["commit"] == recorded
    assert nodes["finetune@0"]["params"] == {"params.yaml": {"seed": 1}}
    assert nodes["products/ssp585.nc"]["state"] == "as recorded"
    (edge,) = [e for e in one["edges"] if (e["from"], e["to"]) == ("results/evaluate", "promote")]
    assert edge["decides"]


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_pictures_name_their_target_and_are_the_same_again(project, tmp_path, suffix):
    found = trace(project, Path("products/ssp585.nc"), runs=False)
    for name in ("one", "two"):
        draw(found, tmp_path / f"{name}{suffix}")
    picture = (tmp_path / f"one{suffix}").read_bytes()
    assert picture == (tmp_path / f"two{suffix}").read_bytes()
    assert found.target.md5.encode() in picture
    if suffix == ".png":
        assert int.from_bytes(picture[16:20], "big") == 1600


def test_the_product_s_record_leads_back_to_the_raw_files(recorded, project):
    document = prov.upstream(["products/ssp585.nc", "params.yaml"])
    ends = {"prov:entity": "entity", "prov:activity": "activity", "prov:collection": "entity"}
    ends |= {"prov:generatedEntity": "entity", "prov:usedEntity": "entity"}
    relations = [each for kind in document for each in document[kind].values()]
    for relation in relations:
        for role, name in relation.items():
            if role in ends:
                assert name in document[ends[role]], relation
    came = {
        (e["prov:generatedEntity"], e["prov:usedEntity"])
        for e in document["wasDerivedFrom"].values()
    }
    assert ("sf:models/champion", "sf:models/finetune") in came
    assert ("sf:models/champion", "sf:results/evaluate") not in came  # it decides
    assert ("sf:data/processed/cmip6/ssp585.nc", "sf:data/raw/pseudo/cmip6") in came
    assert document["activity"]["sf:step/infer@ssp585"]["sf:git_commit"] == recorded
    assert document["entity"]["sf:models/finetune/fold_0.json"]["sf:pretrained_sha256"] == "88aa"
    assert prov.upstream(["params.yaml"])["entity"] == {}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("products/ssp858.nc", "no stage of dvc.lock uses or makes products/ssp858.nc; nearest"),
        ("/etc/hostname", "is not a file or folder within the project"),
        (".", "is not a file or folder within the project"),
        ("../other", "is not a file or folder within the project"),
        (SSP585.replace("ssp585", "ssp586"), f"nearest: {SSP585}"),
    ],
)
def test_unknown_paths_are_one_line(project, path, told):
    with pytest.raises(UserError) as raised:
        trace(project, Path(path), runs=False)
    (line,) = raised.value.problems
    assert told in line


def test_a_raw_file_that_came_later_touched_nothing(project):
    later = project / SSP585.replace("CESM2", "MIROC6")
    later.parent.mkdir()
    later.write_text("new")
    with pytest.raises(UserError, match="since dvc.lock recorded that folder, so nothing was made"):
        trace(project, later, forward=True, runs=False)


def test_the_trial_that_gave_the_best_values_is_named(tmp_path):
    (tmp_path / "best.yaml").write_text("learning_rate: 0.0003\nmse: 1.0\n")
    (tmp_path / "trials.csv").write_text(
        "trial,state,inner_rmse,learning_rate,mse\n0,complete,0.04,0.0003,2\n"
        "1,pruned,0.01,0.0003,1.0\n2,complete,0.03,3e-4,1\n"
    )
    assert trial_of(tmp_path) == {"trial": 2, "inner_rmse": 0.03, "trials": 3}
    (tmp_path / "best.yaml").write_text("learning_rate: 0.1\n")
    assert trial_of(tmp_path) == {} == trial_of(tmp_path / "nowhere")
    (tmp_path / "best.yaml").write_bytes(b"\xff\xfe")
    assert trial_of(tmp_path) == {}
    (tmp_path / "best.yaml").unlink()
    (tmp_path / "best.yaml").mkdir()
    assert trial_of(tmp_path) == {}


def test_paths_may_be_spelled_otherwise(project):
    for name in ("./products/ssp585.nc", "products/../products/ssp585.nc", project / "products/"):
        assert trace(project, Path(name), runs=False).target.path.startswith("products")


@pytest.mark.parametrize(
    "damage",
    ["", "stages: {a: {cmd: 'x", "[1, 2]", "stages: [1]", "stages: {world: {outs: [{md5: 1}]}}"],
)
def test_a_damaged_lock_is_one_line(project, damage):
    (project / "dvc.lock").write_text(damage)
    with pytest.raises(UserError) as raised:
        trace(project, Path("products/ssp585.nc"), runs=False)
    (line,) = raised.value.problems
    assert "dvc.lock" in line and "run " in line


def test_outside_a_root_and_before_the_first_run(project, monkeypatch):
    with pytest.raises(UserError, match=f"no dvc.yaml in .*products.*`cd {project}` first"):
        trace(project / "products", Path("ssp585.nc"))
    (project / "dvc.lock").unlink()
    with pytest.raises(UserError, match="no dvc.lock in .*run `dvc repro`"):
        trace(project, Path("products/ssp585.nc"))
